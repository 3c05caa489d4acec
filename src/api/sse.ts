import { Readable } from 'node:stream'
import { KEEP_ALIVE_MS } from './constants.ts'
import type { FastifyReply } from 'fastify'

/**
 * Sends values as server-sent events, as fast as the client reads them. A comment goes out where
 * nothing else does, since proxies drop silent connections.
 *
 * @param reply - not answered yet
 * @param events - what follows `data: `; ended when the client goes away
 */
export async function sendEvents (reply: FastifyReply, events: AsyncIterable<string>): Promise<FastifyReply> {
  const body = Readable.from(framed(events), { objectMode: false })
  const alive = setInterval(() => {
    if (!reply.raw.writableNeedDrain && !reply.raw.writableEnded) {
      reply.raw.write(': alive\n\n')
    }
  }, KEEP_ALIVE_MS)

  reply.raw.once('close', () => { clearInterval(alive) })

  return reply
    .headers({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    .send(body)
}

async function * framed (events: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const event of events) {
    yield `data: ${event}\n\n`
  }
}
