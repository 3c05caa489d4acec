import { DatanetError } from '../utils/index.ts'

export class ConfigError extends DatanetError {
  constructor (message: string, options: { cause?: unknown, hint?: string } = {}) {
    super('ERR_CONFIG', message, options)
  }
}

export class DataDirError extends DatanetError {
  constructor (message: string, options: { cause?: unknown, hint?: string } = {}) {
    super('ERR_DATA_DIR', message, options)
  }
}

/** A model's file that is missing, too large or beside others that it does not fit. */
export class ModelFileError extends DatanetError {
  constructor (message: string, options: { cause?: unknown, hint?: string } = {}) {
    super('ERR_MODEL_FILE', message, options)
  }
}

export class AccountMissingError extends DatanetError {
  constructor (name: string, known: string[]) {
    super('ERR_ACCOUNT_MISSING', `there is no account "${name}" in this keychain, it holds: ${known.join(', ')}`, {
      hint: 'use --as with one of these names, or create one with `datanet wallet new <name>`'
    })
  }
}

export class RoleMissingError extends DatanetError {
  constructor (role: string, what: string) {
    super('ERR_ROLE_MISSING', `${what} needs the role "${role}", which this node does not have`, {
      hint: `add "${role}" to the roles in config.json of its data directory and start it again`
    })
  }
}

export class NoPeerError extends DatanetError {
  constructor (addresses: string[], cause?: unknown) {
    super('ERR_NO_PEER', addresses.length === 0
      ? 'expected the address of a peer that has the chain, but none is known'
      : `no peer answers at ${addresses.join(', ')}`, {
      cause,
      hint: 'start a node with `datanet start`, or name the address that one prints with --bootstrap'
    })
  }
}

export class NotFoundError extends DatanetError {
  constructor (what: string, id: string, hint?: string) {
    super('ERR_NOT_FOUND', `there is no ${what} ${id} on this chain`, { hint })
  }
}

/** A question was to show rows, and none fits it. */
export class NothingRetrievedError extends DatanetError {
  constructor (datanet: string, contributions: number) {
    super('ERR_NOTHING_RETRIEVED', contributions === 0
      ? `expected an adapter whose snapshot has contributions of Datanet ${datanet}, but it has none`
      : `expected a row with a word of the question in ${contributions} contributions of Datanet ${datanet}, but there is none`, {
      hint: contributions === 0 ? 'ask an adapter that was trained on this Datanet: rows are found within its snapshot' : 'ask in the words of the data, or without retrieval'
    })
  }
}

/** Evidence of a fork that convicts nobody. */
export class EvidenceError extends DatanetError {
  constructor (reason: string, cause?: unknown) {
    super('ERR_EVIDENCE', `the evidence of a fork was not brought before the ledger: ${reason}`, { cause })
  }
}

/** An index of spans from a peer that is not what the data give. */
export class FalseSpansError extends DatanetError {
  constructor (message: string) {
    super('ERR_FALSE_SPANS', message, { hint: 'nothing needs to be done: it is built here instead' })
  }
}

/** What is wrong with files from elsewhere, under the code of whoever read them. */
export class ForeignFileError extends DatanetError {
  constructor ({ code, message, hint }: { code: string, message: string, hint?: string }) {
    super(code, message, { hint })
  }
}

/** More imports wait than memory should hold. */
export class ImportsFullError extends DatanetError {
  constructor (waiting: number) {
    super('ERR_BUSY', `${waiting} imports are waiting already`, { hint: 'try again when they are done' })
  }
}

/** The thread that reads imported files is gone: a fault of the program, or not enough memory. */
export class ImportThreadError extends DatanetError {
  constructor (event: string, cause?: unknown) {
    super('ERR_IMPORT_THREAD', `the thread that read the files ${event} without an answer`, { cause, hint: 'look whether there is memory for several times their size' })
  }
}
