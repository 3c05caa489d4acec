import { Type } from '@sinclair/typebox'
import { forkEvidenceCodec } from '../light-client/index.ts'
import { lightAnswers } from '../node/index.ts'
import { fromHex } from '../wire/index.ts'
import { FREE_ADDRESSES_MAX, LIGHT_REQUESTS_PER_MINUTE, TRANSACTION_TIMEOUT_MS } from './constants.ts'
import { cidOf } from './context.ts'
import { UploadError } from './errors.ts'
import { requestLimits } from './limits.ts'
import { cidText, hashText } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { FastifyInstance, FastifyReply } from 'fastify'

const height = Type.Object({ height: Type.Integer({ minimum: 0 }) }, { additionalProperties: false })
const era = Type.Object({ era: Type.Integer({ minimum: 1 }) }, { additionalProperties: false })
const epoch = Type.Object({ epoch: Type.Integer({ minimum: 0 }) }, { additionalProperties: false })
const size = Type.Object({ size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'leaves of the tree, see protocols/history' }) }, { additionalProperties: false })
const key = Type.Object({ key: Type.String({ minLength: 1, maxLength: 256, description: 'of the state, see protocols/state' }) }, { additionalProperties: false })
const id = Type.Object({ id: cidText }, { additionalProperties: false })
const task = Type.Object({ id: hashText }, { additionalProperties: false })

/**
 * What light clients ask, for anybody: without a key, counted by address. Headers, proofs and
 * records are public on the chain and prove themselves; the bytes are canonical DAG-CBOR.
 */
export function lightRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node, closing } = context
  const answers = lightAnswers(node)
  const limits = requestLimits(FREE_ADDRESSES_MAX)
  const open = { schema: { security: [] } }
  const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.any([closing, AbortSignal.timeout(TRANSACTION_TIMEOUT_MS)]) })
  // a browser may keep what can never change, but not that it is missing: the answer comes before its headers
  const send = async (reply: FastifyReply, answer: Promise<Uint8Array>, isFinal = false): Promise<FastifyReply> => {
    const bytes = await answer

    return reply.type('application/octet-stream').header('cache-control', isFinal ? 'public, max-age=86400, immutable' : 'no-store').send(Buffer.from(bytes))
  }

  server.addHook('onRequest', async ({ ip }) => { limits.take(ip, LIGHT_REQUESTS_PER_MINUTE, performance.now()) })

  server.get('/api/v1/light/genesis', open, async (_request, reply) => send(reply, Promise.resolve(answers.genesis())))
  server.get('/api/v1/light/latest', open, async (_request, reply) => send(reply, answers.latest(patience())))

  // a certificate of a descendant may take the place of a notarization meanwhile
  server.get<{ Params: { height: number } }>('/api/v1/light/headers/:height', { schema: { params: height, security: [] } }, async ({ params }, reply) => send(reply, answers.header(params.height, patience())))
  server.get<{ Params: { era: number } }>('/api/v1/light/eras/:era', { schema: { params: era, security: [] } }, async ({ params }, reply) => send(reply, answers.era(params.era, patience()), true))
  server.get<{ Params: { height: number }, Querystring: { key: string } }>('/api/v1/light/proofs/:height', { schema: { params: height, querystring: key, security: [] } }, async ({ params, query }, reply) =>
    send(reply, answers.proof(query.key, params.height, patience()), true))
  server.get<{ Params: { height: number }, Querystring: { size: number } }>('/api/v1/light/past/:height', { schema: { params: height, querystring: size, security: [] } }, async ({ params, query }, reply) =>
    send(reply, answers.past(params.height, query.size, patience()), true))
  server.get<{ Params: { epoch: number }, Querystring: { size: number } }>('/api/v1/light/epochs/:epoch', { schema: { params: epoch, querystring: size, security: [] } }, async ({ params, query }, reply) =>
    send(reply, answers.epochEnd(params.epoch, query.size, patience()), true))
  server.get<{ Params: { id: string } }>('/api/v1/light/outcomes/:id', { schema: { params: id, security: [] } }, async ({ params }, reply) => send(reply, answers.outcome(cidOf(params.id), patience()), true))
  server.get<{ Params: { id: string } }>('/api/v1/light/scores/:id', { schema: { params: task, security: [] } }, async ({ params }, reply) => send(reply, answers.scores(fromHex(params.id), patience())))
  server.get<{ Params: { id: string } }>('/api/v1/light/records/:id', { schema: { params: id, security: [] } }, async ({ params }, reply) => send(reply, answers.record(cidOf(params.id), patience()), true))

  server.post<{ Body: unknown }>('/api/v1/light/forks', { ...open, bodyLimit: forkEvidenceCodec.bytesMax }, async ({ body }) => {
    if (!Buffer.isBuffer(body)) {
      throw new UploadError('expected the evidence itself as the body, with content-type application/octet-stream')
    }

    const { transaction } = await node.forks.report(new Uint8Array(body), patience())

    return { transaction: transaction?.toString() ?? null }
  })
}
