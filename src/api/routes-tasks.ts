import { Type } from '@sinclair/typebox'
import { accountFromString, bls } from '../identity/index.ts'
import { taskDetail, validatorViews } from '../node/index.ts'
import { fromHex } from '../wire/index.ts'
import { send, signerOf } from './context.ts'
import { UnknownTaskError } from './errors.ts'
import { accountName, accountText, amountBody, amountText, hashText } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

const as = Type.Optional(accountName)
const taskParams = Type.Object({ id: hashText }, { additionalProperties: false })
const actorBody = Type.Object({ as }, { additionalProperties: false })
const bondBody = Type.Object({ as, validator: accountText, amount: amountText }, { additionalProperties: false })
const ownerQuery = Type.Object({ as }, { additionalProperties: false })

/** Tasks one by one, challenges, and stake on validators. */
export function taskRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node } = context
  const read = { config: { scope: 'read' as const } }

  server.get<{ Params: Static<typeof taskParams> }>('/api/v1/tasks/:id', { ...read, schema: { params: taskParams } }, async ({ params: { id } }) => {
    const found = taskDetail(node, id)

    if (found === undefined) {
      throw new UnknownTaskError(id)
    }

    return found
  })

  server.post<{ Params: Static<typeof taskParams>, Body: Static<typeof actorBody> }>('/api/v1/tasks/:id/challenge', { schema: { params: taskParams, body: actorBody } }, async ({ params, body }) =>
    send(context, { kind: 'challenge', task: fromHex(params.id) }, body.as))

  server.get<{ Querystring: Static<typeof ownerQuery> }>('/api/v1/validators', { ...read, schema: { querystring: ownerQuery } }, async ({ query }) =>
    validatorViews(node, signerOf(context, query.as).account))

  // the key that signs votes is this node's; its account is the one that is configured
  server.post<{ Body: Static<typeof amountBody> }>('/api/v1/validators', { schema: { body: amountBody } }, async ({ body }) => {
    const secretKey = node.keychain.bls()
    const { account } = signerOf(context, body.as)

    return send(context, { kind: 'register-validator', blsPublicKey: bls.publicKeyOf(secretKey), possession: bls.possess(secretKey, account), amount: BigInt(body.amount) }, body.as)
  })

  for (const kind of ['bond', 'unbond'] as const) {
    server.post<{ Body: Static<typeof bondBody> }>(`/api/v1/wallet/${kind}`, { schema: { body: bondBody } }, async ({ body }) =>
      send(context, { kind, validator: accountFromString(body.validator), amount: BigInt(body.amount) }, body.as))
  }

  server.post<{ Body: Static<typeof actorBody> }>('/api/v1/wallet/withdraw', { schema: { body: actorBody } }, async ({ body }) =>
    send(context, { kind: 'withdraw' }, body.as))
}
