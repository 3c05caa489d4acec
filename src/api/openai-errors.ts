import { errorBody, statusOf, UnsupportedError } from './errors.ts'
import type { FastifyError } from 'fastify'

/** Codes that clients of OpenAI's API know; all others are ours. */
const openaiCodes: Record<string, string> = {
  ERR_UNAUTHORIZED: 'invalid_api_key',
  ERR_UNKNOWN_ADAPTER: 'model_not_found',
  ERR_MERGE_UNPUBLISHED: 'model_not_found',
  ERR_PROMPT_TOO_LONG: 'context_length_exceeded',
  ERR_RATE_LIMIT: 'rate_limit_exceeded',
  ERR_SPENDING_LIMIT: 'insufficient_quota',
  ERR_PAYMENT_REQUIRED: 'insufficient_quota',
  ERR_UNSUPPORTED: 'unsupported_parameter'
}

/** The field that is to blame, where the code tells. */
const params: Record<string, string> = { ERR_UNKNOWN_ADAPTER: 'model', ERR_MERGE_UNPUBLISHED: 'model', ERR_UNSUPPORTED_SCHEMA: 'response_format', ERR_NOTHING_RETRIEVED: 'retrieval' }

export interface OpenaiErrorBody {
  error: { message: string, type: string, param: string | null, code: string, hint?: string }
}

/** What went wrong, as clients of OpenAI's API read it. */
export function openaiErrorBody (error: Error, status = openaiStatusOf(error)): OpenaiErrorBody {
  const { error: { code, message, hint } } = errorBody(error)

  return { error: { message, type: openaiType(code, status), param: paramOf(error, code), code: openaiCodes[code] ?? code, hint } }
}

/** OpenAI answers what it understood and refuses with 400. */
export function openaiStatusOf (error: Error): number {
  const status = statusOf(error)

  return status === 422 ? 400 : status
}

function openaiType (code: string, status: number): string {
  if (code === 'ERR_SPENDING_LIMIT' || status === 402) {
    return 'insufficient_quota'
  }

  const types: Record<number, string> = { 401: 'authentication_error', 403: 'permission_error', 429: 'rate_limit_error' }

  return types[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error')
}

function paramOf (error: Error, code: string): string | null {
  if (error instanceof UnsupportedError) {
    return error.param
  }

  const [first] = (error as FastifyError).validation ?? []

  if (first != null) {
    const missing: unknown = first.params.missingProperty

    return typeof missing === 'string' ? missing : first.instancePath.slice(1).replaceAll('/', '.')
  }

  return params[code] ?? null
}
