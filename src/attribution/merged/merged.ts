import { answerProbabilities } from '../../models/index.ts'
import { MERGE_PARENTS_MAX } from '../../wire/index.ts'
import { AttributionInputError } from '../influence/errors.ts'
import type { LlamaModel, WeightedLora } from '../../models/index.ts'

/** Adapters of one answer, as many as a merge has: all their subsets are measured, so four cost sixteen passes over it. */
export const MERGED_ADAPTERS_MAX = MERGE_PARENTS_MAX

const MILLION = 1_000_000

/** What one of several merged adapters did for an answer. */
export interface MergedEffect {
  /** its part of what all together changed in the answer's log-likelihood, nats; the parts sum to that change */
  effect: number
  /** of the positive effects, in millionths, rounded down; what rounding leaves is the largest's */
  sharePpm: number
  /** the effect on each token of the output, nats; they sum to `effect` up to rounding */
  tokens: Float64Array
}

/** An answer of several adapters on one base. */
export interface MergedAnswer {
  prompt: ArrayLike<number>
  output: ArrayLike<number>
  adapters: readonly WeightedLora[]
  /** before each pass over the answer: all of them together take long */
  onPass? (): void
}

/**
 * Splits an answer among the adapters that were merged for it by their measured effect: the
 * answer's log-likelihood with and without each, averaged over the orders in which they can be
 * added (Shapley 1953). With and without each at the end alone would give two that know the same
 * nothing at all. Where none helped, all share alike.
 *
 * Same answer, same bits: the passes are the engine's, and subsets are added in the order of their
 * bits.
 *
 * @throws {AttributionInputError} for no adapters, or more than MERGED_ADAPTERS_MAX
 * @throws {TokensError} if the prompt is empty, a token is foreign, or both exceed the context
 */
export function mergedEffects (model: LlamaModel, { prompt, output, adapters, onPass }: MergedAnswer): MergedEffect[] {
  const count = adapters.length

  if (count === 0 || count > MERGED_ADAPTERS_MAX) {
    throw new AttributionInputError(`expected 1 to ${MERGED_ADAPTERS_MAX} merged adapters but got ${count}`)
  }

  const tokens = Array.from({ length: 1 << count }, (_, subset) => {
    onPass?.()

    const lora = adapters.filter((_, i) => (subset >> i & 1) === 1)

    return answerProbabilities(model, { prompt, output, lora }, 1).map(({ logProbability }) => logProbability)
  })
  const effects = partsOf(tokens.map(values => values.reduce((sum, value) => sum + value, 0)), count)
  const ofToken = Array.from({ length: output.length }, (_, token) => partsOf(tokens.map(values => values[token]), count))

  return sharesOf(effects).map((share, i) => ({ ...share, tokens: Float64Array.from(ofToken, parts => parts[i]) }))
}

/** Each one's part of a value that every subset has: what it adds, averaged over the orders. */
function partsOf (value: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => value.reduce((sum, without, subset) =>
    (subset >> i & 1) === 1 ? sum : sum + ordersWith(count, sizeOf(subset)) * (value[subset | 1 << i] - without), 0))
}

/** What is known of one of several adapters at the tokens of an answer. */
export interface TokenInfluence {
  /** its effect on each token, nats */
  effects: ArrayLike<number>
  /** per token and contribution of its data the derivative of the token's log-likelihood; null where it has no columns */
  derivatives: readonly ArrayLike<number>[] | null
}

/**
 * Divides each token among the contributions behind merged adapters as the whole answer is divided:
 * first by what each adapter did for it, then by the contributions that raised it through that
 * adapter. What an adapter did whose data are not known is nobody's.
 *
 * @returns by adapter, token and contribution, nats, never negative
 */
export function dividedTokens (adapters: readonly TokenInfluence[]): number[][][] {
  return adapters.map(({ effects, derivatives }) => (derivatives ?? []).map((row, token) => {
    const positive = Array.from(row, value => Math.max(0, value))
    const sum = positive.reduce((sum, value) => sum + value, 0)
    const effect = Math.max(0, effects[token])

    return positive.map(value => sum > 0 ? effect * (value / sum) : 0)
  }))
}

function sharesOf (effects: readonly number[]): Array<Pick<MergedEffect, 'effect' | 'sharePpm'>> {
  const positive = effects.map(effect => Math.max(0, effect))
  const sum = positive.reduce((sum, effect) => sum + effect, 0)
  const shares = positive.map(effect => Math.floor(MILLION * (sum > 0 ? effect / sum : 1 / effects.length)))
  const largest = effects.reduce((best, effect, i) => effect > effects[best] ? i : best, 0)

  shares[largest] += MILLION - shares.reduce((sum, share) => sum + share, 0)

  return effects.map((effect, i) => ({ effect, sharePpm: shares[i] }))
}

/** size! · (count − size − 1)! / count!: the share of orders in which exactly these come before. */
function ordersWith (count: number, size: number): number {
  return factorial(size) * factorial(count - size - 1) / factorial(count)
}

const factorial = (n: number): number => n < 2 ? 1 : n * factorial(n - 1)

const sizeOf = (subset: number): number => subset === 0 ? 0 : (subset & 1) + sizeOf(subset >> 1)
