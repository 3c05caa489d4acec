import { verifyRecord } from '../identity/index.ts'
import { readPlanters, readTask, readValidators } from '../ledger/index.ts'
import { domains, equalBytes } from '../wire/index.ts'
import { NotEntitledError } from './errors.ts'
import { receiptsRequestCodec } from './messages.ts'
import type { ReceiptsRequest } from './messages.ts'
import type { Account, Signed, TaskState } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

export interface Asked {
  chain: string
  state: LedgerState
  /** who is asked */
  gateway: Account
  /** the peer at the other end of the stream */
  peer: string
}

/**
 * Whether receipts may be opened to whoever asks: to a seat of their task's committee, to validators
 * whose turn it is to plant an answer while the seats compute theirs and, while a dissent is judged,
 * to all validators.
 *
 * @throws {NotEntitledError | SignatureError}
 */
export function checkEntitled (signed: Signed<ReceiptsRequest>, { chain, state, gateway, peer }: Asked): void {
  const { payload } = signed
  const task = readTask(state, payload.task)

  // without the peer, another gateway that got this request could ask in its name
  if (payload.chain !== chain || payload.peer !== peer) {
    throw new NotEntitledError('expected a request for this chain, made for the peer that sends it')
  }

  if (task == null || !mayRead(state, task, payload.assessor)) {
    throw new NotEntitledError('receipts are opened to the committee of their task only, and this assessor has no seat in it')
  }

  if (!task.sources.some(source => equalBytes(source.receiptsRoot, payload.receiptsRoot) && equalBytes(source.gateway, gateway))) {
    throw new NotEntitledError('the task has no receipts of this gateway under this root')
  }

  verifyRecord(domains.receiptsRequest, receiptsRequestCodec, signed, payload.assessor)
}

function mayRead (state: LedgerState, task: TaskState, account: Account): boolean {
  return task.seats.some(({ assessor }) => equalBytes(assessor, account)) ||
    // planters check committees by computing the same
    (task.phase === 'commit' && readPlanters(state).some(one => equalBytes(one, account))) ||
    ((task.phase === 'verdict' || task.phase === 'step' || task.phase === 'receipts') && readValidators(state).some(validator => equalBytes(validator.account, account)))
}
