import { readContribution } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { toHex } from '../wire/index.ts'
import type { AdapterState, PublishedAdapter } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

/** What never changes of an adapter, kept in memory; its record's lists of files are not. */
export interface IndexedAdapter {
  adapter: CID
  height: number
  name: string
  /** CIDs as text */
  base: string
  datanets: string[]
  /** name and developer: nobody continues the versions of somebody else's name */
  key: string
  influence: 'forward' | 'reverse' | 'none'
  lossMicro: number[]
  pricePerThousandTokens: bigint
  promptPricePerThousandTokens: bigint
  /** CID as text of the file that it is; null for a merge, which has none of its own */
  weights: string | null
  /** of imported weights, which have one of their own: an imported adapter's, or those of a merge's parents */
  licences: string[]
}

/** Of imported weights, which have one of their own: an adapter's, or those of a merge's parents. */
export async function licencesOf (storage: Pick<Storage, 'get'>, record: PublishedAdapter, signal: AbortSignal): Promise<string[]> {
  const records = record.type === 'merged-adapter' ? await Promise.all(record.parents.map(async ({ adapter }) => readAdapterRecord(storage, adapter, { signal }))) : [record]

  return records.flatMap(one => one.type === 'imported-adapter' ? [one.licence] : [])
}

export function entryOf (chain: Pick<SettlementBackend, 'state'>, adapter: CID, state: AdapterState, record: PublishedAdapter, licences: string[]): IndexedAdapter {
  const ledger = chain.state()

  return {
    adapter,
    height: state.height,
    name: record.name,
    base: record.base.toString(),
    weights: record.type === 'merged-adapter' ? null : record.weights.toString(),
    datanets: [...new Set(state.contributions.flatMap(contribution => readContribution(ledger, contribution)?.datanet.toString() ?? []))],
    key: `${toHex(state.developer)} ${record.name}`,
    influence: record.type === 'adapter' ? record.influence.form : 'none',
    lossMicro: record.type === 'adapter' ? record.lossMicro : [],
    pricePerThousandTokens: record.pricePerThousandTokens,
    promptPricePerThousandTokens: record.promptPricePerThousandTokens ?? record.pricePerThousandTokens,
    licences
  }
}
