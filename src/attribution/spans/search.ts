import type { SpanPart } from './part.ts'

/**
 * The longest prefix of `tokens` from `from` on that occurs in a part. Binary search over suffixes
 * that skips what both ends are known to share (Manber and Myers 1990), so it looks at about
 * log₂ n suffixes and at each token once.
 */
export function longestMatch (part: SpanPart, tokens: ArrayLike<number>, from: number): number {
  let [low, high] = [-1, part.tokens]
  let [lowShares, highShares] = [0, 0]
  let longest = 0

  while (high - low > 1) {
    const middle = (low + high) >>> 1
    const place = part.suffix(middle)
    const shared = sharedFrom(part, place, tokens, from, Math.min(lowShares, highShares))

    longest = Math.max(longest, shared)

    if (from + shared >= tokens.length) {
      return shared
    }

    if (part.symbol(place + shared) > tokens[from + shared] + 1) {
      [high, highShares] = [middle, shared]
    } else {
      [low, lowShares] = [middle, shared]
    }
  }

  return longest
}

/** Ranks of the suffixes that begin with some tokens: from the first, to before the last. */
export function rangeOf (part: SpanPart, tokens: ArrayLike<number>, from: number, count: number): { first: number, end: number } {
  const bound = (equalIsBelow: boolean): number => {
    let [low, high] = [0, part.tokens]

    while (low < high) {
      const middle = (low + high) >>> 1

      if (isBelow(part, part.suffix(middle), tokens, from, count, equalIsBelow)) {
        low = middle + 1
      } else {
        high = middle
      }
    }

    return low
  }

  return { first: bound(false), end: bound(true) }
}

function sharedFrom (part: SpanPart, place: number, tokens: ArrayLike<number>, from: number, known: number): number {
  let shared = known

  while (from + shared < tokens.length && part.symbol(place + shared) === tokens[from + shared] + 1) {
    shared++
  }

  return shared
}

function isBelow (part: SpanPart, place: number, tokens: ArrayLike<number>, from: number, count: number, equalIsBelow: boolean): boolean {
  for (let i = 0; i < count; i++) {
    const symbol = part.symbol(place + i)

    if (symbol !== tokens[from + i] + 1) {
      return symbol < tokens[from + i] + 1
    }
  }

  return equalIsBelow
}
