import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyCors from '@fastify/cors'
import fastifyStatic from '@fastify/static'
import fastifySwagger from '@fastify/swagger'
import fastify from 'fastify'
import { packageRoot } from '../node/index.ts'
import { access, decorate } from './access.ts'
import { DRAIN_TIMEOUT_MS, JSON_BYTES_MAX, UPLOAD_BYTES_MAX } from './constants.ts'
import { desk } from './desk.ts'
import { documentation } from './documentation.ts'
import { UnknownRouteError } from './errors.ts'
import { eventRoutes } from './events.ts'
import { metrics } from './metrics.ts'
import { onError } from './on-error.ts'
import { openaiRoutes } from './openai.ts'
import { adapterRoutes } from './routes-adapters.ts'
import { dataRoutes } from './routes-data.ts'
import { governanceRoutes } from './routes-governance.ts'
import { keyRoutes } from './routes-keys.ts'
import { lightRoutes } from './routes-light.ts'
import { modelRoutes } from './routes-models.ts'
import { readRoutes } from './routes-read.ts'
import { serviceRoutes } from './routes-service.ts'
import { taskRoutes } from './routes-tasks.ts'
import { walletRoutes } from './routes-wallet.ts'
import type { Access, FreeTier } from './access.ts'
import type { ApiContext } from './context.ts'
import type { DeskInit } from './desk.ts'
import type { Metrics } from './metrics.ts'
import type { DatanetNode } from '../node/index.ts'
import type { FastifyInstance } from 'fastify'

export interface ApiInit extends DeskInit {
  host: string
  port: number
  /** opens everything; other callers need a key that the node made */
  token: string
  /**
   * origins whose pages may call, beside the node's own page
   *
   * @default none
   */
  cors?: string[]
  /**
   * files in PEM
   *
   * @default plain HTTP: for this machine, or behind a proxy
   */
  tls?: { cert: string, key: string }
  /**
   * addresses of proxies whose X-Forwarded-For counts
   *
   * @default none
   */
  trustProxy?: string[]
  /**
   * answers for callers without a key, paid by this node: for each address and in all
   *
   * @default none
   */
  free?: FreeTier
}

/** The HTTP interface of one node: control API, OpenAI-compatible API, events and the page. */
export interface Api {
  readonly url: string
  start (): Promise<void>
  /** Refuses new questions, lets those under way end for DRAIN_TIMEOUT_MS, then closes. */
  stop (): Promise<void>
}

/**
 * @example
 * ```ts
 * const server = api({ host: '127.0.0.1', port: 0, token })(node)
 * await server.start()
 * console.info(server.url)
 * ```
 */
export function api (init: ApiInit): (node: DatanetNode) => Api {
  return node => {
    const closing = new AbortController()
    const door = access(init, node)
    const office = desk(init, { node, keys: door.keys, onAnswer: view => { counted.answered(view) } })
    const counted = metrics(node, () => office.load())
    const context: ApiContext = { node, closing: closing.signal, keys: door.keys, desk: office }
    let server: FastifyInstance | undefined
    let url = ''

    return {
      get url () {
        return url
      },
      async start () {
        server ??= await build(init, context, door, counted)
        url = await server.listen({ host: init.host, port: init.port })
      },
      async stop () {
        await context.desk.drain(AbortSignal.timeout(DRAIN_TIMEOUT_MS))
        closing.abort()
        await server?.close()
      }
    }
  }
}

async function build (init: ApiInit, context: ApiContext, door: Access, counted: Metrics): Promise<FastifyInstance> {
  const server = fastify({
    https: init.tls == null ? null : { cert: await readFile(init.tls.cert), key: await readFile(init.tls.key) },
    bodyLimit: JSON_BYTES_MAX,
    forceCloseConnections: true,
    logger: false,
    trustProxy: init.trustProxy ?? false,
    // a field that a route does not know is a mistake: it is named, not dropped
    ajv: { customOptions: { removeAdditional: false } }
  })

  server.setErrorHandler(onError(message => { context.node.events.tell({ type: 'log', level: 'error', message }) }))
  server.setNotFoundHandler(async request => { throw new UnknownRouteError(request.method, request.url) })
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer', bodyLimit: UPLOAD_BYTES_MAX }, (_request, body, done) => { done(null, body) })
  decorate(server)
  counted.watch(server)

  if (init.cors != null && init.cors.length > 0) {
    await server.register(fastifyCors, { origin: init.cors, methods: ['GET', 'POST', 'DELETE'], exposedHeaders: ['retry-after'] })
  }

  await server.register(fastifySwagger, documentation)

  await server.register(async secured => {
    secured.addHook('onRequest', door.onRequest)
    secured.get('/api/v1/openapi.json', { config: { scope: 'read' }, schema: { hide: true } }, async () => server.swagger())

    secured.get('/metrics', { config: { scope: 'read' }, schema: { hide: true } }, async (_request, reply) => reply.type(counted.contentType).send(await counted.text()))

    for (const routes of [readRoutes, walletRoutes, taskRoutes, dataRoutes, adapterRoutes, serviceRoutes, governanceRoutes, keyRoutes, modelRoutes, openaiRoutes, eventRoutes]) {
      await secured.register(async scope => { routes(scope, context) })
    }
  })

  await server.register(async scope => { lightRoutes(scope, context) })

  const page = join(packageRoot(), 'dist/ui')

  if (existsSync(page)) {
    await server.register(fastifyStatic, { root: page })
  }

  return server
}
