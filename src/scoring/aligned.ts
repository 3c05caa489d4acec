import { ALIGNED_TOKENS_MIN, PAIR_HOLDERS_MAX, PAIRS_MAX } from './constants.ts'

/** Shifts that are looked at, those with the most pairs first: a copy has one, or few where words were put in. */
const SHIFTS_MAX = 8

/** Pairs of tokens are remembered at these distances, so that two of any three tokens in a row are one. */
const GAPS = [1, 2]

export interface Aligned {
  /** An original, to be found from now on. */
  hold (example: number): void
  /**
   * The original under which more than half of the tokens stand in place, together with others of its
   * contribution: copies that begin elsewhere lie under two.
   */
  original (example: number): number | undefined
}

/**
 * Finds copies in which so many words were replaced that no run of them is left: the others still
 * stand in the same distances. Texts one after the other are one line of tokens; a copy is the line
 * shifted. Shifts are voted for by pairs of tokens, then compared token by token.
 *
 * @param examples - tokens of each
 * @param groups - the contribution of each; neighbours in a contribution follow each other
 */
export function aligned (examples: ArrayLike<number>[], groups: Uint32Array): Aligned {
  const starts = new Float64Array(examples.length + 1)

  examples.forEach(({ length }, i) => { starts[i + 1] = starts[i] + length })

  const sparseness = Math.max(1, Math.ceil(GAPS.length * starts[examples.length] / PAIRS_MAX))
  const holders = new Map<number, number[]>()
  const held = new Uint8Array(examples.length)

  const pairs = (tokens: ArrayLike<number>, visit: (pair: number, at: number) => void): void => {
    for (const gap of GAPS) {
      for (let at = 0; at + gap < tokens.length; at++) {
        const mixed = Math.imul(Math.imul(tokens[at] ^ gap << 28, 0x9e3779b1) ^ tokens[at + gap], 0x85ebca6b)
        const pair = (mixed ^ mixed >>> 15) >>> 0

        if (pair % sparseness === 0) {
          visit(pair, at)
        }
      }
    }
  }

  return {
    hold (example) {
      held[example] = 1
      pairs(examples[example], (pair, at) => {
        const list = holders.get(pair)

        if (list === undefined) {
          holders.set(pair, [starts[example] + at])
        } else if (list.length < PAIR_HOLDERS_MAX) {
          list.push(starts[example] + at)
        }
      })
    },

    original (example) {
      const tokens = examples[example]
      const votes = new Map<number, number>()

      if (tokens.length < ALIGNED_TOKENS_MIN) {
        return undefined
      }

      pairs(tokens, (pair, at) => {
        holders.get(pair)?.forEach(position => { votes.set(position - at, (votes.get(position - at) ?? 0) + 1) })
      })

      const shifts = [...votes].filter(([, count]) => count > 1).sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, SHIFTS_MAX)
      const found = shifts.map(([shift]) => under(tokens, shift)).find(({ matches }) => 2 * matches > tokens.length)

      return found?.original
    }
  }

  /** The original that has most tokens in place at this shift, and how many its contribution has. */
  function under (tokens: ArrayLike<number>, shift: number): { original: number, matches: number } {
    const counts = new Map<number, number>()
    let example = exampleAt(Math.max(0, shift))

    for (let at = Math.max(0, -shift); at < tokens.length && shift + at < starts[examples.length]; at++) {
      while (starts[example + 1] <= shift + at) {
        example++
      }

      if (held[example] === 1 && examples[example][shift + at - starts[example]] === tokens[at]) {
        counts.set(example, (counts.get(example) ?? 0) + 1)
      }
    }

    const [original] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).at(0) ?? [0]

    return { original, matches: [...counts].reduce((sum, [other, count]) => groups[other] === groups[original] ? sum + count : sum, 0) }
  }

  function exampleAt (position: number): number {
    let [low, high] = [0, examples.length - 1]

    while (low < high) {
      const middle = (low + high + 1) >>> 1

      if (starts[middle] <= position) {
        low = middle
      } else {
        high = middle - 1
      }
    }

    return low
  }
}
