import { ANSWER_TIMEOUT_MS, STREAM_TIMEOUT_MS } from './constants.ts'
import { cidOf, resolveAdapter } from './context.ts'
import { UnauthorizedError, UnknownReceiptError } from './errors.ts'
import { hangUp } from './hang-up.ts'
import { modelList, modelView } from './models.ts'
import { chatForm, completionForm, wholeAnswer } from './openai-format.ts'
import { askRequestOf, chatQuestion, checkSupported, completionQuestion, normalised } from './openai-request.ts'
import { chunks, running } from './openai-stream.ts'
import { chatBody, completionBody, idParams } from './schemas.ts'
import { sendEvents } from './sse.ts'
import type { Caller } from './access.ts'
import type { ApiContext } from './context.ts'
import type { Form } from './openai-format.ts'
import type { Chat, Common, Completion, Question } from './openai-request.ts'
import type { AttributionView } from '../interface/index.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

type ById = Static<typeof idParams>

/**
 * The part of OpenAI's API that its clients need. `datanet` in an answer, and in the last piece of
 * a streamed one, carries receipt, price and shares.
 */
export function openaiRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node } = context
  const infer = { config: { scope: 'infer' as const } }
  const read = { config: { scope: 'read' as const } }

  server.addHook('preValidation', async request => { request.body = normalised(request.body) })

  server.get('/v1/models', read, async () => ({ object: 'list', data: await modelList(node) }))

  server.get<{ Params: ById }>('/v1/models/:id', { ...read, schema: { params: idParams } }, async ({ params }) =>
    modelView(node, params.id, async () => resolveAdapter(context, params.id)))

  server.get<{ Params: ById }>('/v1/receipts/:id', { ...infer, schema: { params: idParams } }, async ({ params }) => {
    const receipt = cidOf(params.id).toString()

    return await node.answers.receipt(receipt) ?? missing(receipt)
  })

  server.get<{ Params: ById }>('/v1/attributions/:id', { ...infer, schema: { params: idParams } }, async ({ params }): Promise<AttributionView> => {
    const id = cidOf(params.id).toString()
    const { receipt, adapter, method, precision, shares, parents, sources, spans, tokens } = await node.answers.get(id) ?? missing(id)

    return { receipt, adapter, method, precision, shares, ...(parents == null ? {} : { parents }), ...(sources == null ? {} : { sources }), ...(spans == null ? {} : { spans }), tokens }
  })

  server.post<{ Body: Completion }>('/v1/completions', { ...infer, schema: { body: completionBody } }, async (request, reply) =>
    answer(context, request, reply, completionForm, completionQuestion(request.body)))

  server.post<{ Body: Chat }>('/v1/chat/completions', { ...infer, schema: { body: chatBody } }, async (request, reply) =>
    answer(context, request, reply, chatForm, chatQuestion(request.body)))
}

async function answer (context: ApiContext, request: FastifyRequest<{ Body: Common }>, reply: FastifyReply, form: Form, question: Question): Promise<unknown> {
  const { body } = request
  const { stream = false, stream_options: streamOptions } = body

  checkSupported(body)

  const asked = askRequestOf(body, await resolveAdapter(context, body.model), question)
  const signal = AbortSignal.any([context.closing, hangUp(reply), AbortSignal.timeout(stream ? STREAM_TIMEOUT_MS : ANSWER_TIMEOUT_MS)])

  if (!stream) {
    return wholeAnswer(form, await context.desk.buy(asked, callerOf(request), { signal }))
  }

  const run = running(async listening => context.desk.buy(asked, callerOf(request), { signal, ...listening }))

  await run.begun

  return sendEvents(reply, chunks(run, { form, model: body.model, includeUsage: streamOptions?.include_usage === true }))
}

/** Who sent a request; the hook on every route has found it out. */
export function callerOf ({ caller }: Pick<FastifyRequest, 'caller'>): Caller {
  if (caller == null) {
    throw new UnauthorizedError()
  }

  return caller
}

function missing (receipt: string): never {
  throw new UnknownReceiptError(receipt)
}
