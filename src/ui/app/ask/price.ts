import type { AdapterView, AnswerView } from '../../../interface/index.ts'

/** Characters in a token of a small tokenizer, until answers tell better. */
const CHARACTERS_PER_TOKEN = 3

/** What an answer of full length costs at most, in base units; an estimate, since only the gateway's tokenizer counts. */
export function priceOf (adapter: AdapterView, prompt: string, maxTokens: number, answers: AnswerView[]): bigint {
  const characters = answers.reduce((sum, answer) => sum + answer.prompt.length, 0)
  const tokens = answers.reduce((sum, answer) => sum + answer.promptTokens, 0)
  const perToken = tokens === 0 ? CHARACTERS_PER_TOKEN : Math.max(1, characters / tokens)
  const promptTokens = Math.ceil(prompt.length / perToken) + 1

  return (BigInt(adapter.promptPricePerThousandTokens) * BigInt(promptTokens) + BigInt(adapter.pricePerThousandTokens) * BigInt(maxTokens)) / 1000n
}
