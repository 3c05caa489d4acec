/**
 * The suffixes of a text in order, in linear time: SA-IS (Nong, Zhang and Chan, "Two Efficient
 * Algorithms for Linear Time Suffix Array Construction", 2011). A suffix that is a prefix of another
 * comes first.
 *
 * @param text - symbols 0 … largest
 * @param largest - of the symbols
 * @returns the places at which the suffixes begin, as many as symbols
 */
export function suffixArray (text: Int32Array, largest: number): Int32Array {
  const n = text.length

  if (n < 2) {
    return new Int32Array(n)
  }

  const small = smallerThanNext(text)
  const starts = buckets(text, small, largest)
  const { places, numbers } = leftmostSmall(small)
  const suffixes = new Int32Array(n)

  induce(text, small, starts, places, suffixes)

  if (places.length > 1) {
    const sorted = suffixes.filter(place => numbers[place] >= 0)
    const names = nameSubstrings(text, places, numbers, sorted)
    const order = suffixArray(names.text, names.largest)

    order.forEach((number, i) => { sorted[i] = places[number] })
    induce(text, small, starts, sorted, suffixes)
  }

  return suffixes
}

/** 1 for each suffix that is smaller than the one after it ("S-type"). */
function smallerThanNext (text: Int32Array): Uint8Array {
  const small = new Uint8Array(text.length)

  for (let i = text.length - 2; i >= 0; i--) {
    small[i] = text[i] === text[i + 1] ? small[i + 1] : Number(text[i] < text[i + 1])
  }

  return small
}

interface Buckets {
  /** where the suffixes that begin with a symbol are, the larger ones (L) first */
  large: Int32Array
  /** and where the smaller ones (S) begin */
  small: Int32Array
}

function buckets (text: Int32Array, small: Uint8Array, largest: number): Buckets {
  const out = { large: new Int32Array(largest + 2), small: new Int32Array(largest + 2) }

  text.forEach((symbol, i) => {
    if (small[i] === 0) {
      out.small[symbol]++
    } else {
      out.large[symbol + 1]++
    }
  })

  for (let symbol = 0; symbol <= largest; symbol++) {
    out.small[symbol] += out.large[symbol]
    out.large[symbol + 1] += out.small[symbol]
  }

  return out
}

/** Smaller suffixes after a larger one ("LMS"): in the text's order, and their number at each place, -1 for none. */
function leftmostSmall (small: Uint8Array): { places: Int32Array, numbers: Int32Array } {
  const numbers = new Int32Array(small.length).fill(-1)
  let count = 0

  for (let i = 1; i < small.length; i++) {
    if (small[i] === 1 && small[i - 1] === 0) {
      numbers[i] = count++
    }
  }

  const places = new Int32Array(count)

  numbers.forEach((number, place) => {
    if (number >= 0) {
      places[number] = place
    }
  })

  return { places, numbers }
}

/** Sorts all suffixes from LMS suffixes in order: larger ones from the left, then smaller ones from the right. */
function induce (text: Int32Array, small: Uint8Array, starts: Buckets, lms: Int32Array, suffixes: Int32Array): void {
  const n = text.length
  const smallNext = starts.small.slice()
  const largeNext = starts.large.slice()
  // the end of a symbol's bucket is the start of the next one's
  const ends = starts.large.slice(1)

  suffixes.fill(-1)

  for (const place of lms) {
    suffixes[smallNext[text[place]]++] = place
  }

  // the last suffix follows the empty one, which is no part of the text
  suffixes[largeNext[text[n - 1]]++] = n - 1

  for (let i = 0; i < n; i++) {
    const before = suffixes[i] - 1

    if (before >= 0 && small[before] === 0) {
      suffixes[largeNext[text[before]]++] = before
    }
  }

  for (let i = n - 1; i >= 0; i--) {
    const before = suffixes[i] - 1

    if (before >= 0 && small[before] === 1) {
      suffixes[--ends[text[before]]] = before
    }
  }
}

/** The text of LMS substrings, each as the rank of its content. */
function nameSubstrings (text: Int32Array, places: Int32Array, numbers: Int32Array, sorted: Int32Array): { text: Int32Array, largest: number } {
  const names = new Int32Array(places.length)
  const end = (place: number): number => places[numbers[place] + 1] ?? text.length
  let name = 0

  for (let i = 1; i < sorted.length; i++) {
    name += equalUntil(text, sorted[i - 1], end(sorted[i - 1]), sorted[i], end(sorted[i])) ? 0 : 1
    names[numbers[sorted[i]]] = name
  }

  return { text: names, largest: name }
}

/** Whether two substrings are equal, the symbol that each ends at included. */
function equalUntil (text: Int32Array, a: number, endA: number, b: number, endB: number): boolean {
  if (endA - a !== endB - b || Math.max(endA, endB) >= text.length) {
    return false
  }

  for (let i = 0; i <= endA - a; i++) {
    if (text[a + i] !== text[b + i]) {
      return false
    }
  }

  return true
}
