import { generate } from '../models/index.ts'
import { PromptTooLongError } from './errors.ts'
import type { GeneratedAnswer, LoadedAdapter } from './interface.ts'
import type { SamplerSettings } from '../interface/index.ts'

/** The ids of a prompt: BOS and its tokens. @throws PromptTooLongError if the answer would not fit behind it */
export function promptTokens (adapter: LoadedAdapter, prompt: string, maxTokens: number): number[] {
  const { tokenizer, model } = adapter.base
  const tokens = [tokenizer.bos, ...tokenizer.encode(prompt)]

  if (tokens.length + maxTokens > model.config.contextLength) {
    throw new PromptTooLongError(tokens.length, maxTokens, model.config.contextLength)
  }

  return tokens
}

/** Answers a prompt; the same bytes on every machine for the same adapter, prompt and sampler. */
export function generateAnswer (adapter: LoadedAdapter, options: { prompt: number[], maxTokens: number, sampler: SamplerSettings }): GeneratedAnswer {
  const { model, tokenizer } = adapter.base
  const output = [...generate(model, { ...options, lora: adapter.lora, stop: [tokenizer.bos, tokenizer.eos] })]

  return { prompt: options.prompt, output, text: tokenizer.decode(output) }
}
