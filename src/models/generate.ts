import { SettingsError, TokensError } from './errors.ts'
import { checkTokens, forward, keyValueCache } from './forward.ts'
import { inferenceTape } from './inference-tape.ts'
import { loraValues } from './lora.ts'
import { logProbabilities, sampler as createSampler } from './sampler.ts'
import type { GenerateOptions, LlamaModel, LoraValues, Tape, Verification, VerifyOptions, WeightedLora } from './interface.ts'
import type { Sampler, TokenProbabilities } from './sampler.ts'

/**
 * Yields the tokens of an answer, one forward pass each. Ends after `maxTokens`, after a stop
 * token (which is yielded), or when the context is full. Several generators of one model may
 * be advanced in turn.
 *
 * @throws {TokensError} if the prompt is empty, foreign or longer than the context
 * @throws {SettingsError} if the sampler's settings are out of range
 */
export function * generate (model: LlamaModel, options: GenerateOptions): Generator<number, void> {
  const { prompt, maxTokens } = options
  if (!Number.isInteger(maxTokens) || maxTokens < 0) {
    throw new SettingsError(`expected maxTokens to be an integer of 0 or more but got ${maxTokens}`)
  }
  checkTokens(model.config, prompt)
  const sample = createSampler(options.sampler, options)
  const stop = new Set(Array.from(options.stop ?? []))
  const cache = keyValueCache(model.config)
  let ids: ArrayLike<number> = prompt
  for (let index = 0; index < maxTokens && cache.length + ids.length <= model.config.contextLength; index++) {
    const tape = inferenceTape(model)
    const logits = forward(tape, model, ids, { cache, lora: place(tape, options.lora) })
    const id = sample(row(logits.data, ids.length - 1, model.config.vocabularySize))
    options.onToken?.(id, index)
    yield id
    if (stop.has(id)) {
      return
    }
    ids = [id]
  }
}

/**
 * Whether an output is what `generate` yields, found in one prefill: every token is sampled
 * again given those before it. An id outside the vocabulary is a mismatch like any other. This
 * is what a committee does with a receipt.
 *
 * @throws {TokensError} if prompt or output is empty, both exceed the context, or the prompt is foreign
 */
export function verifyGeneration (model: LlamaModel, options: VerifyOptions): Verification {
  const { prompt } = options
  const size = model.config.vocabularySize
  checkTokens(model.config, prompt)
  if (options.output.length === 0) {
    throw new TokensError('expected an output of at least one token')
  }
  // a foreign id cannot be fed to the model, and nothing after it matters: it is never sampled
  const foreign = Array.from(options.output).findIndex(id => !Number.isInteger(id) || id < 0 || id >= size)
  const output = Array.from(options.output).slice(0, foreign === -1 ? undefined : foreign + 1)
  // the last token is never fed back
  const ids = [...Array.from(prompt), ...output.slice(0, -1)]
  const sample = createSampler(options.sampler, options)
  const tape = inferenceTape(model)
  const rows = output.map((_, i) => prompt.length - 1 + i)
  return comparedWith(output, sample, forward(tape, model, ids, { lora: place(tape, options.lora), rows }).data, size)
}

/** Whether each token is what the sampler chooses from its row of logits [output.length, size]. */
export function comparedWith (output: ArrayLike<number>, sample: Sampler, logits: Float32Array, size: number): Verification {
  for (let i = 0; i < output.length; i++) {
    const expected = sample(row(logits, i, size))
    if (expected !== output[i]) {
      return { ok: false, firstMismatch: i, expected, actual: output[i] }
    }
  }
  return { ok: true }
}

/**
 * How likely the model found each token of an answer, and the `count` likeliest in its place, in one
 * prefill: what a gateway's engine reports token by token, bit for bit, so that nobody need be asked.
 *
 * @throws {TokensError} if there is no prompt, a token is foreign, or both exceed the context
 */
export function answerProbabilities (model: LlamaModel, { prompt, output, lora }: Pick<VerifyOptions, 'prompt' | 'output' | 'lora'>, count: number): TokenProbabilities[] {
  const size = model.config.vocabularySize
  if (output.length === 0) {
    return []
  }
  checkTokens(model.config, prompt)
  checkTokens(model.config, output)
  const tape = inferenceTape(model)
  // the last token is never fed back
  const ids = [...Array.from(prompt), ...Array.from(output).slice(0, -1)]
  const rows = Array.from(output, (_, i) => prompt.length - 1 + i)
  const logits = forward(tape, model, ids, { lora: place(tape, lora), rows }).data
  return Array.from(output, (token, i) => logProbabilities(row(logits, i, size), token, count))
}

function place (tape: Tape, lora: GenerateOptions['lora'] = []): LoraValues[] {
  const loras: readonly WeightedLora[] = 'theta' in lora ? [{ lora }] : lora
  return loras.map(({ lora: { shape, theta }, weightMilli = 1000 }) => {
    const values = loraValues(tape, shape, theta).lora
    return { ...values, scale: values.scale * (weightMilli / 1000) }
  })
}

function row (logits: Float32Array, index: number, size: number): Float32Array {
  return logits.subarray(index * size, (index + 1) * size)
}
