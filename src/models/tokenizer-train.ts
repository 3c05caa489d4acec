import { VOCABULARY_MAX } from './constants.ts'
import { TokenizerError } from './errors.ts'
import { runsOf } from './pre-tokenise.ts'
import type { BpeModel } from './tokenizer.ts'

interface Word { ids: number[], count: number }

const SPECIAL = 2
const FIRST_MERGE = SPECIAL + 256
/** A pair seen once is no pattern. */
const PAIR_COUNT_MIN = 2

/**
 * Learns a byte-level BPE (Sennrich et al. 2016): the most frequent pair of neighbours becomes a
 * token until the vocabulary is full or no pair is seen twice. Ties go to the pair whose left
 * bytes, then right bytes, come first, so the result depends on the texts' runs and their counts
 * alone, not on their order.
 * The vocabulary counts all tokens: 2 special, 256 bytes, the rest merges.
 */
export function trainTokenizer (texts: Iterable<string>, vocabularySize: number): BpeModel {
  if (!Number.isInteger(vocabularySize) || vocabularySize < FIRST_MERGE || vocabularySize > VOCABULARY_MAX) {
    throw new TokenizerError(`expected a vocabulary of ${FIRST_MERGE} … ${VOCABULARY_MAX} tokens but got ${vocabularySize}`)
  }
  const words = countWords(texts)
  const tokens = [new Uint8Array(0), new Uint8Array(0), ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))]
  const merges: BpeModel['merges'] = []
  const known = new Set(tokens.slice(SPECIAL).map(bytes => bytes.join()))
  const pairs = new Pairs(words)
  while (tokens.length < vocabularySize) {
    const best = pairs.best(tokens)
    if (best == null) {
      break
    }
    const bytes = Uint8Array.from([...tokens[best.left], ...tokens[best.right]])
    // two different pairs may spell the same token; a vocabulary names each once
    if (known.has(bytes.join())) {
      pairs.drop(best.left, best.right)
      continue
    }
    known.add(bytes.join())
    merges.push({ ...best, id: tokens.length })
    pairs.merge(best.left, best.right, tokens.length)
    tokens.push(bytes)
  }
  return { tokens, bos: 0, eos: 1, merges }
}

function countWords (texts: Iterable<string>): Word[] {
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const run of runsOf(text)) {
      counts.set(run, (counts.get(run) ?? 0) + 1)
    }
  }
  const encoder = new TextEncoder()
  return [...counts].map(([run, count]) => ({ ids: [...encoder.encode(run)].map(byte => byte + SPECIAL), count }))
}

/** How often each pair of neighbours occurs and in which words. */
class Pairs {
  private readonly words: Word[]
  private readonly counts = new Map<number, number>()
  private readonly places = new Map<number, Set<number>>()

  constructor (words: Word[]) {
    this.words = words
    words.forEach((_, index) => { this.count(index, 1) })
  }

  best (tokens: Uint8Array[]): { left: number, right: number } | undefined {
    let best: { left: number, right: number } | undefined
    let most = PAIR_COUNT_MIN - 1
    for (const [key, count] of this.counts) {
      if (count < most || count < PAIR_COUNT_MIN) {
        continue
      }
      const pair = { left: Math.floor(key / VOCABULARY_MAX), right: key % VOCABULARY_MAX }
      if (count > most || best == null || compare(tokens, pair, best) < 0) {
        best = pair
        most = count
      }
    }
    return best
  }

  merge (left: number, right: number, id: number): void {
    for (const index of this.places.get(left * VOCABULARY_MAX + right) ?? []) {
      this.count(index, -1)
      const word = this.words[index]
      const ids: number[] = []
      for (let i = 0; i < word.ids.length; i++) {
        if (word.ids[i] === left && word.ids[i + 1] === right) {
          ids.push(id)
          i++
        } else {
          ids.push(word.ids[i])
        }
      }
      word.ids = ids
      this.count(index, 1)
    }
    this.drop(left, right)
  }

  drop (left: number, right: number): void {
    this.counts.delete(left * VOCABULARY_MAX + right)
    this.places.delete(left * VOCABULARY_MAX + right)
  }

  private count (index: number, sign: 1 | -1): void {
    const { ids, count } = this.words[index]
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = ids[i] * VOCABULARY_MAX + ids[i + 1]
      const sum = (this.counts.get(key) ?? 0) + sign * count
      if (sum === 0) {
        this.counts.delete(key)
      } else {
        this.counts.set(key, sum)
      }
      if (sign === 1) {
        let places = this.places.get(key)
        if (places == null) {
          places = new Set()
          this.places.set(key, places)
        }
        places.add(index)
      }
    }
  }
}

function compare (tokens: Uint8Array[], a: { left: number, right: number }, b: { left: number, right: number }): number {
  const left = compareBytes(tokens[a.left], tokens[b.left])
  return left !== 0 ? left : compareBytes(tokens[a.right], tokens[b.right])
}

function compareBytes (a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) {
      return a[i] - b[i]
    }
  }
  return a.length - b.length
}
