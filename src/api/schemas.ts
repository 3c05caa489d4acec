import { Type } from '@sinclair/typebox'
import { METHOD_MEANINGS } from '../attribution/index.ts'
import { ROWS_MAX } from '../retrieval/index.ts'
import type { AttributionMethod } from '../interface/index.ts'
import type { TInteger, TObject, TOptional, TProperties } from '@sinclair/typebox'

// What the routes take. Responses are typed by src/interface/api.ts and go out as they are.

export const cidText = Type.String({ minLength: 8, maxLength: 128, pattern: '^[A-Za-z0-9]+$' })
export const accountText = Type.String({ minLength: 40, maxLength: 64, pattern: '^z[1-9A-HJ-NP-Za-km-z]+$' })
export const hashText = Type.String({ minLength: 64, maxLength: 64, pattern: '^[0-9a-f]+$' })
export const amountText = Type.String({ maxLength: 40, pattern: '^[0-9]+$', description: 'base units: 1 OPEN is 10^18' })
export const accountName = Type.String({ maxLength: 48, pattern: '^[a-z0-9][a-z0-9-]*$' })
const stopText = Type.String({ minLength: 1, maxLength: 64 })
export const adapterText = Type.String({ minLength: 1, maxLength: 320, description: 'CID or name of an adapter, or several with weights that are published as a merge, as `a:0.7+b:0.3`' })

/** Which account of the keychain acts; the node's own if left out. */
const as = Type.Optional(accountName)

const strict = <T extends TProperties>(properties: T, description?: string): TObject<T> => Type.Object(properties, { additionalProperties: false, ...(description == null ? {} : { description }) })

export const transferBody = strict({ as, to: accountText, amount: amountText })
export const amountBody = strict({ as, amount: amountText })
export const accountBody = strict({ name: accountName })

export const datanetBody = strict({
  as,
  name: Type.String({ minLength: 1, maxLength: 64 }),
  title: Type.String({ minLength: 1, maxLength: 120 }),
  description: Type.String({ maxLength: 2_000 }),
  licence: Type.String({ minLength: 1, maxLength: 64 }),
  fields: Type.Array(strict({
    name: Type.String({ minLength: 1, maxLength: 64 }),
    type: Type.Union([Type.Literal('string'), Type.Literal('integer')]),
    required: Type.Boolean()
  }), { minItems: 1, maxItems: 32 }),
  textField: Type.String({ minLength: 1, maxLength: 64 }),
  admission: Type.Optional(Type.Partial(strict({
    rowsMin: Type.Integer({ minimum: 1 }),
    rowsMax: Type.Integer({ minimum: 1 }),
    duplicatesPermilleMax: Type.Integer({ minimum: 0, maximum: 1_000 }),
    piiPermilleMax: Type.Integer({ minimum: 0, maximum: 1_000 }),
    qualityPermilleMin: Type.Integer({ minimum: 0, maximum: 1_000 })
  })))
})

export const contributionQuery = strict({
  as,
  datanet: cidText,
  title: Type.String({ minLength: 1, maxLength: 120 }),
  format: Type.Union([Type.Literal('jsonl'), Type.Literal('csv'), Type.Literal('parquet'), Type.Literal('text')]),
  /** JSON object of values for fields that the file lacks */
  constants: Type.Optional(Type.String({ maxLength: 4_096 }))
})

const METHODS = Object.keys(METHOD_MEANINGS) as AttributionMethod[]

const nano = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })

/** The codec of the recipe has the last word; these bounds are its own. */
const recipeChanges = strict({
  targets: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 16 })),
  batchSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_536 })),
  sequenceLength: Type.Optional(Type.Integer({ minimum: 16, maximum: 1_048_576 })),
  learningRateNano: Type.Optional(nano),
  warmupSteps: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
  beta1Nano: Type.Optional(Type.Integer({ minimum: 0, maximum: 999_999_999 })),
  beta2Nano: Type.Optional(Type.Integer({ minimum: 0, maximum: 999_999_999 })),
  epsilonNano: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
  checkpointEverySteps: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  optimiser: Type.Optional(Type.Union([Type.Literal('adam'), Type.Literal('sgd')])),
  schedule: Type.Optional(Type.Union([Type.Literal('cosine'), Type.Literal('constant'), Type.Literal('linear')])),
  clipNormMicro: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 })),
  weightDecayNano: Type.Optional(nano),
  examples: Type.Optional(Type.Union([Type.Literal('windows'), Type.Literal('rows'), Type.Literal('chat')])),
  duplicates: Type.Optional(Type.Union([Type.Literal('keep'), Type.Literal('drop')]))
})

export const trainingBody = strict({
  as,
  name: Type.String({ minLength: 1, maxLength: 120 }),
  base: cidText,
  datanets: Type.Array(cidText, { minItems: 1, maxItems: 16 }),
  preset: Type.String({ minLength: 1, maxLength: 64 }),
  steps: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  rank: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295 })),
  method: Type.Optional(Type.Union(METHODS.map(name => Type.Literal(name)), { description: 'by which answers are attributed to contributions, and paid' })),
  recipe: Type.Optional(recipeChanges),
  pricePerThousandTokens: Type.Optional(amountText),
  promptPricePerThousandTokens: Type.Optional(amountText)
})

/** Rows of a Datanet that the prompt is to show. */
const retrieval = Type.Optional(strict({
  datanet: cidText,
  rows: Type.Integer({ minimum: 1, maximum: ROWS_MAX, description: 'at most; fewer where they do not fit' })
}, 'shows the best rows of a Datanet of the adapter\'s snapshot before the question'))

export const askBody = strict({
  as,
  adapter: adapterText,
  prompt: Type.String({ minLength: 1, maxLength: 8_192 }),
  maxTokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 4_096 })),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 10 })),
  topK: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_536 })),
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295 })),
  topP: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  frequencyPenalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  presencePenalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  stop: Type.Optional(Type.Array(stopText, { maxItems: 4 })),
  schema: Type.Optional(Type.String({ minLength: 2, maxLength: 8_192, description: 'JSON Schema that the answer keeps to' })),
  retrieval,
  logProbabilities: Type.Optional(Type.Integer({ minimum: 0, maximum: 20, description: 'tell how likely each token was, and so many of the likeliest in its place' }))
})

export const delegateBody = strict({ as, to: accountText })
export const proposeBody = strict({
  as,
  title: Type.String({ minLength: 1, maxLength: 120 }),
  /** the parameters that change; see `params` in /api/v1/status */
  params: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown())
})
export const voteBody = strict({ as, proposal: Type.Integer({ minimum: 0 }), support: Type.Union([Type.Literal('for'), Type.Literal('against'), Type.Literal('abstain')]) })
export const proposalBody = strict({ as, proposal: Type.Integer({ minimum: 0 }) })

/** An adapter in a path. */
export const adapterParams = strict({ id: adapterText })
/** POST /api/v1/adapters/import; the files are the body, see peft-upload */
export const importQuery = strict({ base: cidText })
export const publishBody = strict({
  as,
  weights: cidText,
  name: Type.String({ minLength: 1, maxLength: 64 }),
  licence: Type.String({ minLength: 1, maxLength: 120, description: 'SPDX expression' }),
  source: Type.Optional(Type.String({ minLength: 1, maxLength: 120, description: 'where the weights come from' })),
  metrics: Type.Optional(Type.Array(strict({
    name: Type.String({ minLength: 1, maxLength: 64 }),
    value: Type.Number({ minimum: -1_000_000_000, maximum: 1_000_000_000 })
  }), { maxItems: 16, description: 'figures that you claim; they are shown as claims' })),
  pricePerThousandTokens: Type.Optional(amountText),
  promptPricePerThousandTokens: Type.Optional(amountText)
})
/** POST /api/v1/adapters/merge */
export const mergeBody = strict({
  as,
  parents: Type.Array(strict({
    adapter: Type.String({ minLength: 1, maxLength: 160, description: 'CID, or name for the newest version' }),
    weight: Type.Number({ minimum: -10, maximum: 10, description: 'in thousandths; 1 is the adapter as it was trained' })
  }), { minItems: 2, maxItems: 4 }),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'default: the parents\' names and weights' }))
})
/** POST /api/v1/contributions/:id/withdraw */
export const withdrawBody = strict({ as })
export const deprecateBody = strict({ as, reason: Type.String({ minLength: 1, maxLength: 120 }), successor: Type.Optional(adapterText) })
export const pullBody = strict({ all: Type.Optional(Type.Boolean({ description: 'checkpoints and influence columns too' })) })
const someText = Type.Optional(Type.String({ minLength: 1, maxLength: 160 }))
export const registryQuery = strict({
  text: Type.Optional(Type.String({ minLength: 1, maxLength: 120, description: 'words that begin like those of name or source, or nearly so; the best fit comes first' })),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'part of the name, in any case of letters' })),
  base: someText,
  datanet: someText,
  licence: someText,
  developer: Type.Optional(accountText),
  status: Type.Optional(Type.Union([Type.Literal('pending'), Type.Literal('admitted'), Type.Literal('rejected')])),
  origin: Type.Optional(Type.Union([Type.Literal('trained'), Type.Literal('imported'), Type.Literal('merged')])),
  newest: Type.Optional(Type.Boolean({ description: 'only the newest version of each' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 }))
})

export const whyQuery = strict({ contribution: cidText, task: Type.Optional(hashText) })
export const datanetQuery = strict({ datanet: Type.Optional(cidText) })
export const idParams = strict({ id: Type.String({ minLength: 1, maxLength: 128 }) })
export const blocksQuery = strict({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) })

const seed = Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'the same seed gives the same answer; drawn if left out and the temperature is not 0' })
const tokensMax = Type.Integer({ minimum: 1, maximum: 4_096 })
const penalty = Type.Number({ minimum: -2, maximum: 2 })

/** What both forms of OpenAI's API take. Other fields pass where they do not change an answer, and are refused where they do. */
const common = {
  model: adapterText,
  max_tokens: Type.Optional(tokensMax),
  temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 10, default: 0 })),
  top_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  top_k: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_536 })),
  frequency_penalty: Type.Optional(penalty),
  presence_penalty: Type.Optional(penalty),
  seed: Type.Optional(seed),
  stop: Type.Optional(Type.Union([stopText, Type.Array(stopText, { maxItems: 4 })])),
  response_format: Type.Optional(Type.Union([
    Type.Object({ type: Type.Literal('text') }),
    Type.Object({ type: Type.Literal('json_object') }),
    Type.Object({
      type: Type.Literal('json_schema'),
      json_schema: Type.Object({ name: Type.Optional(Type.String({ maxLength: 64 })), schema: Type.Optional(Type.Object({}, { additionalProperties: true })), strict: Type.Optional(Type.Boolean()) })
    })
  ])),
  retrieval,
  stream: Type.Optional(Type.Boolean()),
  stream_options: Type.Optional(Type.Object({ include_usage: Type.Optional(Type.Boolean()) }))
}

const likeliest = (maximum: number): TOptional<TInteger> => Type.Optional(Type.Integer({ minimum: 0, maximum, description: 'how many of the likeliest tokens to tell in each place' }))

export const completionBody = Type.Object({
  ...common,
  prompt: Type.String({ minLength: 1, maxLength: 8_192 }),
  max_completion_tokens: Type.Optional(tokensMax),
  logprobs: likeliest(5)
})

const content = Type.Union([
  Type.String({ maxLength: 8_192 }),
  Type.Array(Type.Object({ type: Type.Literal('text'), text: Type.String({ maxLength: 8_192 }) }), { minItems: 1, maxItems: 64 })
])

export const chatBody = Type.Object({
  ...common,
  max_completion_tokens: Type.Optional(tokensMax),
  logprobs: Type.Optional(Type.Boolean({ description: 'tell how likely the model found each token; streamed, with the last piece' })),
  top_logprobs: likeliest(20),
  messages: Type.Array(Type.Object({ role: Type.String({ maxLength: 32 }), content }), { minItems: 1, maxItems: 64 })
})

export const keyBody = strict({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  scopes: Type.Array(Type.Union([Type.Literal('read'), Type.Literal('infer'), Type.Literal('admin')]), { minItems: 1, maxItems: 3, uniqueItems: true }),
  requestsPerMinute: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  spendPerDay: Type.Optional(amountText),
  account: Type.Optional(accountName)
})
