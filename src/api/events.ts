import { EVENT_BACKLOG_BYTES_MAX, EVENT_STREAMS_MAX, KEEP_ALIVE_MS } from './constants.ts'
import { TooManyStreamsError } from './errors.ts'
import type { ApiContext } from './context.ts'
import type { NodeEvent } from '../interface/index.ts'
import type { FastifyInstance } from 'fastify'

/** GET /api/v1/events: all that happens on the node, as server-sent events. */
export function eventRoutes (server: FastifyInstance, { node, closing }: ApiContext): void {
  let streams = 0

  server.get('/api/v1/events', async (request, reply) => {
    if (streams >= EVENT_STREAMS_MAX) {
      throw new TooManyStreamsError(EVENT_STREAMS_MAX)
    }

    const { raw } = reply

    reply.hijack()

    // whoever left while its key was looked up will not say so again: it would hold its place for ever
    if (raw.destroyed) {
      return
    }

    streams++
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    raw.write(': connected\n\n')

    const listener = ({ detail }: CustomEvent<NodeEvent>): void => {
      raw.write(`data: ${JSON.stringify(detail)}\n\n`)

      // a listener that does not read is let go: it can look at everything again
      if (raw.writableLength > EVENT_BACKLOG_BYTES_MAX) {
        raw.destroy()
      }
    }
    const alive = setInterval(() => { raw.write(': alive\n\n') }, KEEP_ALIVE_MS)
    const end = (): void => { raw.end() }

    node.events.addEventListener('event', listener)
    closing.addEventListener('abort', end)
    raw.on('close', () => {
      streams--
      clearInterval(alive)
      closing.removeEventListener('abort', end)
      node.events.removeEventListener('event', listener)
    })
  })
}
