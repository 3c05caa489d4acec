import { verifyRecord } from '../identity/index.ts'
import { mergedPrice } from '../scoring/index.ts'
import { domains, equalBytes, mergedAdapterCodec, publishedAdapterCodec, signedCodec } from '../wire/index.ts'
import { ledgerCheck, plainCheck } from './checks.ts'
import type { AbortOptions, AdapterState, CheckResult, MergeParent } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

const signedMerged = signedCodec(mergedAdapterCodec)
const signedPublished = signedCodec(publishedAdapterCodec)

/**
 * All that is to be checked of a merged adapter, whose parents the ledger has looked at: that the
 * record says the same, and that it costs what the parents make it cost. No weights are read. What is
 * wrong with its content is a failed check; records that cannot be had throw.
 */
export async function checkMerged (storage: Pick<Storage, 'get'>, subject: CID, state: AdapterState, options: AbortOptions): Promise<CheckResult[]> {
  const signed = signedMerged.decode(await storage.get(subject, { ...options, bytesMax: signedMerged.bytesMax }))

  verifyRecord(domains.adapter, mergedAdapterCodec, signed, state.developer)

  const record = signed.payload
  const wrong = [
    equalBytes(record.developer, state.developer) ? '' : 'developer',
    record.base.equals(state.base) ? '' : 'base',
    sameParents(record.parents, state.parents ?? []) ? '' : 'parents'
  ].filter(field => field !== '')

  // what the ledger did not order names adapters that perhaps nobody has: they are not asked for
  if (wrong.length > 0) {
    return [ledgerCheck(wrong)]
  }

  const parents = await Promise.all(record.parents.map(async ({ adapter }) => signedPublished.decode(await storage.get(adapter, { ...options, bytesMax: signedPublished.bytesMax })).payload))
  const price = mergedPrice(parents)
  const priced = record.pricePerThousandTokens === price.pricePerThousandTokens && record.promptPricePerThousandTokens === price.promptPricePerThousandTokens

  return [
    ledgerCheck(wrong),
    plainCheck('price', priced, priced ? 'it costs what its dearest parent costs' : `its parents make ${price.pricePerThousandTokens} base units for 1,000 tokens of an answer, ${price.promptPricePerThousandTokens ?? 'as much'} of a prompt`)
  ]
}

function sameParents (a: readonly MergeParent[], b: readonly MergeParent[]): boolean {
  return a.length === b.length && a.every(({ adapter, weightMilli }, i) => adapter.equals(b[i].adapter) && weightMilli === b[i].weightMilli)
}
