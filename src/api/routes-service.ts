import { ask, PRICE_DEFAULT, RoleMissingError } from '../node/index.ts'
import { toHex } from '../wire/index.ts'
import { ANSWER_TIMEOUT_MS } from './constants.ts'
import { cidOf, resolveAdapter } from './context.ts'
import { askBody, idParams, trainingBody } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

/** Fine-tuning, questions and what a gateway does. */
export function serviceRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node, closing } = context
  const patience = (): AbortSignal => AbortSignal.any([closing, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])

  server.get('/api/v1/trainings', async () => node.trainings.list())

  server.post<{ Body: Static<typeof trainingBody> }>('/api/v1/trainings', { schema: { body: trainingBody } }, async ({ body }) => {
    const { as, pricePerThousandTokens, ...request } = body

    return node.trainings.add({
      request: { ...request, base: cidOf(request.base).toString(), datanets: request.datanets.map(text => cidOf(text).toString()) },
      account: as ?? node.config.account,
      pricePerThousandTokens: pricePerThousandTokens == null ? PRICE_DEFAULT : BigInt(pricePerThousandTokens)
    })
  })

  server.get<{ Params: Static<typeof idParams> }>('/api/v1/trainings/:id', { schema: { params: idParams } }, async ({ params }) => node.trainings.get(params.id))
  server.delete<{ Params: Static<typeof idParams> }>('/api/v1/trainings/:id', { schema: { params: idParams } }, async ({ params }) => node.trainings.cancel(params.id))

  server.post<{ Body: Static<typeof askBody> }>('/api/v1/ask', { schema: { body: askBody } }, async ({ body }) => {
    const { as, ...request } = body

    return ask(node, { ...request, adapter: await resolveAdapter(context, request.adapter) }, as, { signal: patience() })
  })

  server.post('/api/v1/gateway/redeem', async () => {
    if (node.gateway == null) {
      throw new RoleMissingError('gateway', 'redeeming vouchers')
    }

    const redemptions = await node.gateway.redeem({ signal: patience() })

    return redemptions.map(({ channel, receipts, fees }) => ({ channel: toHex(channel), receipts, fees: fees.toString() }))
  })
}
