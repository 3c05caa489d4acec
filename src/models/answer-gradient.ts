import { TokensError } from './errors.ts'
import { checkTokens, forward } from './forward.ts'
import { comparedWith, verifyGeneration } from './generate.ts'
import { directedTape, inferenceTape } from './inference-tape.ts'
import { flatten } from './lora-objective.ts'
import { loraValues } from './lora.ts'
import { sampler as createSampler } from './sampler.ts'
import type { AnswerGradient, LlamaModel, Lora, LoraShape, Tape, Value, Verification, VerifyOptions } from './interface.ts'

/**
 * The log-likelihood of an answer given its prompt and its gradient over theta: the cotangent
 * that attribution carries back through training. One forward and one backward pass. The
 * prompt includes BOS; the output has at least one token.
 *
 * @throws {TokensError} if either is empty or both exceed the context
 */
export function answerGradient (model: LlamaModel, shape: LoraShape, theta: Float64Array, prompt: ArrayLike<number>, output: ArrayLike<number>): AnswerGradient {
  const tape = inferenceTape(model)
  const { logits, parameters } = begin(tape, model, shape, theta, prompt, output)
  const loss = tape.crossEntropy(logits, output)
  const gradient = negated(shape, tape.gradient(loss, parameters))
  const tokenLogProbabilities = Float64Array.from(Array.from(output), (_, i) => -tokenLoss(tape, logits, output, i).data[0])
  return { logProbability: tokenLogProbabilities.reduce((sum, one) => sum + one, 0), tokenLogProbabilities, gradient }
}

/**
 * What `verifyGeneration` says of an output and, if it follows, the gradient that `answerGradient` gives,
 * with their bits: whoever needs both saves a forward pass, a third of the gradient's price.
 *
 * @throws {TokensError} if prompt or output is empty, both exceed the context, or the prompt is foreign
 * @throws {SettingsError} if the sampler's settings are out of range
 */
export function verifiedGradient (model: LlamaModel, options: VerifyOptions & { lora: Lora }): { verification: Verification, gradient?: Float64Array } {
  const { prompt, output, lora: { shape, theta } } = options
  const { vocabularySize } = model.config
  if (Array.from(output).some(id => !Number.isInteger(id) || id < 0 || id >= vocabularySize)) {
    return { verification: verifyGeneration(model, options) }
  }
  const sample = createSampler(options.sampler, options)
  const tape = inferenceTape(model)
  const { logits, parameters } = begin(tape, model, shape, theta, prompt, output)
  const verification = comparedWith(output, sample, logits.data, vocabularySize)
  return verification.ok ? { verification, gradient: negated(shape, tape.gradient(tape.crossEntropy(logits, output), parameters)) } : { verification }
}

/**
 * Derivatives of each token's log-likelihood along directions in theta, for showing what shaped
 * which word. Directions go forward through the model, several with one pass, so that
 * the price grows with their number and hardly with the tokens'.
 *
 * @param model - frozen
 * @param shape - of theta
 * @param theta - the adapter's weights
 * @param prompt - with BOS
 * @param output - at least one token
 * @param directions - K vectors of `shape.parameters` values, each well within the range of f32
 * @returns [output.length][K], nats by unit of the direction
 * @throws {TokensError} if either is empty or both exceed the context
 */
export function answerTokenDerivatives (model: LlamaModel, shape: LoraShape, theta: Float64Array, prompt: ArrayLike<number>, output: ArrayLike<number>, directions: readonly Float64Array[]): Float64Array[] {
  const derivatives = Array.from({ length: output.length }, () => new Float64Array(directions.length))
  for (let from = 0; from < directions.length;) {
    const tape = directedTape(model)
    const part = Array.from({ length: tape.directions }, (_, k) => directions[from + k])
    const { logits } = begin(tape, model, shape, theta, prompt, output, part)
    derivatives.forEach((row, i) => {
      const { tangents } = tokenLoss(tape, logits, output, i)
      row.set(part.slice(0, row.length - from).map((_, k) => -(tangents[k]?.[0] ?? 0)), from)
    })
    from += part.length
  }
  return derivatives
}

/** Logits of the positions that predict the output, one row for each of its tokens. */
function begin (tape: Tape, model: LlamaModel, shape: LoraShape, theta: Float64Array, prompt: ArrayLike<number>, output: ArrayLike<number>, directions: ReadonlyArray<Float64Array | undefined> = []): { logits: Value, parameters: Value[] } {
  if (prompt.length === 0 || output.length === 0) {
    throw new TokensError(`expected a prompt and an output of at least one token but got ${prompt.length} and ${output.length}`)
  }
  const ids = [...Array.from(prompt), ...Array.from(output)]
  const inputs = ids.slice(0, -1)
  checkTokens(model.config, inputs)
  checkTokens(model.config, ids.slice(-1))
  const { lora, parameters } = loraValues(tape, shape, theta, directions)
  const rows = Uint32Array.from({ length: output.length }, (_, i) => prompt.length - 1 + i)
  return { logits: forward(tape, model, inputs, { lora, rows }), parameters }
}

/** The negative log-likelihood of one token, from its row alone. */
export function tokenLoss (tape: Tape, logits: Value, targets: ArrayLike<number>, row: number): Value {
  return tape.crossEntropy(tape.gather(logits, [row]), [targets[row]])
}

function negated (shape: LoraShape, gradients: Value[]): Float64Array {
  const out = new Float64Array(shape.parameters)
  flatten(gradients.map(({ data }) => data), gradients, out)
  return out.map(value => -value)
}
