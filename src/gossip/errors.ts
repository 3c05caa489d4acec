import { DatanetError, toError } from '../utils/index.ts'

/** Something was asked of a network that does not run. */
export class NetworkNotStartedError extends DatanetError {
  constructor () {
    super('ERR_NETWORK_NOT_STARTED', 'the network has to be started first: await network.start()')
  }
}

/** A name was registered twice. */
export class DuplicateRegistrationError extends DatanetError {
  constructor (kind: string, name: string) {
    super('ERR_DUPLICATE_REGISTRATION', `each ${kind} has one owner, but ${name} is registered already: share the first one`)
  }
}

/** A message is over its limit. */
export class MessageTooLargeError extends DatanetError {
  constructor (name: string, bytes: number, bytesMax: number) {
    super('ERR_MESSAGE_TOO_LARGE', `messages of ${name} have at most ${bytesMax} bytes but this one has ${bytes}: split it or send a CID`)
  }
}

/** The bytes of a message are no record of its topic. */
export class MalformedMessageError extends DatanetError {
  constructor (name: string, cause: unknown) {
    super('ERR_MALFORMED_MESSAGE', `expected a record of ${name}: ${toError(cause).message}`, { cause })
  }
}

/** A validator gave no verdict in time. */
export class ValidationTimeoutError extends DatanetError {
  constructor (name: string, timeoutMs: number) {
    super('ERR_VALIDATION_TIMEOUT', `the validator of ${name} has ${timeoutMs} ms but took longer: the message is not forwarded`)
  }
}

/** Too many messages of a topic wait for their verdict. */
export class ValidatorBusyError extends DatanetError {
  constructor (name: string, pending: number) {
    super('ERR_VALIDATOR_BUSY', `${pending} messages of ${name} wait for their verdict: this one is not looked at`)
  }
}

/** A validator failed, which is our fault. */
export class ValidatorFailedError extends DatanetError {
  constructor (name: string, cause: unknown) {
    super('ERR_VALIDATOR_FAILED', `the validator of ${name} failed: ${toError(cause).message}`, { cause })
  }
}

/** A validator rejected or ignored a message without saying why. */
export class UnexplainedVerdictError extends DatanetError {
  constructor (name: string, verdict: string) {
    super(verdict === 'reject' ? 'ERR_REJECTED' : 'ERR_IGNORED', `the validator of ${name} said ${verdict}`)
  }
}

/** A message came on a topic that this node does not know. */
export class UnknownTopicError extends DatanetError {
  constructor () {
    super('ERR_UNKNOWN_TOPIC', 'messages are accepted on registered topics only')
  }
}

/** A request got no answer. */
export class RequestFailedError extends DatanetError {
  constructor (protocol: string, peer: string, cause: unknown) {
    super('ERR_REQUEST_FAILED', `${protocol} to ${peer} got no answer (${toError(cause).message}): try another peer`, { cause })
  }
}

/** The other side answered a request with an error. */
export class RemoteError extends DatanetError {
  /** the code that the other side gave */
  readonly remoteCode: string

  constructor (protocol: string, remoteCode: string, message: string) {
    super('ERR_REMOTE', `${protocol} was refused: ${remoteCode} ${message}`)
    this.remoteCode = remoteCode
  }
}

/** This node serves as many requests as it may. */
export class BusyError extends DatanetError {
  constructor (protocol: string, concurrency: number) {
    super('ERR_BUSY', `${concurrency} requests of ${protocol} are being served: try again later or elsewhere`)
  }
}

/** An answer broke the frame format or its bounds. */
export class MalformedResponseError extends DatanetError {
  constructor (protocol: string, what: string) {
    super('ERR_MALFORMED_RESPONSE', `the answer of ${protocol} is malformed: ${what}`)
  }
}
