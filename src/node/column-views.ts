import { accountToString } from '../identity/index.ts'
import { readAdapter } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, Account, ColumnView } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * Who agreed on the columns of an adapter's influence Jacobian, in the order of its snapshot, by
 * what this node and a few peers heard. Empty for adapters that are not on the ledger.
 */
export async function columnViews (node: DatanetNode, adapter: CID, { signal }: AbortOptions = {}): Promise<ColumnView[]> {
  const patience = AbortSignal.timeout(LOOKUP_TIMEOUT_MS)
  const options = { signal: signal == null ? patience : AbortSignal.any([signal, patience]) }
  const record = await readAdapterRecord(node.storage, adapter, options).catch(() => undefined)

  // what is known here is shown, also where peers are slow
  await node.columns.refresh(adapter, options).catch(() => { signal?.throwIfAborted() })

  const contributions = readAdapter(node.chain.state(), adapter)?.contributions ?? []

  return node.columns.agreement(adapter, record != null && 'influence' in record ? record : undefined).map(({ column, agreed, files: [first, ...others] }) => ({
    contribution: contributions[column].toString(),
    file: first?.file.toString() ?? null,
    agreed: agreed != null,
    checkedBy: names(first?.voices ?? []),
    disputedBy: names(others.flatMap(({ voices }) => voices))
  }))
}

const names = (accounts: Account[]): string[] => accounts.map(accountToString).sort()
