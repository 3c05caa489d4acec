import { influenceOfAnswer } from '../attribution/index.ts'
import { answerGradient, answerTokenGradients } from '../models/index.ts'
import { ATTRIBUTIONS_KEPT_MAX, ATTRIBUTION_VALUES_KEPT_MAX } from './constants.ts'
import type { LoadedAdapter } from './interface.ts'

/** What shaped an answer: per contribution of the snapshot, and per token and contribution. */
export interface AnswerAttribution {
  /** derivative of the answer's log-likelihood by each contribution's weight, nats */
  influence: number[]
  /** the same for each output token alone; rows sum to `influence` up to rounding */
  tokens: number[][]
}

/** By adapter, prompt and output, for as long as the adapter is loaded. */
const known = new WeakMap<LoadedAdapter, Map<string, AnswerAttribution>>()

/**
 * Traces an answer through the influence Jacobian: one backward pass for the answer and one for
 * each token, each multiplied with the columns. The same answer again takes no pass.
 *
 * @returns null where the adapter has no Jacobian; its scores come from the epoch's replay
 */
export function attributeAnswer (adapter: LoadedAdapter, answer: { prompt: number[], output: number[] }): AnswerAttribution | null {
  const answers = known.get(adapter) ?? new Map<string, AnswerAttribution>()
  const key = `${answer.prompt.join(' ')}/${answer.output.join(' ')}`
  const attribution = answers.get(key) ?? compute(adapter, answer)

  if (attribution != null && answer.output.length * attribution.influence.length <= ATTRIBUTION_VALUES_KEPT_MAX) {
    // last in the map is most recently used
    answers.delete(key)
    answers.set(key, attribution)
    known.set(adapter, answers)

    if (answers.size > ATTRIBUTIONS_KEPT_MAX) {
      const [oldest] = answers.keys()

      answers.delete(oldest)
    }
  }

  return attribution
}

function compute (adapter: LoadedAdapter, answer: { prompt: number[], output: number[] }): AnswerAttribution | null {
  const { columns, lora: { shape, theta }, base: { model } } = adapter

  if (columns == null || answer.output.length === 0) {
    return null
  }

  const { gradient } = answerGradient(model, shape, theta, answer.prompt, answer.output)
  const tokens = [...answerTokenGradients(model, shape, theta, answer.prompt, answer.output)]
    .map(token => [...influenceOfAnswer(columns, token.gradient)])

  return { influence: [...influenceOfAnswer(columns, gradient)], tokens }
}
