import { CLAIM_PROOF_MAX, CONTRIBUTIONS_MAX, compareBytes, domains, hash, merkleProof, merkleRoot, utf8, verifyMerkleProof } from '../wire/index.ts'
import { int64, uint64 } from './bytes.ts'
import { ScoreTableError } from './errors.ts'
import { checkTotal } from './fixed-point.ts'
import type { Hash, ScoreClaim, ScoreEntry, ScoreTable } from '../interface/index.ts'

export interface ScoreTree {
  root: Hash
  /** sum of all scores */
  total: bigint
  /** leaves but the header */
  count: number
  /**
   * The claim of entry `index` (its position in `entries`), as `verifyScoreClaim` takes it.
   */
  claim (index: number): ScoreClaim
  /** Merkle path of leaf `index`: 0 is the header, 1 the first entry. */
  prove (index: number): Hash[]
}

/**
 * The tree whose root assessors agree on: RFC 6962 over the header leaf and one leaf per entry.
 * It depends on the adapter, the method, the engine and the scores; not on epoch, task, payer or
 * salts, so that the same work gives the same root in every run.
 *
 * @throws {ScoreTableError} when entries are not in strict order of their CIDs' bytes or too many
 * @throws {ScoreRangeError} when a score is negative or the total leaves int64
 */
export function scoreTree (table: ScoreTable): ScoreTree {
  const { entries } = table

  if (entries.length > CONTRIBUTIONS_MAX) {
    throw new ScoreTableError(`a score table holds at most ${CONTRIBUTIONS_MAX} entries but this one has ${entries.length}`)
  }

  for (let i = 1; i < entries.length; i++) {
    if (compareBytes(entries[i - 1].contribution.bytes, entries[i].contribution.bytes) >= 0) {
      throw new ScoreTableError(`entries must be in strict order of their CIDs' bytes: ${entries[i].contribution} is out of place at ${i}`)
    }
  }

  const total = checkTotal(entries.map(entry => entry.score))
  const leaves = [headerLeaf(table, total), ...entries.map(entryLeaf)]
  const prove = (index: number): Hash[] => merkleProof(leaves, index)

  return {
    root: merkleRoot(leaves),
    total,
    count: entries.length,
    prove,
    claim (index) {
      return { ...entries[index], index: index + 1, proof: prove(index + 1) }
    }
  }
}

/**
 * Whether `claim` is in the tree of `count` entries with this root.
 *
 * @param root - what the assessors agreed on
 * @param count - entries of the table: the adapter's contributions
 * @param claim - `index` is the leaf's: 1 for the first entry
 */
export function verifyScoreClaim (root: Hash, count: number, claim: ScoreClaim): boolean {
  if (!Number.isSafeInteger(claim.index) || claim.index < 1 || claim.index > count || claim.score < 0n || claim.proof.length > CLAIM_PROOF_MAX) {
    return false
  }

  return verifyMerkleProof(root, entryLeaf(claim), claim.index, count + 1, claim.proof)
}

/** Whether the tree with this root is of this adapter, method, engine, total and count. */
export function verifyScoreHeader (root: Hash, table: Pick<ScoreTable, 'adapter' | 'method' | 'engine'>, total: bigint, count: number, proof: Hash[]): boolean {
  return proof.length <= CLAIM_PROOF_MAX && verifyMerkleProof(root, headerOf(table, total, count), 0, count + 1, proof)
}

function headerLeaf (table: ScoreTable, total: bigint): Uint8Array {
  return headerOf(table, total, table.entries.length)
}

function headerOf (table: Pick<ScoreTable, 'adapter' | 'method' | 'engine'>, total: bigint, count: number): Uint8Array {
  return hash(domains.scoreHeader, utf8(table.method), utf8(table.engine), table.adapter.bytes, int64(total), uint64(count))
}

function entryLeaf (entry: ScoreEntry): Uint8Array {
  return hash(domains.scoreEntry, entry.contribution.bytes, int64(entry.score))
}
