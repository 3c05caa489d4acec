import { influenceOfAnswer, normalised } from '../attribution/index.ts'
import { answerGradient, answerTokenDerivatives } from '../models/index.ts'
import { ATTRIBUTIONS_KEPT_MAX, ATTRIBUTION_VALUES_KEPT_MAX, TOKEN_COLUMNS_MAX } from './constants.ts'
import type { LoadedAdapter } from './interface.ts'

/** What shaped an answer: per contribution of the snapshot, and per token and contribution. */
export interface AnswerAttribution {
  /** derivative of the answer's log-likelihood by each contribution's weight, nats */
  influence: number[]
  /**
   * The same for each output token alone: rows sum to `influence` up to rounding. Of more than
   * TOKEN_COLUMNS_MAX contributions those of the largest influence; the others are 0.
   */
  tokens: number[][]
}

/** By adapter, prompt and output, for as long as the adapter is loaded and its columns are these. */
const known = new WeakMap<LoadedAdapter, { columns: Float64Array[], answers: Map<string, AnswerAttribution> }>()

/**
 * Traces an answer through the influence Jacobian: one backward pass times the columns for the
 * whole, and the columns forward through the model for its tokens. The same answer again takes no
 * pass.
 *
 * `columns` are by default those that the adapter's record publishes.
 *
 * @returns null where there is no Jacobian; its scores come from the epoch's replay
 */
export function attributeAnswer (adapter: LoadedAdapter, answer: { prompt: number[], output: number[] }, columns = adapter.columns): AnswerAttribution | null {
  if (columns == null || answer.output.length === 0) {
    return null
  }

  const before = known.get(adapter)
  const { answers } = before?.columns === columns ? before : { answers: new Map<string, AnswerAttribution>() }
  const key = `${answer.prompt.join(' ')}/${answer.output.join(' ')}`
  const attribution = answers.get(key) ?? compute(adapter, answer, columns)

  if (answer.output.length * attribution.influence.length <= ATTRIBUTION_VALUES_KEPT_MAX) {
    // last in the map is most recently used
    answers.delete(key)
    answers.set(key, attribution)
    known.set(adapter, { columns, answers })

    if (answers.size > ATTRIBUTIONS_KEPT_MAX) {
      const [oldest] = answers.keys()

      answers.delete(oldest)
    }
  }

  return attribution
}

function compute (adapter: LoadedAdapter, answer: { prompt: number[], output: number[] }, columns: Float64Array[]): AnswerAttribution {
  const { lora: { shape, theta }, base: { model } } = adapter
  const { gradient } = answerGradient(model, shape, theta, answer.prompt, answer.output)
  const influence = [...influenceOfAnswer(columns, gradient)]
  // what matters most for the whole is what can have shaped a word
  const shown = influence.map((value, column) => ({ value, column })).sort((a, b) => b.value - a.value || a.column - b.column).slice(0, TOKEN_COLUMNS_MAX).map(({ column }) => column)
  const directions = shown.map(column => normalised(columns[column]))
  const tokens = answerTokenDerivatives(model, shape, theta, answer.prompt, answer.output, directions.map(({ direction }) => direction))

  return {
    influence,
    tokens: tokens.map(derivatives => {
      const row = influence.map(() => 0)

      shown.forEach((column, k) => { row[column] = derivatives[k] * directions[k].factor })

      return row
    })
  }
}
