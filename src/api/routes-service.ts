import { preparedQuestion, PRICE_DEFAULT, RoleMissingError } from '../node/index.ts'
import { toHex } from '../wire/index.ts'
import { ANSWER_TIMEOUT_MS } from './constants.ts'
import { cidOf, resolveAdapter } from './context.ts'
import { hangUp } from './hang-up.ts'
import { callerOf } from './openai.ts'
import { askBody, idParams, trainingBody } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { TrainingRequest } from '../interface/index.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

/** Fine-tuning, questions and what a gateway does. */
export function serviceRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node, closing } = context
  const patience = (): AbortSignal => AbortSignal.any([closing, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])

  server.get('/api/v1/trainings', async () => node.trainings.list())

  const training = ({ as, pricePerThousandTokens, promptPricePerThousandTokens, ...request }: Static<typeof trainingBody>): TrainingRequest => ({
    ...request, base: cidOf(request.base).toString(), datanets: request.datanets.map(text => cidOf(text).toString())
  })

  server.post<{ Body: Static<typeof trainingBody> }>('/api/v1/trainings/estimate', { schema: { body: trainingBody } }, async ({ body }) => {
    return node.trainings.estimate(training(body), { signal: patience() })
  })

  server.post<{ Body: Static<typeof trainingBody> }>('/api/v1/trainings', { schema: { body: trainingBody } }, async ({ body }) => {
    const { as, pricePerThousandTokens, promptPricePerThousandTokens } = body

    return node.trainings.add({
      request: training(body),
      account: as ?? node.config.account,
      pricePerThousandTokens: pricePerThousandTokens == null ? PRICE_DEFAULT : BigInt(pricePerThousandTokens),
      ...(promptPricePerThousandTokens == null ? {} : { promptPricePerThousandTokens: BigInt(promptPricePerThousandTokens) })
    })
  })

  server.get<{ Params: Static<typeof idParams> }>('/api/v1/trainings/:id', { schema: { params: idParams } }, async ({ params }) => node.trainings.get(params.id))
  server.delete<{ Params: Static<typeof idParams> }>('/api/v1/trainings/:id', { schema: { params: idParams } }, async ({ params }) => node.trainings.cancel(params.id))

  server.post<{ Body: Static<typeof askBody> }>('/api/v1/ask', { config: { scope: 'infer' }, schema: { body: askBody } }, async (request, reply) => {
    const { as, ...body } = request.body
    const signal = AbortSignal.any([patience(), hangUp(reply)])
    const caller = callerOf(request)

    // whose wallet pays is for the key to say, unless the caller may do anything
    return context.desk.buy({ ...body, adapter: await resolveAdapter(context, body.adapter) }, caller, { signal, account: caller.scopes.includes('admin') ? as : undefined })
  })

  server.post<{ Body: Static<typeof askBody> }>('/api/v1/quote', { config: { scope: 'infer' }, schema: { body: askBody } }, async ({ body: { as, ...body } }) => {
    const signal = patience()
    const { question } = await preparedQuestion(node, { ...body, adapter: await resolveAdapter(context, body.adapter) }, { signal })
    const quote = await node.payer.quote(question, { signal })

    return {
      promptTokens: quote.promptTokens,
      pricePerThousandTokens: quote.pricePerThousandTokens.toString(),
      promptPricePerThousandTokens: (quote.promptPricePerThousandTokens ?? quote.pricePerThousandTokens).toString(),
      feeMax: quote.feeMax.toString()
    }
  })

  server.post('/api/v1/gateway/redeem', async () => {
    if (node.gateway == null) {
      throw new RoleMissingError('gateway', 'redeeming vouchers')
    }

    const redemptions = await node.gateway.redeem({ signal: patience() })

    return redemptions.map(({ channel, receipts, fees }) => ({ channel: toHex(channel), receipts, fees: fees.toString() }))
  })
}
