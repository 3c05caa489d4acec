import { influenceOfAnswer, normalised } from '../attribution/index.ts'
import { answerGradient, answerTokenDerivatives } from '../models/index.ts'
import { ATTRIBUTIONS_KEPT_MAX, ATTRIBUTION_VALUES_KEPT_MAX, GRADIENTS_KEPT_MAX, TOKEN_COLUMNS_MAX } from './constants.ts'
import type { LoadedAdapter } from './interface.ts'
import type { ReceiptOpening } from '../interface/index.ts'

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

/** Gradients of answers that were checked and not traced yet, by adapter, prompt and output; the oldest first. */
const gradients = new WeakMap<LoadedAdapter, Map<string, Float64Array>>()

type TracedAnswer = Pick<ReceiptOpening, 'prompt' | 'output'>

/** Whether answers of an adapter are traced here: it publishes columns, or was given some. */
export function isTraced (adapter: LoadedAdapter): boolean {
  return adapter.columns != null || known.has(adapter)
}

/** Keeps the gradient that checking an answer came by, for whoever traces it next. */
export function keepGradient (adapter: LoadedAdapter, answer: TracedAnswer, gradient: Float64Array): void {
  const kept = gradients.get(adapter) ?? new Map<string, Float64Array>()

  gradients.set(adapter, kept.set(keyOf(answer), gradient))

  for (const oldest of [...kept.keys()].slice(0, -GRADIENTS_KEPT_MAX)) {
    kept.delete(oldest)
  }
}

/**
 * Traces an answer through the influence Jacobian: one backward pass times the columns for the
 * whole (none where checking the answer came by its gradient), and the columns forward through the
 * model for its tokens. The same answer again takes no pass.
 *
 * `columns` are by default those that the adapter's record publishes.
 *
 * @returns null where there is no Jacobian; its scores come from the epoch's replay
 */
export function attributeAnswer (adapter: LoadedAdapter, answer: TracedAnswer, columns = adapter.columns): AnswerAttribution | null {
  if (columns == null || answer.output.length === 0) {
    return null
  }

  const before = known.get(adapter)
  const { answers } = before?.columns === columns ? before : { answers: new Map<string, AnswerAttribution>() }
  const key = keyOf(answer)
  const attribution = answers.get(key) ?? compute(adapter, answer, columns)

  gradients.get(adapter)?.delete(key)

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

function compute (adapter: LoadedAdapter, answer: TracedAnswer, columns: Float64Array[]): AnswerAttribution {
  const { lora: { shape, theta }, base: { model } } = adapter
  const gradient = gradients.get(adapter)?.get(keyOf(answer)) ?? answerGradient(model, shape, theta, answer.prompt, answer.output).gradient
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

function keyOf ({ prompt, output }: TracedAnswer): string {
  return `${prompt.join(' ')}/${output.join(' ')}`
}
