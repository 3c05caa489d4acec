/**
 * Valid values of the records about data and inference, and edits that spoil them.
 */
import { signPayload } from '../../src/identity/index.ts'
import * as wire from '../../src/wire/index.ts'
import { CHAIN, cidFor, contributor, developer, gateway, hashFor, LEADING_ZERO, payer, plainRecord, put, rawFor, signedRecord, signerOf, sorted, stranger, TOO_BIG, validator } from './fixtures.ts'
import type { Fixture } from './fixtures.ts'
import type { Signer } from '../../src/identity/index.ts'
import type * as records from '../../src/interface/index.ts'

const datanet: records.DatanetManifest = {
  type: 'datanet',
  version: 1,
  name: 'state-of-the-union',
  title: 'State of the Union',
  description: 'Speeches of presidents.\nOne paragraph is one row.',
  licence: 'CC0-1.0',
  fields: [{ name: 'text', type: 'string', required: true }, { name: 'year', type: 'integer', required: false }],
  textField: 'text',
  admission: { rowsMin: 1, rowsMax: 10_000, duplicatesPermilleMax: 100, piiPermilleMax: 10, qualityPermilleMin: 500 },
  curator: signerOf('curator').account
}

const contribution: records.Contribution = {
  type: 'contribution',
  version: 1,
  datanet: cidFor('datanet'),
  contributor: contributor.account,
  title: 'Abraham Lincoln, 1861–1864',
  licence: 'CC0-1.0',
  rows: 210,
  bytes: 151_000,
  shards: [cidFor('shard 0'), cidFor('shard 1')]
}

const attestation: records.Attestation = {
  type: 'attestation',
  version: 1,
  subject: cidFor('contribution'),
  subjectKind: 'contribution',
  validator: validator.account,
  verdict: 'admit',
  checks: [
    { name: 'schema', passed: true, measure: 0, limit: 0, detail: '' },
    { name: 'duplicates', passed: true, measure: 12, limit: 100, detail: '12 ‰ of the rows are near duplicates' }
  ]
}

const baseModel: records.BaseModel = {
  type: 'base',
  version: 1,
  name: 'datanet-base-2m',
  licence: 'Apache-2.0',
  config: { dim: 128, hiddenDim: 344, layers: 4, heads: 8, kvHeads: 4, vocabularySize: 2048, contextLength: 256, ropeTheta: 10_000, rmsNormEpsNano: 10_000, tied: true },
  weights: rawFor('weights'),
  tokenizer: rawFor('tokenizer')
}

const recipe: records.Recipe = {
  type: 'recipe',
  version: 1,
  base: cidFor('base'),
  snapshot: cidFor('snapshot'),
  engine: 'datanet-engine/1',
  rank: 4,
  alpha: 8,
  targets: ['q_proj', 'v_proj'],
  steps: 16,
  batchSize: 40,
  sequenceLength: 64,
  learningRateNano: 5_000_000,
  warmupSteps: 2,
  beta1Nano: 900_000_000,
  beta2Nano: 999_000_000,
  epsilonNano: 1000,
  seed: 7,
  checkpointEverySteps: 8
}

const adapter: records.Adapter = {
  type: 'adapter',
  version: 1,
  name: 'speeches',
  developer: developer.account,
  base: cidFor('base'),
  snapshot: cidFor('snapshot'),
  recipe: cidFor('recipe'),
  weights: rawFor('adapter weights'),
  checkpoints: [rawFor('checkpoint 8'), cidFor('checkpoint 16', wire.DAG_PB)],
  lossMicro: [7_620_000, 7_100_001],
  method: 'trajectory',
  influence: { form: 'forward', columns: [rawFor('column 0'), rawFor('column 1')] },
  pricePerThousandTokens: 10n ** 15n
}

const imported: records.ImportedAdapter = {
  type: 'imported-adapter',
  version: 1,
  name: 'speeches',
  developer: developer.account,
  base: cidFor('base'),
  licence: 'CC0-1.0',
  rank: 4,
  alpha: 8,
  targets: ['q_proj', 'v_proj'],
  weights: rawFor('adapter weights'),
  metrics: [],
  pricePerThousandTokens: 10n ** 15n
}

const merged: records.MergedAdapter = {
  type: 'merged-adapter',
  version: 1,
  name: 'speeches and mails',
  developer: developer.account,
  base: cidFor('base'),
  parents: sorted(cidFor('adapter'), cidFor('other adapter')).map((adapter, i) => ({ adapter, weightMilli: [700, -300][i] })),
  pricePerThousandTokens: 10n ** 15n
}

const conditions: records.AnswerConditions = {
  schema: '{"type":"object"}',
  sources: { datanet: cidFor('datanet'), query: 'the state of the union', rows: [{ contribution: cidFor('contribution'), row: 7 }, { contribution: cidFor('contribution'), row: 0 }] }
}

const receipt: records.Receipt = {
  type: 'receipt',
  version: 1,
  chain: CHAIN,
  adapter: cidFor('adapter'),
  gateway: gateway.account,
  payer: payer.account,
  channel: hashFor('channel'),
  sequence: 3,
  promptHash: hashFor('prompt'),
  outputHash: hashFor('output'),
  promptTokens: 3,
  outputTokens: 4,
  sampler: { temperatureMilli: 800, topK: 40, seed: 99 },
  fee: 7n * 10n ** 12n,
  cumulative: 28n * 10n ** 12n
}

function cosigned (one: records.Receipt, byGateway: Signer = gateway, byPayer: Signer = payer): records.CosignedReceipt {
  return {
    payload: one,
    gatewaySignature: signPayload(wire.domains.receipt, wire.receiptCodec, one, byGateway),
    payerSignature: signPayload(wire.domains.receipt, wire.receiptCodec, one, byPayer)
  }
}

const scores: records.ScoreTable = {
  type: 'scores',
  version: 1,
  adapter: cidFor('adapter'),
  method: 'trajectory',
  engine: 'datanet-engine/1',
  entries: sorted(cidFor('contribution 0'), cidFor('contribution 1')).map((one, i) => ({ contribution: one, score: BigInt(i) << 40n }))
}

/** Fixtures of the records about data and inference. */
export function dataFixtures (): Fixture[] {
  const snapshot: records.Snapshot = { type: 'snapshot', version: 1, datanets: [cidFor('datanet')], contributions: sorted(cidFor('contribution 0'), cidFor('contribution 1')) }
  const cosignedBytes = wire.cosignedReceiptCodec.encode(cosigned(receipt))

  return [
    plainRecord('datanet', 'datanetCodec', wire.datanetCodec, { speeches: datanet }, [
      { name: 'no fields', edit: put('fields', []) },
      { name: 'a title of two lines', edit: put('title', 'two\nlines'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a share of more than the whole', edit: put('admission.piiPermilleMax', 1001) },
      { name: 'a text field that does not exist', edit: put('textField', 'body'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'rowsMin above rowsMax', edit: put('admission.rowsMin', 10_001), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a curator of 31 bytes', edit: put('curator', new Uint8Array(31)) }
    ]),
    plainRecord('shard', 'shardCodec', wire.shardCodec, {
      'two rows': { type: 'shard', version: 1, rows: [{ text: 'Four score and seven years ago', year: 1863 }, { text: '', year: -1 }] }
    }, [
      { name: 'no rows', edit: put('rows', []) },
      { name: 'a row without fields', edit: put('rows.0', {}) },
      { name: 'a row that is a list', edit: put('rows.0', ['text']), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a boolean cell', edit: put('rows.0.year', true), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a float cell', edit: put('rows.0.year', 1.5), code: 'ERR_MALFORMED_RECORD' }
    ]),
    signedRecord('contribution', 'contributionCodec', wire.contributionCodec, wire.domains.contribution, { lincoln: contribution }, contributor, [
      { name: 'no rows', edit: put('rows', 0) },
      { name: 'no shards', edit: put('shards', []) },
      { name: 'a title of 121 characters', edit: put('title', 'x'.repeat(121)) },
      { name: 'more rows than a contribution may have', edit: put('rows', wire.CONTRIBUTION_ROWS_MAX + 1) },
      { name: 'a shard that is no dag-cbor', edit: put('shards.0', rawFor('shard')), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a negative number of bytes', edit: put('bytes', -1) }
    ]),
    signedRecord('attestation', 'attestationCodec', wire.attestationCodec, wire.domains.attestation, {
      admit: attestation,
      'reject an adapter': { ...attestation, subjectKind: 'adapter', verdict: 'reject', checks: [{ name: 'segment', passed: false, measure: 1, limit: 0, detail: 'step 8 differs' }] }
    }, validator, [
      { name: 'an unknown verdict', edit: put('verdict', 'perhaps'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'too many checks', edit: put('checks', new Array(65).fill(attestation.checks[0])) },
      { name: 'a detail of 501 characters', edit: put('checks.0.detail', 'x'.repeat(501)) }
    ]),
    plainRecord('snapshot', 'snapshotCodec', wire.snapshotCodec, { 'two contributions': snapshot }, [
      { name: 'contributions out of order', edit: put('contributions', snapshot.contributions.toReversed()), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a contribution twice', edit: put('contributions', [snapshot.contributions[0], snapshot.contributions[0]]), code: 'ERR_MALFORMED_RECORD' },
      { name: 'too many Datanets', edit: put('datanets', Array.from({ length: 65 }, (_, i) => cidFor(`${i}`))) }
    ]),
    plainRecord('base-model', 'baseModelCodec', wire.baseModelCodec, {
      'two million parameters': baseModel,
      'a model of others': {
        ...baseModel,
        name: 'qwen2-tiny',
        config: { ...baseModel.config, architecture: 'qwen2', ropeTheta: 1_000_000, headDim: 32, ropePairing: 'interleaved', ropeScaling: { type: 'llama3', factorMilli: 8000, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli: 4000, originalContextLength: 8192 }, activations: 'int16' },
        format: 'gguf',
        tokenizerKind: 'huggingface',
        special: { bos: 0, eos: 2, stop: [3, 7] },
        chatTemplate: baseModel.tokenizer
      },
      'rotary embeddings stretched by YaRN': {
        ...baseModel,
        config: { ...baseModel.config, ropeScaling: { type: 'yarn', factorMilli: 4000, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli: 32_000, originalContextLength: 256 } }
      }
    }, [
      { name: 'a head size that is that of dim and heads', edit: put('config.headDim', 16), code: 'ERR_MALFORMED_RECORD' },
      { name: 'the default architecture spelled out', edit: put('config.architecture', 'llama'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a linear scaling of rotary embeddings with bands', edit: put('config.ropeScaling', { type: 'linear', factorMilli: 2000, originalContextLength: 64 }), code: 'ERR_MALFORMED_RECORD' },
      { name: 'YaRN without bands', edit: put('config.ropeScaling', { type: 'yarn', factorMilli: 2000 }), code: 'ERR_MALFORMED_RECORD' },
      { name: 'activations that nobody computes', edit: put('config.activations', 'int8'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a tokenizer of others without special tokens', edit: put('tokenizerKind', 'huggingface'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'special tokens of our own tokenizer', edit: put('special', { bos: 0, eos: 1, stop: [] }), code: 'ERR_MALFORMED_RECORD' },
      { name: 'heads that do not divide dim', edit: put('config.heads', 7), code: 'ERR_MALFORMED_RECORD' },
      { name: 'no layers', edit: put('config.layers', 0) },
      { name: 'weights that are a record', edit: put('weights', cidFor('weights')), code: 'ERR_MALFORMED_RECORD' }
    ]),
    plainRecord('recipe', 'recipeCodec', wire.recipeCodec, {
      'sixteen steps': recipe,
      'all options': { ...recipe, optimiser: 'sgd', schedule: 'constant', clipNormMicro: 1_000_000, weightDecayNano: 10_000_000, examples: 'chat' },
      'near duplicates kept': { ...recipe, duplicates: 'keep' }
    }, [
      { name: 'no steps', edit: put('steps', 0) },
      { name: 'more steps than an adapter can list', edit: put('steps', wire.STEPS_MAX + 1) },
      { name: 'targets out of order', edit: put('targets', ['v_proj', 'q_proj']), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a beta of one', edit: put('beta2Nano', 1_000_000_000) },
      { name: 'a seed of 33 bits', edit: put('seed', 2 ** 32) },
      { name: 'a default that is spelled out', edit: put('optimiser', 'adam'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'clipping to nothing', edit: put('clipNormMicro', 0) },
      { name: 'an unknown schedule', edit: put('schedule', 'step'), code: 'ERR_MALFORMED_RECORD' }
    ]),
    signedRecord('adapter', 'adapterCodec', wire.adapterCodec, wire.domains.adapter, {
      forward: adapter,
      reverse: { ...adapter, influence: { form: 'reverse' } },
      'prompts at a price of their own': { ...adapter, promptPricePerThousandTokens: 1n }
    }, developer, [
      { name: 'no checkpoints', edit: put('checkpoints', []) },
      { name: 'columns of the reverse form', edit: put('influence.form', 'reverse'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'an unknown method', edit: put('method', 'random'), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a price of 17 bytes', edit: put('pricePerThousandTokens', TOO_BIG) },
      { name: 'a price with a leading zero', edit: put('pricePerThousandTokens', LEADING_ZERO), code: 'ERR_MALFORMED_RECORD' }
    ]),
    signedRecord('imported-adapter', 'importedAdapterCodec', wire.importedAdapterCodec, wire.domains.adapter, {
      'weights alone': imported,
      'with source and claims': { ...imported, source: 'https://example.org/adapters/speeches', metrics: [{ name: 'bleu', valueMicro: -1 }, { name: 'loss', valueMicro: 2_310_000 }] }
    }, developer, [
      { name: 'a rank of nothing', edit: put('rank', 0) },
      { name: 'targets out of order', edit: put('targets', ['v_proj', 'q_proj']), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a metric twice', edit: put('metrics', [{ name: 'loss', valueMicro: 1 }, { name: 'loss', valueMicro: 2 }]), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a recipe, which it cannot have', edit: put('recipe', cidFor('recipe')), code: 'ERR_MALFORMED_RECORD' },
      { name: 'weights that are a record', edit: put('weights', cidFor('weights')), code: 'ERR_MALFORMED_RECORD' }
    ]),
    signedRecord('merged-adapter', 'mergedAdapterCodec', wire.mergedAdapterCodec, wire.domains.adapter, {
      'two parents': merged,
      'another price for prompts': { ...merged, promptPricePerThousandTokens: 2n * 10n ** 15n }
    }, developer, [
      { name: 'one parent', edit: put('parents', merged.parents.slice(0, 1)) },
      { name: 'a parent twice', edit: put('parents', [merged.parents[0], merged.parents[0]]), code: 'ERR_MALFORMED_RECORD' },
      { name: 'parents out of order', edit: put('parents', merged.parents.toReversed()), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a weight of nothing', edit: put('parents.0.weightMilli', 0), code: 'ERR_MALFORMED_RECORD' },
      { name: 'a weight of more than ten', edit: put('parents.0.weightMilli', 10_001) },
      { name: 'weights of its own', edit: put('weights', rawFor('adapter weights')), code: 'ERR_MALFORMED_RECORD' }
    ]),
    {
      folder: 'receipt',
      codecName: 'cosignedReceiptCodec',
      domain: wire.domains.receipt,
      bytesMax: wire.cosignedReceiptCodec.bytesMax,
      valid: [
        { name: 'cosigned', bytes: cosignedBytes },
        {
          name: 'every setting of the sampler',
          bytes: wire.cosignedReceiptCodec.encode(cosigned({
            ...receipt,
            sampler: { ...receipt.sampler, topPMilli: 950, repetitionMilli: 1_100, frequencyMilli: -300, presenceMilli: 500, tokensMin: 4 }
          }))
        }
      ],
      badlySigned: [
        { name: 'the gateway did not sign', bytes: wire.cosignedReceiptCodec.encode(cosigned(receipt, stranger)), code: 'ERR_SIGNATURE' },
        { name: 'the payer did not sign', bytes: wire.cosignedReceiptCodec.encode(cosigned(receipt, gateway, stranger)), code: 'ERR_SIGNATURE' }
      ],
      edits: [
        { name: 'too many tokens', edit: put('payload.outputTokens', wire.TOKENS_MAX + 1) },
        { name: 'a fee with a leading zero', edit: put('payload.fee', LEADING_ZERO), code: 'ERR_MALFORMED_RECORD' },
        { name: 'a temperature below zero', edit: put('payload.sampler.temperatureMilli', -1) },
        { name: 'a share of no tokens', edit: put('payload.sampler.topPMilli', 0) },
        { name: 'a hash of 31 bytes', edit: put('payload.promptHash', new Uint8Array(31)) }
      ]
    },
    plainRecord('receipt-opening', 'receiptOpeningCodec', wire.receiptOpeningCodec, {
      'seven tokens': { receipt: cosigned(receipt), salt: hashFor('salt'), prompt: [1, 2, 3], output: [4, 5, 6, 7] },
      'an answer under conditions': {
        receipt: cosigned({ ...receipt, conditionsHash: wire.hash(wire.domains.conditions, hashFor('salt'), wire.answerConditionsCodec.encode(conditions)) }),
        salt: hashFor('salt'),
        prompt: [1, 2, 3],
        output: [4, 5, 6, 7],
        conditions
      }
    }, [
      { name: 'conditions that are none', edit: put('conditions', {}), code: 'ERR_MALFORMED_RECORD' },
      { name: 'sources without a row', edit: put('conditions', { sources: { datanet: cidFor('datanet'), query: 'a', rows: [] } }) },
      { name: 'too many sources', edit: put('conditions', { sources: { datanet: cidFor('datanet'), query: 'a', rows: new Array(wire.SOURCES_MAX + 1).fill({ contribution: cidFor('contribution'), row: 0 }) } }) },
      { name: 'too many tokens', edit: put('prompt', new Array(wire.TOKENS_MAX + 1).fill(1)) },
      { name: 'a negative token', edit: put('output.0', -1) },
      { name: 'a salt of 16 bytes', edit: put('salt', new Uint8Array(16)) }
    ]),
    plainRecord('voucher', 'voucherCodec', wire.voucherCodec, {
      'a promise': { type: 'voucher', version: 1, chain: CHAIN, channel: hashFor('channel'), cumulative: 28n * 10n ** 12n },
      nothing: { type: 'voucher', version: 1, chain: CHAIN, channel: hashFor('channel'), cumulative: 0n },
      'the largest amount': { type: 'voucher', version: 1, chain: CHAIN, channel: hashFor('channel'), cumulative: 2n ** 128n - 1n }
    }, [
      { name: 'an amount of 17 bytes', edit: put('cumulative', TOO_BIG) },
      { name: 'an amount with a leading zero', edit: put('cumulative', LEADING_ZERO), code: 'ERR_MALFORMED_RECORD' },
      { name: 'an amount that is an integer', edit: put('cumulative', 28), code: 'ERR_MALFORMED_RECORD' }
    ]),
    plainRecord('score-table', 'scoreTableCodec', wire.scoreTableCodec, { 'two contributions': scores, 'an imported adapter, which has nothing to score': { ...scores, method: 'none', entries: [] }, 'a merged adapter': { ...scores, method: 'merged' } }, [
      { name: 'entries out of order', edit: plain => { plain.entries = (plain.entries as unknown[]).toReversed() }, code: 'ERR_MALFORMED_RECORD' },
      { name: 'a score of 7 bytes', edit: put('entries.0.score', new Uint8Array(7)), code: 'ERR_MALFORMED_RECORD' }
    ])
  ]
}
