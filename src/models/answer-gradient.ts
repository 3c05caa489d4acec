import { TokensError } from './errors.ts'
import { checkTokens, forward } from './forward.ts'
import { inferenceTape } from './inference-tape.ts'
import { flatten } from './lora-objective.ts'
import { loraValues } from './lora.ts'
import type { AnswerGradient, LlamaModel, LoraShape, Tape, TokenGradient, Value } from './interface.ts'

/**
 * The log-likelihood of an answer given its prompt and its gradient over theta: the cotangent
 * that attribution carries back through training. One forward and one backward pass. The
 * prompt includes BOS; the output has at least one token.
 *
 * @throws {TokensError} if either is empty or both exceed the context
 */
export function answerGradient (model: LlamaModel, shape: LoraShape, theta: Float64Array, prompt: ArrayLike<number>, output: ArrayLike<number>): AnswerGradient {
  const { tape, logits, parameters } = begin(model, shape, theta, prompt, output)
  const loss = tape.crossEntropy(logits, output)
  const gradient = negated(shape, tape.gradient(loss, parameters))
  const tokenLogProbabilities = Float64Array.from(Array.from(output), (_, i) => -oneToken(tape, logits, output, i).data[0])
  return { logProbability: tokenLogProbabilities.reduce((sum, one) => sum + one, 0), tokenLogProbabilities, gradient }
}

/**
 * The same for each token of the answer on its own, for showing what shaped which word. Yields
 * one at a time because each costs a forward and a backward pass over the tokens up to it.
 */
export function * answerTokenGradients (model: LlamaModel, shape: LoraShape, theta: Float64Array, prompt: ArrayLike<number>, output: ArrayLike<number>): Generator<TokenGradient, void> {
  for (let i = 0; i < output.length; i++) {
    const upTo = Array.from(output).slice(0, i + 1)
    const { tape, logits, parameters } = begin(model, shape, theta, prompt, upTo)
    const loss = oneToken(tape, logits, upTo, i)
    yield { logProbability: -loss.data[0], gradient: negated(shape, tape.gradient(loss, parameters)) }
  }
}

/** Logits of the positions that predict the output, one row for each of its tokens. */
function begin (model: LlamaModel, shape: LoraShape, theta: Float64Array, prompt: ArrayLike<number>, output: ArrayLike<number>): { tape: Tape, logits: Value, parameters: Value[] } {
  if (prompt.length === 0 || output.length === 0) {
    throw new TokensError(`expected a prompt and an output of at least one token but got ${prompt.length} and ${output.length}`)
  }
  const ids = [...Array.from(prompt), ...Array.from(output)]
  const inputs = ids.slice(0, -1)
  checkTokens(model.config, inputs)
  checkTokens(model.config, ids.slice(-1))
  const tape = inferenceTape(model)
  const { lora, parameters } = loraValues(tape, shape, theta)
  const rows = Uint32Array.from({ length: output.length }, (_, i) => prompt.length - 1 + i)
  return { tape, logits: forward(tape, model, inputs, { lora, rows }), parameters }
}

function oneToken (tape: Tape, logits: Value, targets: ArrayLike<number>, row: number): Value {
  return tape.crossEntropy(logits, targets, Float32Array.from(targets, (_, i) => i === row ? 1 : 0))
}

function negated (shape: LoraShape, gradients: Value[]): Float64Array {
  const out = new Float64Array(shape.parameters)
  flatten(gradients.map(({ data }) => data), gradients, out)
  return out.map(value => -value)
}
