import { influenceOfAnswer } from '../attribution/index.ts'
import { answerGradient, answerTokenGradients } from '../models/index.ts'
import type { LoadedAdapter } from './interface.ts'

/** What shaped an answer: per contribution of the snapshot, and per token and contribution. */
export interface AnswerAttribution {
  /** derivative of the answer's log-likelihood by each contribution's weight, nats */
  influence: number[]
  /** the same for each output token alone; rows sum to `influence` up to rounding */
  tokens: number[][]
}

/**
 * Traces an answer through the influence Jacobian: one backward pass for the answer and one for
 * each token, each multiplied with the columns.
 *
 * @returns null where the adapter has no Jacobian; its scores come from the epoch's replay
 */
export function attributeAnswer (adapter: LoadedAdapter, answer: { prompt: number[], output: number[] }): AnswerAttribution | null {
  const { columns, lora: { shape, theta }, base: { model } } = adapter

  if (columns == null || answer.output.length === 0) {
    return null
  }

  const { gradient } = answerGradient(model, shape, theta, answer.prompt, answer.output)
  const tokens = [...answerTokenGradients(model, shape, theta, answer.prompt, answer.output)]
    .map(token => [...influenceOfAnswer(columns, token.gradient)])

  return { influence: [...influenceOfAnswer(columns, gradient)], tokens }
}
