import { accountToString } from '../identity/index.ts'
import { listPayouts, listTasks, readBase } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import type { DatanetNode } from './node.ts'
import type { AdapterState, Amount, GraphNode } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** A whole in millionths. */
export const MILLION = 1_000_000n

/** Who made the base below an adapter; with what it is paid, if that is known. */
export function baseGraph (node: DatanetNode, { base }: AdapterState, paid?: { fee: Amount, amount: Amount }): GraphNode {
  const developer = readBase(node.chain.state(), base)

  return {
    kind: 'base',
    id: base.toString(),
    title: 'base model',
    ...(paid == null ? {} : part(paid.fee, paid.amount)),
    children: developer == null ? [] : [person(accountToString(developer), 'base developer', paid?.amount)]
  }
}

/** What each contribution was paid for answers of an adapter, over all epochs on the ledger. */
export function paidBy (node: DatanetNode, adapter: CID): Map<string, Amount> {
  const state = node.chain.state()
  const paid = new Map<string, Amount>()

  for (const { task, state: { adapter: answered } } of listTasks(state)) {
    for (const { contribution, state: { amount } } of answered.equals(adapter) ? listPayouts(state, task) : []) {
      paid.set(contribution.toString(), (paid.get(contribution.toString()) ?? 0n) + amount)
    }
  }

  return paid
}

/** Its name, or its CID while the record cannot be had. */
export async function adapterName (node: DatanetNode, adapter: CID): Promise<string> {
  return readAdapterRecord(node.storage, adapter, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) }).then(({ name }) => name, () => adapter.toString())
}

export const person = (id: string, title: string, amount?: Amount): GraphNode => ({ kind: 'account', id, title, ...(amount == null ? {} : { amount: `${amount}` }), children: [] })

/** An amount, and what part of a whole it is. */
export const part = (whole: Amount, amount: Amount): { sharePpm: number, amount: string } => ({ sharePpm: whole === 0n ? 0 : Number(amount * MILLION / whole), amount: `${amount}` })
