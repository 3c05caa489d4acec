import { checkTokens, forward } from './forward.ts'
import { comparedWith, verifyGeneration } from './generate.ts'
import { inferenceTape } from './inference-tape.ts'
import { flatten } from './lora-objective.ts'
import { loraValues } from './lora.ts'
import { sampler as createSampler } from './sampler.ts'
import type { LlamaModel, Verification, VerifyOptions, WeightedLora } from './interface.ts'

/**
 * What `verifyGeneration` says of an output of several adapters at once and, if it follows, the
 * gradient of its log-likelihood over each one's theta, where all of them stand in their places: one
 * forward and one backward pass for all. The derivative along an adapter has its weight in it.
 *
 * @throws {TokensError} if prompt or output is empty, both exceed the context, or the prompt is foreign
 * @throws {SettingsError} if the sampler's settings are out of range
 */
export function verifiedGradients (model: LlamaModel, options: VerifyOptions & { lora: readonly WeightedLora[] }): { verification: Verification, gradients?: Float64Array[] } {
  const { prompt, output } = options
  const { vocabularySize } = model.config

  if (output.length === 0 || Array.from(output).some(id => !Number.isInteger(id) || id < 0 || id >= vocabularySize)) {
    return { verification: verifyGeneration(model, options) }
  }

  checkTokens(model.config, prompt)

  const ids = [...Array.from(prompt), ...Array.from(output)]
  // the last token is never fed back
  const inputs = ids.slice(0, -1)

  checkTokens(model.config, inputs)

  const sample = createSampler(options.sampler, options)
  const tape = inferenceTape(model)
  const placed = options.lora.map(({ lora: { shape, theta }, weightMilli = 1000 }) => {
    const { lora, parameters } = loraValues(tape, shape, theta)

    return { shape, parameters, lora: { ...lora, scale: lora.scale * (weightMilli / 1000) } }
  })
  const rows = Uint32Array.from({ length: output.length }, (_, i) => prompt.length - 1 + i)
  const logits = forward(tape, model, inputs, { lora: placed.map(({ lora }) => lora), rows })
  const verification = comparedWith(output, sample, logits.data, vocabularySize)

  if (!verification.ok) {
    return { verification }
  }

  const values = tape.gradient(tape.crossEntropy(logits, output), placed.flatMap(({ parameters }) => parameters))
  let from = 0

  return {
    verification,
    gradients: placed.map(({ shape, parameters }) => {
      const own = values.slice(from, from += parameters.length)
      const loss = new Float64Array(shape.parameters)

      flatten(own.map(({ data }) => data), own, loss)

      return loss.map(value => -value)
    })
  }
}
