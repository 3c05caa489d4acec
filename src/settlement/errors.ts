import { DatanetError, toError } from '../utils/index.ts'

/** A block breaks a rule. */
export class InvalidBlockError extends DatanetError {
  constructor (what: string, cause?: unknown) {
    super('ERR_INVALID_BLOCK', `expected a valid block but ${what}`, { cause })
  }
}

/** A block's parent is not known or not executed here. */
export class UnknownBlockError extends DatanetError {
  constructor (hash: string) {
    super('ERR_UNKNOWN_BLOCK', `the block ${hash} is not here: fetch it first`)
  }
}

/** A height whose block, certificate or state is not here. */
export class UnknownHeightError extends DatanetError {
  constructor (what: string, height: number, have: string) {
    super('ERR_UNKNOWN_HEIGHT', `there is no ${what} at height ${height}: ${have}`)
  }
}

/** A transaction that is not final here. */
export class UnknownTransactionError extends DatanetError {
  constructor (id: string) {
    super('ERR_UNKNOWN_TRANSACTION', `the transaction ${id} is in none of the blocks here: wait until it is final, or ask an archive`)
  }
}

/** The mempool holds as much as it may. */
export class MempoolFullError extends DatanetError {
  constructor (what: string, limit: number) {
    super('ERR_MEMPOOL_FULL', `the mempool holds at most ${limit} ${what}: wait for the next blocks and submit again`)
  }
}

/** The transaction is known already. */
export class KnownTransactionError extends DatanetError {
  constructor (id: string) {
    super('ERR_KNOWN', `the transaction ${id} is known already`)
  }
}

/** The same account signed another transaction with this nonce, which came first. */
export class NonceTakenError extends DatanetError {
  constructor (nonce: number, feeMin: bigint) {
    super('ERR_NONCE_TAKEN', `another transaction with nonce ${nonce} waits for its block: sign with the next nonce, wait, or pay at least ${feeMin} base units to replace it`)
  }
}

/** The transaction was executed before. */
export class ReplayedTransactionError extends DatanetError {
  constructor (id: string, height: number) {
    super('ERR_REPLAYED', `the transaction ${id} is in block ${height}: it is executed once`)
  }
}

/** A submitted transaction can never be final any more. */
export class TransactionRefusedError extends DatanetError {
  constructor (id: string, code: string, message: string) {
    super(code, `the transaction ${id} can not be executed any more: ${message}`)
  }
}

/** A transaction whose nonce was used in blocks that this node passed over, and of which no peer knows. */
export class UnknownOutcomeError extends DatanetError {
  constructor (id: string, nonce: number) {
    super('ERR_OUTCOME_UNKNOWN', `nonce ${nonce} was used in blocks that this node passed over, by the transaction ${id} or by another: no peer says which`, { hint: 'ask a node that keeps all blocks: datanet light outcome <transaction>' })
  }
}

/** A peer says hello for another chain or without the right signature. */
export class InvalidHelloError extends DatanetError {
  constructor (what: string) {
    super('ERR_INVALID_HELLO', `expected a peer of this chain but ${what}`)
  }
}

/** Blocks from a peer do not continue our chain to a certificate. */
export class InvalidSyncError extends DatanetError {
  constructor (what: string) {
    super('ERR_INVALID_SYNC', `the peer's blocks do not continue the chain: ${what}`)
  }
}

/** Nobody who was asked had it. */
export class NoSourceError extends DatanetError {
  constructor (what: string, asked: number, cause?: unknown) {
    super('ERR_NO_SOURCE', `none of the ${asked} peers that were asked has ${what}: connect to more`, { cause })
  }
}

/** Something that a validator node needs is missing or does not fit. */
export class ChainConfigError extends DatanetError {
  constructor (what: string) {
    super('ERR_CHAIN_CONFIG', what)
  }
}

/** What is on disk contradicts itself: another program wrote it, or the disk failed. */
export class CorruptStoreError extends DatanetError {
  constructor (what: string, cause?: unknown) {
    super('ERR_CORRUPT_STORE', `the chain's data directory is damaged (${what}): delete it and sync again, keep the keys`, { cause })
  }
}

/** What a validator has signed cannot be read any more: it must not sign on as if it had not. */
export class DamagedVotesError extends DatanetError {
  constructor (what: string) {
    super('ERR_DAMAGED_VOTES', `the votes in the chain's data directory are damaged (${what}): this validator signs nothing from here`, {
      hint: 'replace the disk, delete the chain\'s data and sync again with the newest signing history; without one that was written since the last vote, register another key'
    })
  }
}

/** The chain was asked for something before `start` or after `stop`. */
export class ChainNotStartedError extends DatanetError {
  constructor () {
    super('ERR_CHAIN_NOT_STARTED', 'the chain has to be started first: await chain.start()')
  }
}

/** A certified block does not execute here: this program or the network is faulty. The chain stops. */
export class ChainHaltedError extends DatanetError {
  constructor (height: number, cause: unknown) {
    super('ERR_CHAIN_HALTED', `block ${height} is certified but does not execute here (${toError(cause).message}): update this program, then sync again`, { cause })
  }
}

/** A validator sent what no honest validator sends. */
export class ValidatorFaultError extends DatanetError {
  constructor (validator: number, reason: string) {
    super('ERR_VALIDATOR_FAULT', `validator ${validator} sent what no honest validator sends: ${reason}`)
  }
}

/** A signing history that is not this validator's, or comes too late. */
export class SigningHistoryError extends DatanetError {
  constructor (what: string) {
    super('ERR_SIGNING_HISTORY', `expected the signing history of this validator on this chain but ${what}`)
  }
}

/** Consensus did not take a message. */
export class RefusedByConsensusError extends DatanetError {
  constructor (what: string, reason: string) {
    super('ERR_CONSENSUS', `the ${what} was refused: ${reason}`)
  }
}
