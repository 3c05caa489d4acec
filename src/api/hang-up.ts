import type { FastifyReply } from 'fastify'

/** Fires when the client goes away before it has its answer; at once if it is gone already. */
export function hangUp ({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal {
  const gone = new AbortController()
  const onClose = (): void => {
    if (!raw.writableFinished) {
      gone.abort()
    }
  }

  raw.once('close', onClose)

  // whoever left while its key or its model was looked up fires nothing any more
  if (raw.destroyed) {
    onClose()
  }

  return gone.signal
}
