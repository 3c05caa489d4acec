import { adapterViews, ask } from '../node/index.ts'
import { ANSWER_TIMEOUT_MS } from './constants.ts'
import { resolveAdapter } from './context.ts'
import { chatBody, completionBody } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { AnswerView } from '../interface/index.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

type Completion = Static<typeof completionBody>
type Chat = Static<typeof chatBody>

/**
 * The part of OpenAI's API that common clients need, without streaming yet. The node's own account
 * pays; `datanet` in the answer carries receipt and attribution.
 */
export function openaiRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node, closing } = context

  const answer = async (request: Omit<Completion, 'prompt'> & { prompt: string }): Promise<AnswerView> => ask(node, {
    adapter: await resolveAdapter(context, request.model),
    prompt: request.prompt,
    maxTokens: request.max_tokens,
    temperature: request.temperature,
    topK: request.top_k,
    seed: request.seed
  }, undefined, { signal: AbortSignal.any([closing, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]) })

  server.get('/v1/models', async () => ({
    object: 'list',
    data: (await adapterViews(node))
      .filter(({ status }) => status === 'admitted')
      .map(({ adapter, name, developer }) => ({ id: adapter, object: 'model', created: 0, owned_by: developer, name }))
  }))

  server.post<{ Body: Completion }>('/v1/completions', { schema: { body: completionBody } }, async ({ body }) => {
    const view = await answer(body)

    return { ...frame(view, 'text_completion'), choices: [{ index: 0, text: view.answer, finish_reason: finish(view, body), logprobs: null }] }
  })

  server.post<{ Body: Chat }>('/v1/chat/completions', { schema: { body: chatBody } }, async ({ body }) => {
    // the base is no chat model: it goes on where the last message ends
    const view = await answer({ ...body, prompt: body.messages[body.messages.length - 1].content })

    return {
      ...frame(view, 'chat.completion'),
      choices: [{ index: 0, message: { role: 'assistant', content: view.answer }, finish_reason: finish(view, body), logprobs: null }]
    }
  })
}

function finish (view: AnswerView, body: { max_tokens?: number }): 'stop' | 'length' {
  return body.max_tokens != null && view.outputTokens >= body.max_tokens ? 'length' : 'stop'
}

function frame (view: AnswerView, object: string): object {
  return {
    id: view.receipt,
    object,
    created: Math.floor(Date.now() / 1000),
    model: view.adapter,
    usage: { prompt_tokens: view.promptTokens, completion_tokens: view.outputTokens, total_tokens: view.promptTokens + view.outputTokens },
    datanet: { receipt: view.receipt, fee: view.fee, method: view.method, shares: view.shares }
  }
}
