import { utf8 } from './bytes.ts'
import { codec } from './codec.ts'
import { either, list, oneOf, record, refine, struct } from './composites.ts'
import {
  CHECKPOINTS_MAX, CHECKS_MAX, CONTRIBUTIONS_MAX, CONTRIBUTION_ROWS_MAX, DATANETS_MAX, DESCRIPTION_MAX, DETAIL_MAX,
  FIELDS_MAX, ROWS_MAX, SHARDS_MAX, SHARD_BYTES_MAX, STEPS_MAX, STOP_IDS_MAX
} from './constants.ts'
import { account, fileCid, licence, method, name, permille, recordCid, sortedCids, title, uint32, verdict } from './fields.ts'
import { amount, boolean, integer, literal, optional, text } from './primitives.ts'
import type { Codec } from './interface.ts'
import type { Adapter, Attestation, BaseModel, Contribution, DatanetManifest, Recipe, Shard, Snapshot } from '../interface/index.ts'

/** See protocols/datanet. */
export const datanetCodec: Codec<DatanetManifest> = codec('datanet', refine(struct({
  type: literal('datanet'),
  version: literal(1),
  name,
  title,
  description: text({ max: DESCRIPTION_MAX }),
  licence,
  fields: list(struct({ name, type: literal('string', 'integer'), required: boolean }), { min: 1, max: FIELDS_MAX }),
  textField: name,
  admission: struct({
    rowsMin: integer({ min: 1, max: CONTRIBUTION_ROWS_MAX }),
    rowsMax: integer({ min: 1, max: CONTRIBUTION_ROWS_MAX }),
    duplicatesPermilleMax: permille,
    piiPermilleMax: permille,
    qualityPermilleMin: permille
  }),
  curator: account
}), 'field names that differ, a textField that is one of the string fields, and rowsMin ≤ rowsMax', ({ fields, textField, admission }) => {
  return new Set(fields.map(field => field.name)).size === fields.length &&
    fields.some(field => field.name === textField && field.type === 'string') &&
    admission.rowsMin <= admission.rowsMax
}))

/** See protocols/shard. */
export const shardCodec: Codec<Shard> = codec('shard', struct({
  type: literal('shard'),
  version: literal(1),
  rows: list(record(name, either(
    text({ max: SHARD_BYTES_MAX }),
    integer({ min: Number.MIN_SAFE_INTEGER }),
    value => typeof value === 'string'
  ), { min: 1, max: FIELDS_MAX }), { min: 1, max: ROWS_MAX })
}), { bytesMax: SHARD_BYTES_MAX })

/** See protocols/contribution. Travels signed. */
export const contributionCodec: Codec<Contribution> = codec('contribution', struct({
  type: literal('contribution'),
  version: literal(1),
  datanet: recordCid,
  contributor: account,
  title,
  licence,
  rows: integer({ min: 1, max: CONTRIBUTION_ROWS_MAX }),
  bytes: integer({ min: 1, max: SHARDS_MAX * SHARD_BYTES_MAX }),
  shards: list(recordCid, { min: 1, max: SHARDS_MAX })
}))

/** See protocols/attestation. Travels signed. */
export const attestationCodec: Codec<Attestation> = codec('attestation', struct({
  type: literal('attestation'),
  version: literal(1),
  subject: recordCid,
  subjectKind: literal('contribution', 'adapter'),
  validator: account,
  verdict,
  checks: list(struct({
    name,
    passed: boolean,
    measure: integer({ min: Number.MIN_SAFE_INTEGER }),
    limit: integer({ min: Number.MIN_SAFE_INTEGER }),
    detail: text({ max: DETAIL_MAX })
  }), { max: CHECKS_MAX })
}))

/** See protocols/snapshot. */
export const snapshotCodec: Codec<Snapshot> = codec('snapshot', struct({
  type: literal('snapshot'),
  version: literal(1),
  datanets: sortedCids(DATANETS_MAX),
  contributions: sortedCids(CONTRIBUTIONS_MAX)
}))

const size = integer({ min: 1, max: 1_048_576 })
const tokenId = integer({ min: 0, max: 1_048_575 })

const milli = integer({ min: 1, max: 1_000_000_000 })
const ropeScaling = refine(struct({
  type: literal('linear', 'llama3', 'yarn'),
  factorMilli: milli,
  lowFrequencyFactorMilli: optional(milli),
  highFrequencyFactorMilli: optional(milli),
  originalContextLength: optional(size)
}), 'a factor of 1 or more; bands exactly for llama3 and yarn, the low factor below the high one', ({ type, factorMilli, lowFrequencyFactorMilli: low, highFrequencyFactorMilli: high, originalContextLength: length }) => {
  return factorMilli >= 1000 && (type !== 'linear' ? low != null && high != null && low < high && length != null : low == null && high == null && length == null)
})

/** See protocols/base-model. */
export const baseModelCodec: Codec<BaseModel> = codec('base', refine(struct({
  type: literal('base'),
  version: literal(1),
  name,
  licence,
  config: refine(struct({
    architecture: optional(literal('qwen2', 'gpt2')),
    dim: size,
    hiddenDim: size,
    layers: integer({ min: 1, max: 1024 }),
    heads: integer({ min: 1, max: 1024 }),
    kvHeads: integer({ min: 1, max: 1024 }),
    vocabularySize: size,
    contextLength: size,
    ropeTheta: integer({ min: 1, max: 1_000_000_000 }),
    rmsNormEpsNano: integer({ min: 1, max: 1_000_000_000 }),
    tied: boolean,
    headDim: optional(size),
    ropePairing: optional(literal('interleaved')),
    ropeScaling: optional(ropeScaling),
    activations: optional(literal('int16'))
  }), 'heads divisible by kvHeads, and dim by heads unless headDim says another size', ({ dim, heads, kvHeads, headDim }) => {
    return heads % kvHeads === 0 && (headDim == null ? dim % heads === 0 : headDim !== dim / heads)
  }),
  format: optional(literal('gguf', 'llama2c')),
  weights: fileCid,
  tokenizerKind: optional(literal('huggingface', 'sentencepiece')),
  tokenizer: fileCid,
  special: optional(struct({
    bos: tokenId,
    eos: tokenId,
    stop: list(tokenId, { max: STOP_IDS_MAX })
  })),
  chatTemplate: optional(fileCid)
}), 'special exactly if there is a tokenizerKind, with stop ids ascending', ({ tokenizerKind, special }) => {
  return (tokenizerKind == null) === (special == null) && (special?.stop.every((id, i, ids) => i === 0 || ids[i - 1] < id) ?? true)
}))

const nanoFraction = integer({ min: 0, max: 1_000_000_000 })

/** See protocols/recipe. */
export const recipeCodec: Codec<Recipe> = codec('recipe', struct({
  type: literal('recipe'),
  version: literal(1),
  base: recordCid,
  snapshot: recordCid,
  engine: name,
  rank: integer({ min: 1, max: 1024 }),
  alpha: integer({ min: 1, max: 65_536 }),
  targets: list(name, { min: 1, max: 16, ascending: utf8 }),
  steps: integer({ min: 1, max: STEPS_MAX }),
  batchSize: integer({ min: 1, max: 65_536 }),
  sequenceLength: integer({ min: 2, max: 1_048_576 }),
  learningRateNano: nanoFraction,
  warmupSteps: integer({ min: 0, max: STEPS_MAX }),
  beta1Nano: integer({ min: 0, max: 999_999_999 }),
  beta2Nano: integer({ min: 0, max: 999_999_999 }),
  epsilonNano: integer({ min: 1, max: 1_000_000_000 }),
  seed: uint32,
  checkpointEverySteps: integer({ min: 1, max: STEPS_MAX }),
  // defaults are written by absence alone, so that one meaning has one CID
  optimiser: optional(literal('sgd')),
  schedule: optional(literal('constant', 'linear')),
  clipNormMicro: optional(integer({ min: 1, max: 1_000_000_000_000 })),
  weightDecayNano: optional(integer({ min: 1, max: 1_000_000_000 })),
  examples: optional(literal('rows', 'chat')),
  duplicates: optional(literal('keep'))
}))

/** See protocols/adapter. Travels signed. */
export const adapterCodec: Codec<Adapter> = codec('adapter', struct({
  type: literal('adapter'),
  version: literal(1),
  name,
  developer: account,
  base: recordCid,
  snapshot: recordCid,
  recipe: recordCid,
  weights: fileCid,
  checkpoints: list(fileCid, { min: 1, max: CHECKPOINTS_MAX }),
  lossMicro: list(uint32, { min: 1, max: STEPS_MAX }),
  method,
  influence: oneOf('form', { forward: { columns: list(fileCid, { min: 1, max: CONTRIBUTIONS_MAX }) }, reverse: {} }),
  pricePerThousandTokens: amount,
  promptPricePerThousandTokens: optional(amount)
}))
