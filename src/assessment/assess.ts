import { readAdapterRecord } from '../serving/index.ts'
import { checkReceipts, fetchReceipts } from './receipts.ts'
import type { Assessment, RecomputeEvent, Recomputer } from './interface.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { Hash, ProgressOptions, TaskState } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'

export interface AssessComponents {
  network: Network
  storage: Pick<Storage, 'get'>
  training: Recomputer
}

/**
 * Recomputes a task from its receipts. The same bytes for every assessor.
 *
 * @throws ReceiptsUnavailableError, FalseReceiptError
 */
export async function assess (components: AssessComponents, chain: string, task: Hash, state: TaskState, signer: Signer, options: ProgressOptions<RecomputeEvent> = {}): Promise<Assessment> {
  const { network, storage, training } = components
  const openings = await fetchReceipts(network, chain, task, state, signer, options)

  checkReceipts(chain, state, openings)

  const adapter = await readAdapterRecord(storage, state.adapter, options)
  const { table, trace } = await training.assess(state.adapter, adapter, openings, options)

  return { table, trace }
}
