import { tokenLoss } from './answer-gradient.ts'
import { checkTokens, forward } from './forward.ts'
import { comparedWith, verifyGeneration } from './generate.ts'
import { directedTape, inferenceTape } from './inference-tape.ts'
import { flatten } from './lora-objective.ts'
import { loraValues } from './lora.ts'
import { sampler as createSampler } from './sampler.ts'
import type { LlamaModel, Tape, Value, Verification, VerifyOptions, WeightedLora } from './interface.ts'

/**
 * What `verifyGeneration` says of an output of several adapters at once and, if it follows, the
 * gradient of its log-likelihood over each one's theta, where all of them stand in their places: one
 * forward and one backward pass for all. The derivative along an adapter has its weight in it.
 *
 * @throws {TokensError} if prompt or output is empty, both exceed the context, or the prompt is foreign
 * @throws {SettingsError} if the sampler's settings are out of range
 */
export function verifiedGradients (model: LlamaModel, options: VerifyOptions & { lora: readonly WeightedLora[] }): { verification: Verification, gradients?: Float64Array[] } {
  const { prompt, output, lora } = options
  const { vocabularySize } = model.config

  if (output.length === 0 || Array.from(output).some(id => !Number.isInteger(id) || id < 0 || id >= vocabularySize)) {
    return { verification: verifyGeneration(model, options) }
  }

  const sample = createSampler(options.sampler, options)
  const { logits, gradients } = begin(inferenceTape(model), model, lora, prompt, output)
  const verification = comparedWith(output, sample, logits.data, vocabularySize)

  return verification.ok ? { verification, gradients: gradients() } : { verification }
}

/**
 * The gradients of `verifiedGradients` alone, for who knows that the output follows.
 *
 * @throws {TokensError} if prompt or output is empty, both exceed the context, or a token is foreign
 */
export function answerGradients (model: LlamaModel, lora: readonly WeightedLora[], prompt: ArrayLike<number>, output: ArrayLike<number>): Float64Array[] {
  return begin(inferenceTape(model), model, lora, prompt, output).gradients()
}

/** A direction in the theta of one of several adapters. */
export interface MergedDirection {
  /** its place among them */
  adapter: number
  /** of as many values as its shape has, each well within the range of f32 */
  direction: Float64Array
}

/**
 * What `answerTokenDerivatives` says of one adapter, where several stand in their places: derivatives
 * of each token's log-likelihood along directions in the theta of one each, its weight included.
 *
 * @returns [output.length][K], nats by unit of the direction
 * @throws {TokensError} if prompt or output is empty, both exceed the context, or a token is foreign
 */
export function mergedTokenDerivatives (model: LlamaModel, lora: readonly WeightedLora[], prompt: ArrayLike<number>, output: ArrayLike<number>, directions: readonly MergedDirection[]): Float64Array[] {
  const derivatives = Array.from({ length: output.length }, () => new Float64Array(directions.length))
  for (let from = 0; from < directions.length;) {
    const tape = directedTape(model)
    const part = directions.slice(from, from + tape.directions)
    const { logits } = begin(tape, model, lora, prompt, output, part)
    derivatives.forEach((row, i) => {
      const { tangents } = tokenLoss(tape, logits, output, i)
      row.set(part.map((_, k) => -(tangents[k]?.[0] ?? 0)), from)
    })
    from += part.length
  }
  return derivatives
}

/** Logits of the positions that predict the output, and the way back from them. */
function begin (tape: Tape, model: LlamaModel, lora: readonly WeightedLora[], prompt: ArrayLike<number>, output: ArrayLike<number>, directions: readonly MergedDirection[] = []): { logits: Value, gradients (): Float64Array[] } {
  checkTokens(model.config, prompt)
  checkTokens(model.config, output)

  // the last token is never fed back
  const inputs = [...Array.from(prompt), ...Array.from(output)].slice(0, -1)
  const placed = lora.map(({ lora: { shape, theta }, weightMilli = 1000 }, place) => {
    // one for each that the tape has room for
    const tangents = Array.from({ length: tape.directions }, (_, k) => directions[k]?.adapter === place ? directions[k].direction : undefined)
    const { lora, parameters } = loraValues(tape, shape, theta, tangents)

    return { shape, parameters, lora: { ...lora, scale: lora.scale * (weightMilli / 1000) } }
  })
  const rows = Uint32Array.from({ length: output.length }, (_, i) => prompt.length - 1 + i)
  const logits = forward(tape, model, inputs, { lora: placed.map(({ lora }) => lora), rows })

  return {
    logits,
    gradients () {
      const values = tape.gradient(tape.crossEntropy(logits, output), placed.flatMap(({ parameters }) => parameters))
      let from = 0

      return placed.map(({ shape, parameters }) => {
        const own = values.slice(from, from += parameters.length)
        const loss = new Float64Array(shape.parameters)

        flatten(own.map(({ data }) => data), own, loss)

        return loss.map(value => -value)
      })
    }
  }
}
