import { readPayout } from '../ledger/index.ts'
import { scoreTree } from '../scoring/index.ts'
import { equalBytes } from '../wire/index.ts'
import { CLAIMS_PER_TRANSACTION } from './constants.ts'
import type { Hash, ScoreTable, TaskState, TransactionBody } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

/**
 * What contributors of a settled task are still owed, as transactions of bounded size.
 *
 * @returns null if this table is not the one that was settled, so that nothing can be proven with it
 */
export function owedClaims (ledger: LedgerState, task: Hash, state: TaskState, table: ScoreTable): TransactionBody[] | null {
  const tree = scoreTree(table)

  if (state.scoreRoot == null || !equalBytes(tree.root, state.scoreRoot)) {
    return null
  }

  const owed = table.entries
    .map((entry, index) => ({ ...entry, index }))
    .filter(({ contribution, score }) => score > 0n && readPayout(ledger, task, contribution) == null)
    .map(({ index }) => tree.claim(index))

  return Array.from({ length: Math.ceil(owed.length / CLAIMS_PER_TRANSACTION) }, (_, i) => ({
    kind: 'claim', task, claims: owed.slice(i * CLAIMS_PER_TRANSACTION, (i + 1) * CLAIMS_PER_TRANSACTION)
  }))
}
