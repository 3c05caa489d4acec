import { aligned } from './aligned.ts'
import { NEAR_DUPLICATE_SHARE_PERCENT, SHINGLES_MAX, SHINGLE_HOLDERS_MAX, SHINGLE_TOKENS } from './constants.ts'
import { ScoreTableError } from './errors.ts'

/**
 * Who represents each example: the earliest committed example that it nearly repeats, or itself.
 * Feeds `contributionScores`, by which a copy earns nothing for its owner and takes nothing from the
 * original.
 *
 * An example repeats another if half of its runs of four tokens are in the other or in the other and
 * the one after it: copies that begin elsewhere are cut elsewhere. Or if more than half of its tokens
 * stand in the other at the same distances, which finds copies with one word in three replaced.
 * Compared with originals alone, so that a chain of small changes cannot lead away from them. Integers
 * only, and a function of the examples and their order of commitment: every assessor finds the same.
 *
 * @param examples - tokens of each
 * @param groups - the contribution of each; neighbours in a contribution follow each other
 * @param commitments - per contribution its place in the order of commitment, each place once
 * @returns per example the representative's index; representatives stand for themselves
 * @throws {ScoreTableError} when lengths or places do not fit
 */
export function nearDuplicates (examples: ArrayLike<number>[], groups: Uint32Array, commitments: ArrayLike<number>): Uint32Array {
  if (groups.length !== examples.length) {
    throw new ScoreTableError(`expected a contribution for each of ${examples.length} examples but got ${groups.length}`)
  }

  if (new Set(Array.from(commitments)).size !== commitments.length || groups.some(group => group >= commitments.length)) {
    throw new ScoreTableError(`expected a place of its own in the order of commitment for each contribution but got ${Array.from(commitments).slice(0, 8).join(', ')} for ${commitments.length}`)
  }

  const order = Array.from(examples, (_, i) => i).sort((a, b) => commitments[groups[a]] - commitments[groups[b]] || a - b)
  const tokens = order.reduce((sum, i) => sum + examples[i].length, 0)
  const sparseness = Math.max(1, Math.ceil(tokens / SHINGLES_MAX))
  const holders = new Map<number, number[]>()
  const inPlace = aligned(examples, groups)
  const representatives = new Uint32Array(examples.length)

  for (const example of order) {
    const shingles = shinglesOf(examples[example], sparseness)
    const original = originalOf(shingles, holders, groups) ?? inPlace.original(example)

    representatives[example] = original ?? example

    if (original === undefined) {
      hold(example, shingles, holders)
      inPlace.hold(example)
    }
  }

  return representatives
}

function hold (example: number, shingles: Set<number>, holders: Map<number, number[]>): void {
  for (const shingle of shingles) {
    const list = holders.get(shingle)

    if (list === undefined) {
      holders.set(shingle, [example])
    } else if (list.length < SHINGLE_HOLDERS_MAX) {
      list.push(example)
    }
  }
}

/** The original that shares most with these shingles, together with its neighbours enough of them. */
function originalOf (shingles: Set<number>, holders: Map<number, number[]>, groups: Uint32Array): number | undefined {
  const shared = new Map<number, number>()

  for (const shingle of shingles) {
    for (const holder of holders.get(shingle) ?? []) {
      shared.set(holder, (shared.get(holder) ?? 0) + 1)
    }
  }

  let most = 0
  let original: number | undefined

  // in the order in which they were committed, so that the earliest of equals wins
  for (const [holder, count] of shared) {
    const before = holder > 0 && groups[holder - 1] === groups[holder] ? shared.get(holder - 1) ?? 0 : 0
    const after = holder + 1 < groups.length && groups[holder + 1] === groups[holder] ? shared.get(holder + 1) ?? 0 : 0
    const together = count + Math.max(before, after)

    if (count > most && together * 100 >= shingles.size * NEAR_DUPLICATE_SHARE_PERCENT) {
      most = count
      original = holder
    }
  }

  return original
}

/** Runs of four tokens as 53-bit hashes; of a shorter text the whole. Of much data only the one in `sparseness` whose hash says so. */
function shinglesOf (tokens: ArrayLike<number>, sparseness: number): Set<number> {
  const shingles = new Set<number>()
  const width = Math.min(SHINGLE_TOKENS, tokens.length)

  for (let at = 0; at + width <= tokens.length; at++) {
    let high = 0x811c9dc5
    let low = 0x9e3779b9

    for (let i = at; i < at + width; i++) {
      high = Math.imul(high ^ tokens[i], 0x01000193)
      high ^= high >>> 15
      low = Math.imul(low ^ tokens[i], 0x85ebca6b)
      low ^= low >>> 13
    }

    if ((high >>> 0) % sparseness === 0) {
      shingles.add((high >>> 0) * 0x200000 + (low >>> 11))
    }
  }

  return shingles
}
