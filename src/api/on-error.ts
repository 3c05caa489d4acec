import { RETRY_AFTER_SECONDS } from './constants.ts'
import { errorBody, RetryLaterError, statusOf } from './errors.ts'
import { openaiErrorBody, openaiStatusOf } from './openai-errors.ts'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** Answers what went wrong, under /v1 as clients of OpenAI's API read it. */
export async function onError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const isOpenai = request.url.startsWith('/v1/')
  const status = isOpenai ? openaiStatusOf(error) : statusOf(error)

  if (status === 500) {
    request.log.error(error)
  }

  if (status === 429 || status === 503) {
    reply.header('retry-after', error instanceof RetryLaterError ? error.retryAfterSeconds : RETRY_AFTER_SECONDS)
  }

  await reply.code(status).send(isOpenai ? openaiErrorBody(error, status) : errorBody(error))
}
