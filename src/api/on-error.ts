import { RETRY_AFTER_SECONDS } from './constants.ts'
import { errorBody, RetryLaterError, statusOf } from './errors.ts'
import { openaiErrorBody, openaiStatusOf } from './openai-errors.ts'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/**
 * Answers what went wrong, under /v1 as clients of OpenAI's API read it.
 *
 * @param log - told of what is our fault, for whoever runs the node
 */
export function onError (log: (message: string) => void): (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (error, request, reply) => {
    const isOpenai = request.url.startsWith('/v1/')
    const status = isOpenai ? openaiStatusOf(error) : statusOf(error)

    if (status === 500) {
      log(`${request.method} ${request.routeOptions.url ?? ''} failed: ${error.stack ?? error.message}`)
    }

    if (status === 429 || status === 503) {
      reply.header('retry-after', error instanceof RetryLaterError ? error.retryAfterSeconds : RETRY_AFTER_SECONDS)
    }

    await reply.code(status).send(isOpenai ? openaiErrorBody(error, status) : errorBody(error))
  }
}
