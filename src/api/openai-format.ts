import type { AnswerView, LikelihoodView, TokenLikelihoodsView } from '../interface/index.ts'

/** The two forms of OpenAI's API: what a piece of text is called in each, whole and streamed. */
export interface Form {
  object: string
  chunkObject: string
  idPrefix: string
  whole (text: string): object
  /** `isFirst`: a conversation says first who speaks */
  piece (text: string, isFirst: boolean): object
  end: object
  /** how likely each token was, where the request asked for it */
  likelihoods (tokens: TokenLikelihoodsView[]): object
}

export const completionForm: Form = {
  object: 'text_completion',
  chunkObject: 'text_completion',
  idPrefix: 'cmpl',
  whole: text => ({ text }),
  piece: text => ({ text }),
  end: { text: '' },
  likelihoods: tokens => ({
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(logprobOf),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map(one => [one.text, logprobOf(one)]))),
    text_offset: tokens.map((_, i) => tokens.slice(0, i).reduce((sum, { text }) => sum + text.length, 0))
  })
}

export const chatForm: Form = {
  object: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  idPrefix: 'chatcmpl',
  whole: text => ({ message: { role: 'assistant', content: text, refusal: null } }),
  piece: (text, isFirst) => ({ delta: isFirst ? { role: 'assistant', content: text } : { content: text } }),
  end: { delta: {} },
  likelihoods: tokens => ({ content: tokens.map(token => ({ ...likelihood(token), top_logprobs: token.top.map(likelihood) })), refusal: null })
}

function likelihood (view: LikelihoodView): object {
  return { token: view.text, logprob: logprobOf(view), bytes: view.bytes }
}

/** JSON has no infinity; OpenAI's API says this instead. */
function logprobOf ({ logProbability }: LikelihoodView): number {
  return Math.max(logProbability, -9_999)
}

/** Of an answer's choice; null where nobody asked. */
export function logprobsOf (form: Form, { likelihoods }: AnswerView): object | null {
  return likelihoods == null ? null : form.likelihoods(likelihoods)
}

export interface Usage {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

export function wholeAnswer (form: Form, view: AnswerView): object {
  return {
    id: view.receipt,
    object: form.object,
    created: nowSeconds(),
    model: view.adapter,
    choices: [{ index: 0, ...form.whole(view.answer), finish_reason: view.finish, logprobs: logprobsOf(form, view) }],
    usage: usageOf(view),
    datanet: extensionOf(view)
  }
}

export function usageOf ({ promptTokens, outputTokens }: AnswerView): Usage {
  return { prompt_tokens: promptTokens, completion_tokens: outputTokens, total_tokens: promptTokens + outputTokens }
}

/** What OpenAI's API has no place for: the receipt, its price, whose data and, of a merge, which adapters shaped the answer, and the rows that it was given. */
export function extensionOf ({ receipt, fee, method, precision, shares, parents, sources }: AnswerView): object {
  return { receipt, fee, method, precision, shares, ...(parents == null ? {} : { parents }), ...(sources == null ? {} : { sources }) }
}
