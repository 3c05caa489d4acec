import { setImmediate } from 'node:timers/promises'
import { generate } from '../models/index.ts'
import { TOKENS_MAX } from './constants.ts'
import { PromptTooLongError } from './errors.ts'
import { lorasOf } from './loras.ts'
import type { AskOptions, GeneratedAnswer, LoadedAdapter } from './interface.ts'
import type { AbortOptions, SamplerSettings } from '../interface/index.ts'

/**
 * The ids of a question: BOS and its prompt's tokens. A conversation is written by the base's chat
 * template where the base has one or the adapter learned from conversations; elsewhere the model
 * only goes on where the last message ends.
 *
 * @throws {PromptTooLongError} if the answer would not fit behind it
 * @throws {ChatTemplateError} if the template refuses the conversation
 */
export function promptTokens (adapter: LoadedAdapter, { prompt, messages, maxTokens }: Pick<AskOptions, 'prompt' | 'messages' | 'maxTokens'>): number[] {
  const { tokenizer, model, chat, record } = adapter.base
  const converses = messages != null && (record.chatTemplate != null || learnedFrom(adapter).some(recipe => recipe?.examples === 'chat'))
  const tokens = converses ? Array.from(chat.prompt(tokenizer, messages)) : [tokenizer.bos, ...tokenizer.encode(prompt)]
  const lengthMax = Math.min(model.config.contextLength, TOKENS_MAX)

  if (tokens.length + maxTokens > lengthMax) {
    throw new PromptTooLongError(tokens.length, maxTokens, lengthMax)
  }

  return tokens
}

const learnedFrom = ({ recipe, parents }: LoadedAdapter): Array<LoadedAdapter['recipe']> => parents?.map(({ adapter }) => adapter.recipe) ?? [recipe]

/**
 * Answers a prompt; the same bytes on every machine for the same adapter, prompt and sampler.
 * Other work of the process gets its turn after each token.
 */
export async function generateAnswer (adapter: LoadedAdapter, request: { prompt: number[], maxTokens: number, sampler: SamplerSettings }, options: AbortOptions = {}): Promise<GeneratedAnswer> {
  const { model, tokenizer } = adapter.base
  const output: number[] = []

  for (const token of generate(model, { ...request, lora: lorasOf(adapter), stop: [tokenizer.eos] })) {
    output.push(token)
    await setImmediate()
    options.signal?.throwIfAborted()
  }

  return { prompt: request.prompt, output, text: tokenizer.decode(output) }
}
