/** Words that were merged before; a bound because texts come from strangers. */
const CACHE_WORDS_MAX = 32_768
const CACHE_WORD_CHARACTERS_MAX = 64

type Pieces = ReadonlyMap<string, { id: number, score: number }>

interface Pair { score: number, left: number, right: number, length: number }

/**
 * Merging by score: of all neighbours that form a piece, those with the highest score are joined
 * first, the leftmost among equals, until none are left (`bpe_model.cc` of SentencePiece).
 * n log n in the length of the text.
 *
 * @param pieces - texts that may be formed
 * @param fallback - ids for a character that is no piece
 */
export function mergePieces (pieces: Pieces, fallback: (character: string) => number[]): (text: string) => readonly number[] {
  const cache = new Map<string, readonly number[]>()
  return text => {
    const known = cache.get(text)
    if (known != null) {
      return known
    }
    const ids = symbols(text, pieces).flatMap(symbol => pieces.get(symbol)?.id ?? fallback(symbol))
    if (text.length <= CACHE_WORD_CHARACTERS_MAX && cache.size < CACHE_WORDS_MAX) {
      cache.set(text, ids)
    }
    return ids
  }
}

function symbols (text: string, pieces: Pieces): string[] {
  const parts: string[] = Array.from(text)
  // a list with both ends open; a part that was joined to its left is empty
  const previous = Int32Array.from(parts, (_, i) => i - 1)
  const next = Int32Array.from(parts, (_, i) => i + 1)
  const heap: Pair[] = []
  const consider = (left: number, right: number): void => {
    if (left >= 0 && right < parts.length) {
      const joined = parts[left] + parts[right]
      const piece = pieces.get(joined)
      if (piece != null) {
        push(heap, { score: piece.score, left, right, length: joined.length })
      }
    }
  }
  for (let i = 0; i + 1 < parts.length; i++) {
    consider(i, i + 1)
  }
  for (let best = pop(heap); best != null; best = pop(heap)) {
    const { left, right, length } = best
    // one of the two may have been joined to another meanwhile
    if (parts[left] === '' || parts[right] === '' || next[left] !== right || parts[left].length + parts[right].length !== length) {
      continue
    }
    parts[left] += parts[right]
    parts[right] = ''
    next[left] = next[right]
    if (next[right] < parts.length) {
      previous[next[right]] = left
    }
    consider(previous[left], left)
    consider(left, next[left])
  }
  return parts.filter(part => part !== '')
}

function before (a: Pair, b: Pair): boolean {
  return a.score > b.score || (a.score === b.score && a.left < b.left)
}

function push (heap: Pair[], pair: Pair): void {
  let at = heap.push(pair) - 1
  while (at > 0) {
    const parent = (at - 1) >>> 1
    if (!before(pair, heap[parent])) {
      break
    }
    heap[at] = heap[parent]
    at = parent
  }
  heap[at] = pair
}

function pop (heap: Pair[]): Pair | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (last == null || heap.length === 0) {
    return first
  }
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) {
      break
    }
    if (child + 1 < heap.length && before(heap[child + 1], heap[child])) {
      child++
    }
    if (!before(heap[child], last)) {
      break
    }
    heap[at] = heap[child]
    at = child
  }
  heap[at] = last
  return first
}
