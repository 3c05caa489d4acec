import { TRACE_PROOF_MAX, domains, hash, merkleProof, merkleRoot, utf8, verifyMerkleProof } from '../wire/index.ts'
import { int64, uint64 } from './bytes.ts'
import { TRACE_LENGTH_MAX } from './constants.ts'
import { ScoreTableError } from './errors.ts'
import type { Account, Hash, TraceOpening } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** The identifier of the task "score this adapter's receipts of this epoch". */
export function taskId (chain: string, epoch: number, adapter: CID): Hash {
  return hash(domains.task, utf8(chain), uint64(epoch), adapter.bytes)
}

/** What an assessor binds itself to before anyone reveals. */
export interface AssessmentCommitment {
  chain: string
  epoch: number
  task: Hash
  scoreRoot: Hash
  total: bigint
  traceRoot: Hash
  traceLength: number
  /** 32 random bytes that only the assessor knows until it reveals */
  salt: Hash
  /** the assessor's own account: another's commit cannot be opened as one's own */
  assessor: Account
}

/** The digest that is published in the commit phase. */
export function assessmentCommit (assessment: AssessmentCommitment): Hash {
  return hash(
    domains.commit,
    utf8(assessment.chain),
    uint64(assessment.epoch),
    assessment.task,
    assessment.scoreRoot,
    int64(assessment.total),
    assessment.traceRoot,
    uint64(assessment.traceLength),
    assessment.salt,
    assessment.assessor
  )
}

export interface TraceTree {
  root: Hash
  length: number
  open (index: number): TraceOpening
}

/**
 * The tree over the intermediates of a recomputation, each keyed by the assessor's own account and
 * its place. Two honest traces have the same steps but share no leaf, so a trace cannot be copied:
 * whoever did not compute the steps has nothing to open.
 *
 * @param assessor - whose trace it is
 * @param steps - hashes of the intermediates, in order
 * @throws {ScoreTableError} when there is no step or too many
 */
export function traceTree (assessor: Account, steps: Hash[]): TraceTree {
  if (steps.length === 0 || steps.length > TRACE_LENGTH_MAX) {
    throw new ScoreTableError(`a trace has 1 to ${TRACE_LENGTH_MAX} steps but this one has ${steps.length}`)
  }

  const leaves = steps.map((step, index) => traceLeaf(assessor, index, step))

  return {
    root: merkleRoot(leaves),
    length: steps.length,
    open (index) {
      return { index, step: steps[index], proof: merkleProof(leaves, index) }
    }
  }
}

/** Whether `opening` is a leaf of the assessor's own trace. */
export function verifyOpening (root: Hash, traceLength: number, assessor: Account, opening: TraceOpening): boolean {
  const { index, step, proof } = opening

  if (!Number.isSafeInteger(index) || index < 0 || index >= traceLength || traceLength > TRACE_LENGTH_MAX || step.length !== 32 || proof.length > TRACE_PROOF_MAX) {
    return false
  }

  return verifyMerkleProof(root, traceLeaf(assessor, index, step), index, traceLength, proof)
}

function traceLeaf (assessor: Account, index: number, step: Hash): Uint8Array {
  return hash(domains.trace, assessor, uint64(index), step)
}
