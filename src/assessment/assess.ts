import { readAdapterRecord } from '../serving/index.ts'
import { fetchReceipts } from './receipts.ts'
import type { Assessment, RecomputeEvent, Recomputer } from './interface.ts'
import type { ReceiptComponents } from './receipts.ts'
import type { Signer } from '../identity/index.ts'
import type { Hash, ProgressOptions, TaskState } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { Storage } from '../storage/index.ts'

export interface AssessComponents extends ReceiptComponents {
  storage: Pick<Storage, 'get'>
  training: Recomputer
}

/**
 * Recomputes a task from its receipts. The same bytes for every assessor.
 *
 * @throws {ReceiptsUnavailableError | FalseReceiptError}
 */
export async function assess (components: AssessComponents, ledger: LedgerState, task: Hash, state: TaskState, signer: Signer, options: ProgressOptions<RecomputeEvent> = {}): Promise<Assessment> {
  const { storage, training } = components
  const openings = await fetchReceipts(components, ledger, task, state, signer, options)
  const adapter = await readAdapterRecord(storage, state.adapter, options)
  const { table, trace } = await training.assess(state.adapter, adapter, openings, options)

  return { table, trace }
}
