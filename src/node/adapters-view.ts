import { accountToString } from '../identity/index.ts'
import type { IndexedAdapter } from './indexed-adapter.ts'
import type { AdapterState, AdapterView } from '../interface/index.ts'

/** What people see of an adapter: what the index knows for ever and what the ledger says now. */
export function adapterView (entry: IndexedAdapter, state: AdapterState): AdapterView {
  return {
    adapter: entry.adapter.toString(),
    name: entry.name,
    developer: accountToString(state.developer),
    base: entry.base,
    contributions: state.contributions.length,
    status: state.status,
    losses: entry.lossMicro.map(loss => loss / 1e6),
    influence: entry.influence,
    origin: originOf(state),
    ...(state.parents === undefined ? {} : { parents: state.parents.map(parent => ({ adapter: parent.adapter.toString(), weight: parent.weightMilli / 1000 })) }),
    deprecated: state.deprecated == null ? null : { reason: state.deprecated.reason, successor: state.deprecated.successor?.toString() ?? null, height: state.deprecated.height },
    pricePerThousandTokens: entry.pricePerThousandTokens.toString(),
    promptPricePerThousandTokens: entry.promptPricePerThousandTokens.toString(),
    earned: state.earned.toString()
  }
}

function originOf ({ parents, snapshot }: AdapterState): AdapterView['origin'] {
  if (parents !== undefined) {
    return 'merged'
  }

  return snapshot === null ? 'imported' : 'trained'
}
