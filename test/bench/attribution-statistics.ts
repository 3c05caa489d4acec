import { prng } from '../../src/numeric/index.ts'

/** A value with its 95 % bootstrap interval. */
export interface Interval {
  value: number
  low: number
  high: number
}

const RESAMPLES = 500

export const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

/** Ranks from 1; ties share the mean of theirs. */
export function ranks (values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b])
  const out = new Float64Array(values.length)

  for (let from = 0; from < order.length;) {
    let to = from + 1

    while (to < order.length && values[order[to]] === values[order[from]]) {
      to++
    }

    for (let i = from; i < to; i++) {
      out[order[i]] = (from + to + 1) / 2
    }

    from = to
  }

  return out
}

export function pearson (a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]

  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb)
    aa += (a[i] - ma) * (a[i] - ma)
    bb += (b[i] - mb) * (b[i] - mb)
  }

  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}

export const spearman = (a: ArrayLike<number>, b: ArrayLike<number>): number => pearson(ranks(a), ranks(b))

/** The chance that a flipped one ranks above another; ties count half. */
export function auc (scores: ArrayLike<number>, flipped: boolean[]): number {
  const order = ranks(scores)
  const positives = flipped.filter(Boolean).length
  const sum = flipped.reduce((total, is, i) => total + (is ? order[i] : 0), 0)

  return (sum - positives * (positives + 1) / 2) / (positives * (flipped.length - positives))
}

/**
 * The mean over queries of the rank correlation over subsets, and the interval that resampling both
 * queries and subsets gives.
 *
 * @param predicted - per query, per subset
 * @param actual - the same
 */
export function meanSpearman (predicted: number[][], actual: number[][]): Interval {
  const random = prng(20_240_131)
  const subsets = predicted[0].length
  const value = mean(predicted.map((row, q) => spearman(row, actual[q])))
  const resampled = Array.from({ length: RESAMPLES }, () => {
    const columns = Array.from({ length: subsets }, () => random.nextBelow(subsets))

    return mean(predicted.map(() => {
      const q = random.nextBelow(predicted.length)

      return spearman(columns.map(s => predicted[q][s]), columns.map(s => actual[q][s]))
    }))
  })

  return { value, ...interval(resampled) }
}

/** The interval of an AUC under resampling of examples. */
export function aucInterval (scores: ArrayLike<number>, flipped: boolean[]): Interval {
  const random = prng(20_240_131)
  const resampled = Array.from({ length: RESAMPLES }, () => {
    const picks = flipped.map(() => random.nextBelow(flipped.length))

    return auc(picks.map(i => scores[i]), picks.map(i => flipped[i]))
  }).filter(Number.isFinite)

  return { value: auc(scores, flipped), ...interval(resampled) }
}

function interval (resampled: number[]): { low: number, high: number } {
  const sorted = Float64Array.from(resampled).sort()

  return { low: sorted[Math.floor(0.025 * (sorted.length - 1))], high: sorted[Math.ceil(0.975 * (sorted.length - 1))] }
}
