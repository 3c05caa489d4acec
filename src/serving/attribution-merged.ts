import { dividedTokens, influenceOfAnswer, mergedEffects, normalised } from '../attribution/index.ts'
import { answerGradients, mergedTokenDerivatives } from '../models/index.ts'
import { TOKEN_COLUMNS_MAX } from './constants.ts'
import { lorasOf } from './loras.ts'
import type { LoadedAdapter } from './interface.ts'
import type { ReceiptOpening } from '../interface/index.ts'
import type { WeightedLora } from '../models/index.ts'

/** What one adapter of a merge did for an answer. */
export interface ParentAttribution {
  /** its part of what all together changed in the answer's log-likelihood, nats */
  effect: number
  /** of the positive effects, in millionths */
  sharePpm: number
  /** per contribution of its own snapshot, nats by unit of weight; null where it has no columns here */
  influence: number[] | null
  /** its effect on each token, nats; they sum to `effect` up to rounding */
  tokenEffects: number[]
  /**
   * Per token and contribution of its own snapshot, what of a positive effect is the contribution's,
   * nats. Of more than TOKEN_COLUMNS_MAX contributions of all adapters together those that did most for the
   * whole; the others have 0. Null where it has no columns here.
   */
  tokens: number[][] | null
}

type Columns = ReadonlyArray<Float64Array[] | null>
type TracedAnswer = Pick<ReceiptOpening, 'prompt' | 'output'>

/**
 * Divides an answer of several adapters as a committee will: by measured effect among them, then by
 * each one's influence Jacobian at the merged weights; and each of its tokens likewise. 2ⁿ passes over
 * the answer for n adapters, and where any of them has columns one pass back, and the columns forward
 * through the model; `columns` has those of each parent, in their order.
 */
export function attributeMerged (adapter: LoadedAdapter, { prompt, output }: TracedAnswer, columns: Columns): ParentAttribution[] {
  const { model } = adapter.base
  const lora = lorasOf(adapter)

  if (output.length === 0) {
    return lora.map(() => ({ effect: 0, sharePpm: 0, influence: null, tokenEffects: [], tokens: null }))
  }

  const gradients = columns.some(one => one != null) ? answerGradients(model, lora, prompt, output) : []
  const effects = mergedEffects(model, { prompt, output, adapters: lora })
  const influence = columns.map((own, parent) => own == null ? null : [...influenceOfAnswer(own, gradients[parent])])
  const derivatives = tokenDerivatives(adapter, lora, { prompt, output }, columns, shownColumns(columns, influence, effects))
  const tokens = dividedTokens(effects.map(({ tokens }, parent) => ({ effects: tokens, derivatives: derivatives[parent] })))

  return effects.map(({ effect, sharePpm, tokens: tokenEffects }, parent) => ({
    effect, sharePpm, influence: influence[parent], tokenEffects: [...tokenEffects], tokens: influence[parent] == null ? null : tokens[parent]
  }))
}

/** A column and where its contribution stands. */
interface Shown {
  parent: number
  column: number
  values: Float64Array
}

/** What did most for the whole is what can have shaped a word: by its share of the answer, then by its influence. */
function shownColumns (columns: Columns, influence: ReadonlyArray<number[] | null>, effects: ReadonlyArray<{ sharePpm: number }>): Shown[] {
  return columns.flatMap((own, parent) => {
    const of = influence[parent] ?? []
    const sum = of.reduce((sum, value) => sum + Math.max(0, value), 0)

    return (own ?? []).map((values, column) => ({ parent, column, values, influence: of[column], share: sum > 0 ? effects[parent].sharePpm * Math.max(0, of[column]) / sum : 0 }))
  }).sort((a, b) => b.share - a.share || b.influence - a.influence || a.parent - b.parent || a.column - b.column).slice(0, TOKEN_COLUMNS_MAX)
}

/** By parent, token and contribution; the columns that are not shown have 0, parents without columns null. */
function tokenDerivatives ({ base: { model } }: LoadedAdapter, lora: readonly WeightedLora[], { prompt, output }: TracedAnswer, columns: Columns, shown: readonly Shown[]): Array<number[][] | null> {
  const directions = shown.map(({ parent, values }) => ({ adapter: parent, ...normalised(values) }))
  const derivatives = mergedTokenDerivatives(model, lora, prompt, output, directions)
  const rows = columns.map(own => own == null ? null : output.map(() => own.map(() => 0)))

  shown.forEach(({ parent, column }, k) => {
    rows[parent]?.forEach((row, token) => { row[column] = derivatives[token][k] * directions[k].factor })
  })

  return rows
}
