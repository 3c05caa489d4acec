import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { readChain } from '../ledger/index.ts'
import type { AnswerView } from '../interface/index.ts'
import type { DatanetNode } from '../node/index.ts'
import type { FastifyInstance } from 'fastify'

/** From a block's lookup to an answer on a machine that trains at the same time. */
const SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60]

/** What a node counts for Prometheus, in its text format. Labels have few values: none comes from a caller. */
export interface Metrics {
  readonly contentType: string
  text (): Promise<string>
  /** counts an answer that was bought */
  answered (view: Pick<AnswerView, 'promptTokens' | 'outputTokens'>): void
  /** counts the requests of a server */
  watch (server: FastifyInstance): void
}

/** Answers that are bought now, and those that wait for their turn. */
export interface Load {
  running: number
  waiting: number
}

/**
 * @param node - read when somebody asks
 * @param load - the same
 */
export function metrics (node: Pick<DatanetNode, 'chain' | 'network'>, load: () => Load): Metrics {
  const registry = new Registry()
  const registers = [registry]

  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => { made.set(read()) } })
  }

  gauge('datanet_chain_height', 'height of the last final block', () => node.chain.height)
  gauge('datanet_chain_epoch', 'epoch that runs', () => readChain(node.chain.state()).epoch)
  gauge('datanet_peers', 'connected peers', () => node.network.peers().length)
  gauge('datanet_answers_running', 'answers that are bought now', () => load().running)
  gauge('datanet_answers_waiting', 'answers that wait for their turn', () => load().waiting)
  gauge('datanet_resident_memory_bytes', 'memory of the process', () => process.memoryUsage.rss())

  const answers = new Counter({ name: 'datanet_answers_total', help: 'answers bought since the start', registers })
  const tokens = new Counter({ name: 'datanet_tokens_total', help: 'tokens of answers bought since the start', labelNames: ['kind'], registers })
  const requests = new Histogram({ name: 'datanet_http_request_seconds', help: 'time of requests by route', labelNames: ['method', 'route', 'status'], buckets: SECONDS, registers })

  return {
    contentType: registry.contentType,
    text: async () => registry.metrics(),
    answered ({ promptTokens, outputTokens }) {
      answers.inc()
      tokens.inc({ kind: 'prompt' }, promptTokens)
      tokens.inc({ kind: 'output' }, outputTokens)
    },
    watch (server) {
      server.addHook('onResponse', async ({ method, routeOptions: { url } }, reply) => {
        // methods and paths that there are not are the caller's words
        requests.observe(url == null ? { method: 'none', route: 'none', status: reply.statusCode } : { method, route: url, status: reply.statusCode }, reply.elapsedTime / 1000)
      })
    }
  }
}
