import { readContribution } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { fetchReceipts } from './receipts.ts'
import type { Assessment, RecomputeEvent, RecomputeOptions, Recomputer } from './interface.ts'
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
  const { table, trace } = await training.assess(state.adapter, adapter, openings, { ...options, commitmentOf: commitmentsOf(ledger) })

  return { table, trace }
}

/** The ledger's order of contributions, which no later state changes: every assessor finds the same whenever it looks. */
function commitmentsOf (ledger: LedgerState): RecomputeOptions['commitmentOf'] {
  return contribution => readContribution(ledger, contribution)
}

/**
 * One step of the trace: by the recomputer's own short way if it has one, else by the whole.
 *
 * @returns null if the trace has no such step
 * @throws {ReceiptsUnavailableError | FalseReceiptError}
 */
export async function assessStep (components: AssessComponents, ledger: LedgerState, task: Hash, state: TaskState, index: number, signer: Signer, options: ProgressOptions<RecomputeEvent> = {}): Promise<Hash | null> {
  const { storage, training } = components
  const openings = await fetchReceipts(components, ledger, task, state, signer, options)
  const adapter = await readAdapterRecord(storage, state.adapter, options)

  if (training.step != null) {
    return training.step(state.adapter, adapter, openings, index, { ...options, commitmentOf: commitmentsOf(ledger) })
  }

  const { trace } = await training.assess(state.adapter, adapter, openings, { ...options, commitmentOf: commitmentsOf(ledger) })

  return trace.at(index) ?? null
}
