import { DatanetError } from '../utils/index.ts'

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
      hint: 'one request of a channel is served at a time; take the sequence and total from the error and sign again'
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
