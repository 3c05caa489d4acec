import { DatanetError, toError } from '../utils/index.ts'
import { toHex } from '../wire/index.ts'
import type { Checkpoint, ForkEvidence } from './interface.ts'

/** A certificate that does not make its header final. */
export class CertificateError extends DatanetError {
  constructor (height: number, reason: string) {
    super('ERR_CERTIFICATE', `expected a certificate of more than two thirds of the stake that makes the header at height ${height} final, but ${reason}: ask another source`)
  }
}

/** A header of another chain than the genesis's. */
export class WrongChainError extends DatanetError {
  constructor (expected: string, got: string) {
    super('ERR_CHAIN', `expected a header of the chain ${JSON.stringify(expected)}, got one of ${JSON.stringify(got)}: ask another source, or start with that chain's genesis`)
  }
}

/** A header that names another validator set than the one we know. */
export class ValidatorSetError extends DatanetError {
  constructor (height: number) {
    super('ERR_VALIDATOR_SET', `expected a header of an era whose validators are known, certified set after set from the genesis or the checkpoint on, but that at height ${height} is not: ask a source that has the changes`)
  }
}

/** A source that is behind what was verified before: it is stale, or wants to lead us back. */
export class StaleSourceError extends DatanetError {
  /** the height that was expected at least */
  readonly known: number

  constructor (known: number, got: number) {
    super('ERR_STALE_SOURCE', `expected height ${known} or more, which is verified, but the source's newest is ${got}: ask another source`)
    this.known = known
  }
}

/** Two certified headers that contradict each other. `evidence` convicts those who signed both. */
export class ForkError extends DatanetError {
  readonly evidence: ForkEvidence

  constructor (evidence: ForkEvidence) {
    super('ERR_FORK', `two contradicting headers at heights ${evidence.first.header.height} and ${evidence.second.header.height} are certified: more than a third of the stake is dishonest. Stop and publish the evidence`)
    this.evidence = evidence
  }
}

/** What was believed is too old: its validators may have withdrawn their stake and sign anything. */
export class TrustExpiredError extends DatanetError {
  constructor (ageMs: number, periodMs: number) {
    super('ERR_TRUST_EXPIRED', `expected a header verified within the trusting period of ${Math.round(periodMs / 1000)} s, but the newest is ${Math.round(ageMs / 1000)} s old: ask somebody whom you trust for the height and hash of a recent header, and start with it as a checkpoint (--checkpoint <height>:<hash>)`)
  }
}

/** The source does not have the header that the checkpoint names. */
export class CheckpointError extends DatanetError {
  constructor ({ height, hash }: Checkpoint, reason: string) {
    super('ERR_CHECKPOINT', `expected the header ${toHex(hash)} of the checkpoint at height ${height}, but ${reason}: ask another source, and compare the checkpoint with those of other people`)
  }
}

/** Too few witnesses confirmed the newest header. */
export class WitnessError extends DatanetError {
  constructor (height: number, expected: number, got: number, causes: unknown[]) {
    super('ERR_WITNESS', `expected ${expected} witnesses of the header at height ${height}, ${got} confirmed it: ${causes.map(cause => toError(cause).message).join('; ').slice(0, 500)}`, { cause: causes[0], hint: 'name other peers as witnesses' })
  }
}

/** A proof that does not lead to the certified state root, or is for another key. */
export class StateProofError extends DatanetError {
  constructor (key: string, height: number, reason: string) {
    super('ERR_STATE_PROOF', `expected a proof of ${JSON.stringify(key)} in the state at height ${height}, but ${reason}: ask another source`)
  }
}

/** A header that is not in the history of a certified one, where the source says it is. */
export class HistoryProofError extends DatanetError {
  constructor (what: string, height: number, reason: string, hint = 'ask another source') {
    super('ERR_HISTORY_PROOF', `expected ${what} in the history of the certified header at height ${height}, but ${reason}`, { hint })
  }
}

/** A proof of what became of a transaction that does not lead to the certified header, or is of another one. */
export class OutcomeProofError extends DatanetError {
  constructor (transaction: string, height: number, reason: string) {
    super('ERR_OUTCOME_PROOF', `expected a proof of what became of the transaction ${transaction} in the block at height ${height}, but ${reason}: ask another source`)
  }
}

/** A node's HTTP interface that does not give what was asked for. */
export class HttpSourceError extends DatanetError {
  constructor (path: string, reason: string) {
    super('ERR_HTTP_SOURCE', `expected ${path} of the node, but ${reason}`, { hint: 'ask another node' })
  }
}

/** The source failed or did not answer in time. */
export class SourceError extends DatanetError {
  constructor (what: string, cause: unknown) {
    super('ERR_SOURCE', `the source did not give ${what}: ${toError(cause).message}`, { cause, hint: 'ask another source' })
  }
}

/** No payout of this task to this contribution is in the certified state. */
export class NotPaidError extends DatanetError {
  constructor (contribution: string, height: number) {
    super('ERR_NOT_PAID', `at height ${height} the contribution ${contribution} has no payout of this task: it is not settled, not claimed, or its score is 0`)
  }
}
