import { DatanetError, toError } from '../utils/index.ts'

export class UnknownAdapterError extends DatanetError {
  constructor (adapter: string, why: string) {
    super('ERR_UNKNOWN_ADAPTER', `expected an adapter that the network admitted, but ${adapter} ${why}`, {
      hint: 'list those that can be asked with `datanet status` or GET /v1/models'
    })
  }
}

export class PromptTooLongError extends DatanetError {
  constructor (tokens: number, maxTokens: number, contextLength: number) {
    super('ERR_PROMPT_TOO_LONG', `the prompt's ${tokens} tokens and an answer of ${maxTokens} should fit into a context of ${contextLength} tokens`, {
      hint: 'shorten the prompt, or ask for fewer tokens'
    })
  }
}

export class PaymentRequiredError extends DatanetError {
  constructor (message: string, hint?: string) {
    super('ERR_PAYMENT_REQUIRED', message, { hint })
  }
}

export class SequenceError extends DatanetError {
  constructor (expected: number, got: number) {
    super('ERR_SEQUENCE', `expected request ${expected} of this channel, but got ${got}`, {
      hint: 'one request of a channel is served at a time; a payer that lost its place opens another channel'
    })
  }
}

export class BusyError extends DatanetError {
  constructor (waiting: number) {
    super('ERR_BUSY', `${waiting} requests are waiting already`, { hint: 'try again in a few seconds' })
  }
}

export class BadReceiptError extends DatanetError {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super('ERR_BAD_RECEIPT', message, options)
  }
}

export class NoGatewayError extends DatanetError {
  constructor () {
    super('ERR_NO_GATEWAY', 'no gateway that serves this adapter is connected', {
      hint: 'connect to one with --bootstrap, or start one with the role "gateway"'
    })
  }
}

export class NotEntitledError extends DatanetError {
  constructor (message: string) {
    super('ERR_NOT_ENTITLED', message)
  }
}

export class BadColumnError extends DatanetError {
  constructor (message: string) {
    super('ERR_BAD_COLUMN', message)
  }
}

export class BadMergeError extends DatanetError {
  constructor (message: string) {
    super('ERR_BAD_MERGE', message)
  }
}

export class GatewayStoppedError extends DatanetError {
  constructor () {
    super('ERR_GATEWAY_STOPPED', 'this gateway does not serve now', { hint: 'ask another gateway, or start this one' })
  }
}

/** What a gateway may say no with; any other code of a stranger becomes ERR_GATEWAY_REFUSED. */
const refusals = new Set([
  'ERR_UNKNOWN_ADAPTER', 'ERR_PROMPT_TOO_LONG', 'ERR_PAYMENT_REQUIRED', 'ERR_SEQUENCE', 'ERR_BUSY', 'ERR_BAD_RECEIPT', 'ERR_NOT_ENTITLED', 'ERR_GATEWAY_STOPPED'
])

/** A gateway answered with an error; `code` is the gateway's if it is one that gateways have. */
export class RefusedByGatewayError extends DatanetError {
  constructor (code: string, cause: Error) {
    super(refusals.has(code) ? code : 'ERR_GATEWAY_REFUSED', `the gateway refused: ${cause.message}`, { cause })
  }
}

/** The two sides of a channel disagree for good about where it stands. */
export class ChannelBrokenError extends DatanetError {
  constructor (channel: string, cause: unknown) {
    super('ERR_CHANNEL_BROKEN', `channel ${channel} cannot be used any more: ${toError(cause).message}`, {
      cause,
      hint: 'ask again to open another; what is left in this one comes back when it is closed after its expiry'
    })
  }
}

export class RedemptionFailedError extends DatanetError {
  constructor (failed: number, channels: number, causes: unknown[]) {
    const [first] = causes

    super('ERR_REDEMPTION_FAILED', `${failed} of ${channels} channels could not be redeemed, the first because ${toError(first).message}`, {
      cause: new AggregateError(causes),
      hint: 'they are tried again before the next cutoff'
    })
  }
}
