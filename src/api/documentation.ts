import { Type } from '@sinclair/typebox'
import { responses } from './responses.ts'
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'

/** One sentence for each route; the document is not complete without it. */
const summaries: Record<string, string> = {
  'GET /api/v1/status': 'The node, its chain and the parameters in force',
  'GET /api/v1/datanets': 'Datanets of the chain',
  'POST /api/v1/datanets': 'Create a Datanet',
  'GET /api/v1/contributions': 'Contributions of one Datanet or of all',
  'POST /api/v1/contributions': 'Contribute a file of rows, sent as it is',
  'POST /api/v1/contributions/{id}/withdraw': 'Take a contribution of one\'s own back, for good',
  'GET /api/v1/bases': 'Base models that adapters may build on',
  'GET /api/v1/presets': 'Recipes for training',
  'GET /api/v1/adapters': 'Adapters of the chain',
  'GET /api/v1/registry': 'Adapters that fit, with versions, licences and Datanets, the last published first',
  'GET /api/v1/adapters/{id}': 'One adapter: recipe, versions, and who redeemed answers of it',
  'POST /api/v1/adapters/import': 'Check and keep a PEFT directory; nothing is published. Body: the length of adapter_config.json in 4 bytes, big-endian, that file, adapter_model.safetensors',
  'POST /api/v1/adapters/merge': 'Publish several adapters of one base as one that can be asked',
  'POST /api/v1/adapters/publish': 'Publish weights that were imported, as what they are',
  'POST /api/v1/adapters/{id}/deprecate': 'Advise against an adapter of one\'s own, with a reason',
  'POST /api/v1/adapters/{id}/pull': 'Fetch an adapter from the swarm, check it, keep and serve it',
  'GET /api/v1/adapters/{id}/adapter_config.json': 'Configuration of an adapter for Hugging Face\'s PEFT',
  'GET /api/v1/adapters/{id}/adapter_model.safetensors': 'Weights of an adapter for Hugging Face\'s PEFT',
  'GET /api/v1/answers': 'Answers that this node bought, newest first',
  'GET /api/v1/tasks': 'Tasks of attribution, newest first',
  'GET /api/v1/tasks/{id}': 'One task: redemptions, committee, result and payouts',
  'POST /api/v1/tasks/{id}/challenge': 'Have the validators judge a result, against a bond',
  'GET /api/v1/validators': 'Validators and candidates, and an account\'s stake on them',
  'POST /api/v1/validators': 'Become a candidate with this node\'s BLS key',
  'GET /api/v1/blocks': 'The newest blocks',
  'GET /api/v1/why': 'Why a contribution was paid, every link verified by proof',
  'GET /api/v1/graph/{id}': 'Who and what shaped an answer, an adapter or an account\'s earnings',
  'GET /api/v1/accounts/{id}': 'What any account has',
  'GET /api/v1/wallet': 'The accounts of this node',
  'POST /api/v1/wallet/accounts': 'Make an account',
  'POST /api/v1/wallet/transfer': 'Send OPEN',
  'POST /api/v1/wallet/stake': 'Put OPEN at stake as an assessor',
  'POST /api/v1/wallet/unstake': 'Take OPEN from stake',
  'POST /api/v1/wallet/bond': 'Stake OPEN on a validator',
  'POST /api/v1/wallet/unbond': 'Take stake off a validator',
  'POST /api/v1/wallet/withdraw': 'Take back all unbonded stake that is free',
  'GET /api/v1/trainings': 'Trainings of this node',
  'POST /api/v1/trainings': 'Fine-tune an adapter on Datanets and publish it',
  'POST /api/v1/trainings/estimate': 'What a training would take: work, time, memory and disk',
  'GET /api/v1/trainings/{id}': 'How far a training is',
  'DELETE /api/v1/trainings/{id}': 'Cancel a training',
  'POST /api/v1/ask': 'Buy an answer and see which contributions shaped it',
  'POST /api/v1/quote': 'What an answer costs at most',
  'POST /api/v1/gateway/redeem': 'Put all co-signed receipts on the ledger now',
  'GET /api/v1/proposals': 'Proposals to change the network',
  'POST /api/v1/gov/wrap': 'Wrap OPEN into gOPEN',
  'POST /api/v1/gov/unwrap': 'Unwrap gOPEN into OPEN',
  'POST /api/v1/gov/delegate': 'Delegate the votes of an account',
  'POST /api/v1/gov/propose': 'Propose other parameters',
  'POST /api/v1/gov/vote': 'Vote on a proposal',
  'POST /api/v1/gov/queue': 'Queue a proposal that succeeded',
  'POST /api/v1/gov/execute': 'Execute a proposal whose time has come',
  'GET /api/v1/keys': 'Keys that open this API to others',
  'POST /api/v1/keys': 'Make a key; it is shown this once',
  'DELETE /api/v1/keys/{id}': 'Revoke a key',
  'GET /v1/models': 'Adapters and bases as models, for clients of OpenAI\'s API',
  'GET /v1/models/{id}': 'One model by CID or name',
  'POST /v1/models/{id}/load': 'Load an adapter ahead; it stays until it is unloaded',
  'POST /v1/models/{id}/unload': 'Give an adapter\'s memory back',
  'GET /v1/receipts/{id}': 'The receipt of an answer, signed by payer and gateway',
  'GET /v1/attributions/{id}': 'Which contributions shaped an answer, and each of its tokens',
  'POST /v1/completions': 'Complete a prompt, for clients of OpenAI\'s API',
  'POST /v1/chat/completions': 'Continue a conversation, for clients of OpenAI\'s API',
  'GET /api/v1/light/genesis': 'The genesis, for light clients',
  'GET /api/v1/light/latest': 'The newest final header with its certificate',
  'GET /api/v1/light/headers/{height}': 'The header at a height with a certificate over it',
  'GET /api/v1/light/eras/{era}': 'The validators of an era and the header that commits to them',
  'GET /api/v1/light/proofs/{height}': 'A key of the state, or its absence, by proof',
  'GET /api/v1/light/past/{height}': 'A header of the past, by its path in the history of a newer one',
  'GET /api/v1/light/epochs/{epoch}': 'The last header of an epoch, by its path in the history',
  'GET /api/v1/light/outcomes/{id}': 'What became of a transaction, by proof',
  'GET /api/v1/light/scores/{id}': 'The scores of a task',
  'GET /api/v1/light/records/{id}': 'The signed record of a contribution',
  'POST /api/v1/light/forks': 'Bring evidence of a fork before the ledger',
  'GET /api/v1/events': 'All that happens on the node, as server-sent events'
}

/** What everything that goes wrong looks like. */
const failure = Type.Object({
  error: Type.Object({ code: Type.String({ pattern: '^(ERR|FST_ERR)_[A-Z_]+$' }), message: Type.String(), hint: Type.Optional(Type.String()) })
}, { description: 'what was expected, what came, and what to do' })

/** The same under /v1, as clients of OpenAI's API read it. */
const openaiFailure = Type.Object({
  error: Type.Object({ message: Type.String(), type: Type.String(), param: Type.Union([Type.String(), Type.Null()]), code: Type.String(), hint: Type.Optional(Type.String()) })
}, { description: 'what was expected, what came, and what to do' })

/** How the OpenAPI document is made of the routes' schemas. */
export const documentation: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'datanet node',
      description: 'Control API of one node and its OpenAI-compatible API. Amounts are decimal strings of base units, accounts are multikeys. Responses are typed in src/interface/api.ts.',
      version: '1'
    },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'of api.json in the node\'s data directory' } } },
    security: [{ token: [] }]
  },
  transform: ({ schema = {}, url, route }) => {
    const method = [route.method].flat()[0]
    const path = url.replace(/:(\w+)/g, '{$1}')
    const summary = summaries[`${method} ${path}`]
    const operationId = `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+(\w)?/g, (_, letter: string | undefined) => letter?.toUpperCase() ?? '')}`

    return { schema: { ...schema, summary, operationId, response: { 200: { description: summary, ...responses[`${method} ${path}`] }, default: url.startsWith('/v1/') ? openaiFailure : failure } }, url }
  }
}
