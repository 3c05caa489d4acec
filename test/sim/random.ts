/** A seeded generator for tests (mulberry32). Integers only, so that a seed means the same everywhere. */
export interface Random {
  /** 0 … bound - 1 */
  below (bound: number): number
  /** from … to, both included */
  between (from: number, to: number): number
  /** true in so many of a thousand cases */
  chance (permille: number): boolean
  pick<T> (items: readonly T[]): T
  shuffle<T> (items: readonly T[]): T[]
}

export const random = (seed: number): Random => {
  let state = (seed * 0x9e3779b1 + 0x7f4a7c15) | 0

  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t

    return (t ^ (t >>> 14)) >>> 0
  }

  const below = (bound: number): number => next() % bound

  return {
    below,
    between: (from, to) => from + below(to - from + 1),
    chance: permille => below(1000) < permille,
    pick: items => items[below(items.length)],
    shuffle (items) {
      const result = [...items]

      for (let i = result.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [result[i], result[j]] = [result[j], result[i]]
      }

      return result
    }
  }
}
