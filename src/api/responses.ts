import { Type } from '@sinclair/typebox'
import { accountText, amountText, cidText, hashText } from './schemas.ts'
import type { TSchema } from '@sinclair/typebox'

// What the routes answer. The document is made of these, and a test holds the server to them.

const text = Type.String()
const count = Type.Integer({ minimum: 0 })
const real = Type.Number()
const flag = Type.Boolean()
const list = <T extends TSchema>(item: T): TSchema => Type.Array(item)
const orNull = <T extends TSchema>(schema: T): TSchema => Type.Union([schema, Type.Null()])
const oneOf = (...names: string[]): TSchema => Type.Union(names.map(name => Type.Literal(name)))
const may = <T extends TSchema>(schema: T): TSchema => Type.Optional(schema)
const object = Type.Object
const anything = Type.Record(text, Type.Unknown())

const status = object({
  chain: text,
  name: text,
  account: accountText,
  peerId: text,
  addresses: may(list(text)),
  roles: list(text),
  peers: list(object({ peerId: text, address: text, name: may(text) })),
  height: count,
  epoch: count,
  finalisedView: count,
  stateRoot: hashText,
  balance: amountText,
  gopen: amountText,
  validators: list(object({ account: accountText, stake: amountText })),
  params: anything,
  gatewayUrl: may(text),
  refused: list(anything)
})

const account = object({
  name: may(text), account: accountText, balance: amountText, nonce: count, staked: amountText, gopen: amountText, votes: amountText, delegate: orNull(accountText)
})

const datanet = object({
  datanet: cidText, name: text, title: text, description: text, licence: text, curator: accountText, contributions: count, admitted: count
})

const admission = oneOf('pending', 'admitted', 'rejected')

const contribution = object({
  contribution: cidText,
  datanet: cidText,
  contributor: accountText,
  title: text,
  rows: count,
  bytes: count,
  status: admission,
  attestations: list(object({ validator: accountText, verdict: oneOf('admit', 'reject') })),
  earned: amountText,
  withdrawn: may(object({ epoch: count, height: count }))
})

const base = object({ base: cidText, name: text, licence: text, parameters: count, contextLength: count })

const preset = object({
  preset: text, title: text, description: text, rank: count, steps: count, batchSize: count, sequenceLength: count, targets: list(text), learningRate: real
})

const training = object({
  id: text,
  name: text,
  state: oneOf('queued', 'training', 'influence', 'publishing', 'attesting', 'done', 'failed', 'cancelled'),
  step: count,
  steps: count,
  losses: list(real),
  progress: real,
  secondsLeft: may(real),
  tokensPerSecond: may(real),
  adapter: may(cidText),
  error: may(object({ code: text, message: text }))
})

const adapterFields = {
  adapter: cidText,
  name: text,
  developer: accountText,
  base: cidText,
  contributions: count,
  status: admission,
  losses: list(real),
  influence: oneOf('forward', 'reverse', 'none'),
  origin: oneOf('trained', 'imported', 'merged'),
  parents: may(list(object({ adapter: cidText, weight: real }))),
  deprecated: orNull(object({ reason: text, successor: orNull(cidText), height: count })),
  pricePerThousandTokens: amountText,
  promptPricePerThousandTokens: amountText,
  earned: amountText
}

const adapter = object(adapterFields)
const version = orNull(Type.Integer({ minimum: 1 }))

const entryFields = {
  ...adapterFields,
  version,
  newest: flag,
  baseName: text,
  snapshot: orNull(cidText),
  datanets: list(object({ datanet: cidText, name: text, licence: text })),
  licences: list(text),
  height: count
}

const adapterDetail = object({
  ...entryFields,
  recipe: orNull(object({ recipe: cidText, engine: text, rank: count, alpha: count, targets: list(text), steps: count, batchSize: count, sequenceLength: count, seed: count })),
  lora: orNull(object({ rank: count, alpha: count, targets: list(text) })),
  source: orNull(text),
  claims: list(object({ name: text, value: real })),
  method: text,
  weights: orNull(cidText),
  held: flag,
  trainedOn: list(cidText),
  columns: list(object({ contribution: cidText, file: orNull(cidText), agreed: flag, checkedBy: list(accountText), disputedBy: list(accountText) })),
  versions: list(object({ adapter: cidText, version, status: admission, height: count })),
  uses: list(object({ task: hashText, epoch: count, gateway: accountText, payer: orNull(accountText), receipts: count, fees: amountText })),
  usage: object({
    answers: count,
    fees: amountText,
    payers: list(object({ payer: accountText, answers: count, fees: amountText })),
    epochs: list(object({ epoch: count, answers: count, fees: amountText }))
  })
})

/** bytes as they are */
const file = Type.Unsafe<Uint8Array>({ content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } })

const answerParents = may(list(object({ adapter: cidText, name: text, developer: text, weight: real, effect: real, share: real, contributions: list(object({ contribution: cidText, share: real })) })))
const shares = list(object({ contribution: cidText, contributor: text, title: text, influence: real, share: real }))
const tokens = list(object({ text, share: orNull(count), influence: real, parent: may(orNull(count)) }))
/** words of an answer that stand in the data as they are */
const sources = may(list(object({ contribution: cidText, contributor: text, title: text, row: count, text })))

const spans = may(list(object({
  from: count,
  end: count,
  text,
  count,
  rarityBits: real,
  citations: list(object({ contribution: cidText, contributor: text, title: text, row: count, before: text, after: text }))
})))
const precision = oneOf('exact', 'preview')

const tokenLikelihood = { text, bytes: list(count), logProbability: real }

const answer = object({
  receipt: cidText,
  adapter: cidText,
  prompt: text,
  answer: text,
  tokens,
  shares,
  parents: answerParents,
  sources,
  spans,
  method: text,
  precision,
  fee: amountText,
  promptTokens: count,
  outputTokens: count,
  milliseconds: count,
  finish: may(oneOf('stop', 'length')),
  likelihoods: may(list(object({ ...tokenLikelihood, top: list(object(tokenLikelihood)) })))
})

const receipt = object({
  receipt: cidText,
  chain: text,
  adapter: cidText,
  gateway: accountText,
  payer: accountText,
  channel: hashText,
  sequence: count,
  promptHash: hashText,
  outputHash: hashText,
  promptTokens: count,
  outputTokens: count,
  sampler: Type.Record(text, Type.Integer()),
  conditionsHash: may(hashText),
  fee: amountText,
  cumulative: amountText,
  gatewaySignature: text,
  payerSignature: text
})

const proposal = object({
  proposal: count,
  title: text,
  status: text,
  proposer: accountText,
  for: amountText,
  against: amountText,
  abstain: amountText,
  voteStart: count,
  voteEnd: count,
  eta: orNull(count),
  actions: list(anything)
})

const key = {
  id: text,
  name: text,
  scopes: list(oneOf('read', 'infer', 'admin')),
  requestsPerMinute: may(count),
  spendPerDay: may(amountText),
  account: may(text),
  created: text,
  spent: amountText
}

const sent = { transaction: cidText, height: count }

const model = object({
  id: cidText,
  object: Type.Literal('model'),
  created: count,
  owned_by: text,
  name: text,
  datanet: object({
    kind: oneOf('adapter', 'base'),
    licence: text,
    developer: may(accountText),
    base: may(cidText),
    pricePerThousandTokens: may(amountText),
    promptPricePerThousandTokens: may(amountText),
    influence: may(oneOf('forward', 'reverse', 'none')),
    origin: may(oneOf('trained', 'imported')),
    deprecated: may(object({ reason: text, successor: orNull(cidText) })),
    parameters: may(count),
    contextLength: count,
    loaded: may(oneOf('pinned', 'kept'))
  })
})

const loaded = { id: cidText, loaded: flag, pinned: flag, bytes: count }

const likelihood = { token: text, logprob: real, bytes: list(count) }
const chatLogprobs = object({ content: list(object({ ...likelihood, top_logprobs: list(object(likelihood)) })), refusal: Type.Null() })
const completionLogprobs = object({ tokens: list(text), token_logprobs: list(real), top_logprobs: list(Type.Record(text, real)), text_offset: list(count) })

const completion = (object_: string, logprobs: TSchema, choice: Record<string, TSchema>): TSchema => object({
  id: cidText,
  object: Type.Literal(object_),
  created: count,
  model: cidText,
  choices: list(object({ index: count, ...choice, finish_reason: oneOf('stop', 'length'), logprobs: orNull(logprobs) })),
  usage: object({ prompt_tokens: count, completion_tokens: count, total_tokens: count }),
  datanet: object({ receipt: cidText, fee: amountText, method: text, precision, shares, parents: answerParents, sources, spans })
})

const quotes = may(list(object({ receipt: cidText, text, count, rarityBits: real, row: count, before: text, after: text })))

const graphNode = { kind: oneOf('answer', 'adapter', 'base', 'contribution', 'account', 'work'), id: text, title: text, sharePpm: may(count), amount: may(amountText), checkedBy: may(list(accountText)), disputedBy: may(list(accountText)), withdrawn: may(flag), quotes }

/** Of a successful answer in JSON, by method and path; a route that is missing here answers in its own way. */
export const responses: Record<string, TSchema> = {
  'GET /api/v1/status': status,
  'GET /api/v1/datanets': list(datanet),
  'POST /api/v1/datanets': object({ datanet: cidText, name: text }),
  'GET /api/v1/contributions': list(contribution),
  'POST /api/v1/contributions/{id}/withdraw': object(sent),
  'POST /api/v1/contributions': object({ contribution: cidText, contributor: accountText, rows: count, bytes: count, status: admission }),
  'GET /api/v1/bases': list(base),
  'GET /api/v1/presets': list(preset),
  'GET /api/v1/adapters': list(adapter),
  'GET /api/v1/registry': list(object(entryFields)),
  'GET /api/v1/adapters/{id}': adapterDetail,
  'POST /api/v1/adapters/import': object({
    weights: cidText, base: cidText, rank: count, alpha: count, targets: list(text), parameters: count, bytes: count, sameAs: orNull(cidText)
  }),
  'POST /api/v1/adapters/merge': object({ adapter: cidText, name: text, parents: list(object({ adapter: cidText, weight: real })), status: oneOf('pending', 'admitted'), pricePerThousandTokens: amountText }),
  'POST /api/v1/adapters/publish': object({ adapter: cidText, name: text, weights: cidText, status: admission }),
  'POST /api/v1/adapters/{id}/deprecate': object(sent),
  'POST /api/v1/adapters/{id}/pull': object({ adapter: cidText, name: text, files: count, bytes: count, parameters: count }),
  ...Object.fromEntries(['genesis', 'latest', 'headers/{height}', 'eras/{era}', 'proofs/{height}', 'past/{height}', 'epochs/{epoch}', 'outcomes/{id}', 'scores/{id}', 'records/{id}'].map(path => [`GET /api/v1/light/${path}`, file])),
  'POST /api/v1/light/forks': object({ transaction: orNull(cidText) }),
  'GET /api/v1/adapters/{id}/adapter_config.json': file,
  'GET /api/v1/adapters/{id}/adapter_model.safetensors': file,
  // deeper layers have the same shape
  'GET /api/v1/graph/{id}': object({ amounts: oneOf('expected', 'earned'), root: object({ ...graphNode, children: list(object({ ...graphNode, children: list(anything) })) }) }),
  'GET /api/v1/answers': list(answer),
  'GET /api/v1/tasks': list(anything),
  'GET /api/v1/tasks/{id}': anything,
  'POST /api/v1/tasks/{id}/challenge': object(sent),
  'GET /api/v1/validators': object({
    validators: list(object({ account: accountText, bonded: amountText, own: amountText, yours: amountText, state: oneOf('working', 'next', 'candidate', 'convicted') })),
    unbonding: list(object({ validator: accountText, amount: amountText, epoch: count }))
  }),
  'POST /api/v1/validators': object(sent),
  'GET /api/v1/blocks': list(object({ hash: hashText, header: anything, results: list(anything) })),
  'GET /api/v1/accounts/{id}': account,
  'GET /api/v1/wallet': list(account),
  'POST /api/v1/wallet/accounts': account,
  'POST /api/v1/wallet/transfer': object(sent),
  'POST /api/v1/wallet/stake': object(sent),
  'POST /api/v1/wallet/unstake': object(sent),
  'POST /api/v1/wallet/bond': object(sent),
  'POST /api/v1/wallet/unbond': object(sent),
  'POST /api/v1/wallet/withdraw': object(sent),
  'GET /api/v1/trainings': list(training),
  'POST /api/v1/trainings': training,
  'POST /api/v1/trainings/estimate': object({
    steps: count,
    contributions: count,
    parameters: count,
    tokens: count,
    influence: oneOf('forward', 'reverse'),
    operations: real,
    seconds: real,
    influenceSeconds: real,
    tokensPerSecond: real,
    memoryBytes: real,
    storedBytes: real,
    method: text,
    methodMeaning: text,
    assessmentOperations: real,
    assessmentSeconds: real,
    assessmentBytes: real,
    methods: list(object({ method: text, meaning: text, seconds: real, bytes: real }))
  }),
  'GET /api/v1/trainings/{id}': training,
  'DELETE /api/v1/trainings/{id}': training,
  'POST /api/v1/ask': answer,
  'POST /api/v1/quote': object({ promptTokens: count, pricePerThousandTokens: amountText, promptPricePerThousandTokens: amountText, feeMax: amountText }),
  'POST /api/v1/gateway/redeem': list(object({ channel: hashText, receipts: count, fees: amountText })),
  'GET /api/v1/proposals': list(proposal),
  'POST /api/v1/gov/wrap': object(sent),
  'POST /api/v1/gov/unwrap': object(sent),
  'POST /api/v1/gov/delegate': object(sent),
  'POST /api/v1/gov/propose': object({ ...sent, proposal: count }),
  'POST /api/v1/gov/vote': object(sent),
  'POST /api/v1/gov/queue': object(sent),
  'POST /api/v1/gov/execute': object(sent),
  'GET /api/v1/keys': list(object(key)),
  'POST /api/v1/keys': object({ ...key, key: text }),
  'DELETE /api/v1/keys/{id}': object({ id: text }),
  'GET /v1/models': object({ object: Type.Literal('list'), data: list(model) }),
  'GET /v1/models/{id}': model,
  'POST /v1/models/{id}/load': object(loaded),
  'POST /v1/models/{id}/unload': object(loaded),
  'GET /v1/receipts/{id}': receipt,
  'GET /v1/attributions/{id}': object({ receipt: cidText, adapter: cidText, method: text, precision, shares, parents: answerParents, sources, spans, tokens }),
  'POST /v1/completions': completion('text_completion', completionLogprobs, { text }),
  'POST /v1/chat/completions': completion('chat.completion', chatLogprobs, { message: object({ role: Type.Literal('assistant'), content: text, refusal: Type.Null() }) })
}
