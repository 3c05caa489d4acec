import { DatanetError } from '../utils/index.ts'
import type { FastifyError } from 'fastify'

/** A transaction that the ledger executed and refused. */
export class TransactionRefusedError extends DatanetError {
  constructor (code: string | undefined, message: string | undefined) {
    super(code ?? 'ERR_TRANSACTION_REFUSED', message ?? 'the ledger refused the transaction without a reason')
  }
}

export class UnauthorizedError extends DatanetError {
  constructor () {
    super('ERR_UNAUTHORIZED', 'expected the node\'s token, or a key that it made and has not revoked, as "Authorization: Bearer …"', {
      hint: 'the token is in api.json in the node\'s data directory; its operator makes keys with `datanet key create`'
    })
  }
}

/** Something that is over soon: `retryAfterSeconds` becomes the header Retry-After. */
export class RetryLaterError extends DatanetError {
  readonly retryAfterSeconds: number

  constructor (code: string, message: string, retryAfterSeconds: number) {
    super(code, message, { hint: `try again in ${retryAfterSeconds} s` })
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export class RateLimitError extends RetryLaterError {
  constructor (perMinute: number, retryAfterSeconds: number) {
    super('ERR_RATE_LIMIT', `this key may send ${perMinute} requests a minute`, retryAfterSeconds)
  }
}

export class SpendingLimitError extends RetryLaterError {
  constructor (perDay: string, spent: bigint, quote: bigint, retryAfterSeconds: number) {
    super('ERR_SPENDING_LIMIT', `this key may spend ${perDay} base units of OPEN a day; ${spent} are spent or set aside, and this answer may cost ${quote}`, retryAfterSeconds)
  }
}

export class OverloadedError extends RetryLaterError {
  constructor (waiting: number, retryAfterSeconds: number) {
    super('ERR_BUSY', `${waiting} requests are waiting already`, retryAfterSeconds)
  }
}

export class StoppingError extends RetryLaterError {
  constructor () {
    super('ERR_STOPPING', 'this node is stopping and takes no more questions', 30)
  }
}

export class ScopeError extends DatanetError {
  constructor (needed: string, scopes: string[]) {
    super('ERR_SCOPE', `expected a key with the scope "${needed}" but this one has: ${scopes.join(', ')}`, {
      hint: 'the node\'s operator makes keys with `datanet key create`'
    })
  }
}

export class UnknownTaskError extends DatanetError {
  constructor (task: string) {
    super('ERR_TASK_UNKNOWN', `the ledger has no task ${task}`, { hint: 'GET /api/v1/tasks lists them' })
  }
}

export class UnknownReceiptError extends DatanetError {
  constructor (receipt: string) {
    super('ERR_UNKNOWN_RECEIPT', `this node bought no answer with the receipt ${receipt}, or too long ago`, { hint: 'ask the node that paid for it' })
  }
}

/** A question to several adapters at once that nobody has published as a merge. */
export class UnpublishedMergeError extends DatanetError {
  constructor (parents: ReadonlyArray<{ adapter: string, weight: number }>) {
    const texts = parents.map(({ adapter, weight }) => `${adapter}:${weight}`)

    super('ERR_MERGE_UNPUBLISHED', `expected adapters that are published as a merge, but nobody has published ${texts.join('+')}`, {
      hint: `publish it with \`datanet adapter merge ${texts.join(' ')}\`, and ask once it is admitted`
    })
  }
}

export class UnknownKeyError extends DatanetError {
  constructor (id: string) {
    super('ERR_UNKNOWN_KEY', `there is no key ${id}`, { hint: 'list them with `datanet key list`' })
  }
}

export class KeysFullError extends DatanetError {
  constructor (max: number) {
    super('ERR_KEYS_FULL', `this node has ${max} keys already`, { hint: 'revoke some with `datanet key revoke`' })
  }
}

/** A field of OpenAI's API that we cannot do as asked; `param` names it. */
export class UnsupportedError extends DatanetError {
  readonly param: string

  constructor (param: string, message: string) {
    super('ERR_UNSUPPORTED', message)
    this.param = param
  }
}

export class TooManyStreamsError extends DatanetError {
  constructor (max: number) {
    super('ERR_TOO_MANY_STREAMS', `at most ${max} event streams are open at once`, { hint: 'close another page of this node' })
  }
}

const statuses: Record<string, number> = {
  ERR_UNAUTHORIZED: 401,
  ERR_PAYMENT_REQUIRED: 402,
  ERR_NOT_ENTITLED: 403,
  ERR_SCOPE: 403,
  ERR_UNKNOWN_KEY: 404,
  ERR_UNKNOWN_RECEIPT: 404,
  ERR_TASK_UNKNOWN: 404,
  ERR_UNSUPPORTED: 400,
  ERR_RATE_LIMIT: 429,
  ERR_SPENDING_LIMIT: 429,
  ERR_STOPPING: 503,
  ERR_NOT_FOUND: 404,
  ERR_UNKNOWN_ADAPTER: 404,
  ERR_MERGE_UNPUBLISHED: 404,
  ERR_UNKNOWN_HEIGHT: 404,
  ERR_UNKNOWN_TRANSACTION: 404,
  ERR_UNKNOWN_DATANET: 404,
  ERR_ROLE_MISSING: 409,
  ERR_UNKNOWN_CONTRIBUTION: 404,
  ERR_BUSY: 429,
  ERR_MEMPOOL_FULL: 429,
  ERR_TRAINING_QUEUE_FULL: 429,
  ERR_TOO_MANY_STREAMS: 429,
  ERR_REMOTE: 502,
  ERR_MALFORMED_RESPONSE: 502,
  ERR_REQUEST_FAILED: 503,
  ERR_NO_GATEWAY: 503,
  ERR_GATEWAY_STOPPED: 503,
  ERR_IMPORT_THREAD: 503,
  ERR_NO_SOURCE: 503,
  ERR_SOURCE: 503,
  ERR_BLOCK_UNAVAILABLE: 503
}

/** What the platform throws when a wait ends early: their own codes are numbers that say nothing. */
const passing: Record<string, { status: number, code: string, hint: string }> = {
  TimeoutError: { status: 504, code: 'ERR_TIMEOUT', hint: 'the work may still be going on: look, then try again' },
  AbortError: { status: 503, code: 'ERR_INTERRUPTED', hint: 'the node is stopping, or a peer went away meanwhile; try again' }
}

interface ErrorBody {
  error: { code: string, message: string, hint?: string }
}

/** 422 is for what was understood and refused; anything that is not ours is a 500 and goes to the log. */
export function statusOf (error: Error): number {
  if (error instanceof TransactionRefusedError) {
    return 422
  }

  if (error instanceof DatanetError) {
    return statuses[error.code] ?? 422
  }

  const { statusCode } = error as FastifyError

  return passing[error.name]?.status ?? statusCode ?? 500
}

export function errorBody (error: Error): ErrorBody {
  if (error instanceof DatanetError) {
    return { error: { code: error.code, message: error.message, hint: error.hint } }
  }

  const { code, validation } = error as FastifyError

  if (validation != null) {
    return { error: { code: 'ERR_REQUEST', message: error.message, hint: 'see /api/v1/openapi.json for what this route takes' } }
  }

  const wait = passing[error.name]

  if (wait != null) {
    return { error: { code: wait.code, message: error.message, hint: wait.hint } }
  }

  return { error: { code: code ?? 'ERR_INTERNAL', message: error.message } }
}

export class UploadError extends DatanetError {
  constructor (message: string, cause?: unknown) {
    super('ERR_UPLOAD', message, { cause })
  }
}

export class UnknownParameterError extends DatanetError {
  constructor (name: string, expected: string[]) {
    super('ERR_UNKNOWN_PARAMETER', `the proposal's parameter "${name}" should be one of: ${expected.join(', ')}`)
  }
}

export class BadCidError extends DatanetError {
  constructor (text: string) {
    super('ERR_CID', `expected a CID but got "${text}"`, { hint: 'it looks like bafy… and comes from the lists of this node' })
  }
}

export class UnknownRouteError extends DatanetError {
  constructor (method: string, path: string) {
    super('ERR_NOT_FOUND', `there is no ${method} ${path}`, { hint: 'see /api/v1/openapi.json for what there is' })
  }
}
