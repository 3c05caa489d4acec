import { utf8 } from './bytes.ts'
import { codec } from './codec.ts'
import { either, list, struct } from './composites.ts'
import { METRICS_MAX } from './constants.ts'
import { account, fileCid, licence, mergeParents, name, recordCid, title } from './fields.ts'
import { amount, integer, literal, optional } from './primitives.ts'
import { adapterCodec } from './records-data.ts'
import type { Codec } from './interface.ts'
import type { ImportedAdapter, MergedAdapter, PublishedAdapter } from '../interface/index.ts'

/** See protocols/imported-adapter. Travels signed. */
export const importedAdapterCodec: Codec<ImportedAdapter> = codec('imported adapter', struct({
  type: literal('imported-adapter'),
  version: literal(1),
  name,
  developer: account,
  base: recordCid,
  licence,
  source: optional(title),
  rank: integer({ min: 1, max: 1024 }),
  alpha: integer({ min: 1, max: 65_536 }),
  targets: list(name, { min: 1, max: 16, ascending: utf8 }),
  weights: fileCid,
  metrics: list(struct({ name, valueMicro: integer({ min: Number.MIN_SAFE_INTEGER }) }), { max: METRICS_MAX, ascending: metric => utf8(metric.name) }),
  pricePerThousandTokens: amount,
  promptPricePerThousandTokens: optional(amount)
}))

/** See protocols/merged-adapter. Travels signed. */
export const mergedAdapterCodec: Codec<MergedAdapter> = codec('merged adapter', struct({
  type: literal('merged-adapter'),
  version: literal(1),
  name,
  developer: account,
  base: recordCid,
  parents: mergeParents,
  pricePerThousandTokens: amount,
  promptPricePerThousandTokens: optional(amount)
}))

/** Any record that an adapter's CID can name. All are signed under the domain `adapter`: their `type` keeps them apart. */
export const publishedAdapterCodec: Codec<PublishedAdapter> = codec('adapter', either(
  adapterCodec.schema, either(importedAdapterCodec.schema, mergedAdapterCodec.schema, value => isOf(value, 'imported-adapter')), value => isOf(value, 'adapter')
))

function isOf (value: unknown, type: PublishedAdapter['type']): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === type
}
