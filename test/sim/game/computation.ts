import { cidOf, compareBytes, hash, utf8 } from '../../../src/wire/index.ts'
import type { Character } from './interface.ts'
import type { Hash, TaskState } from '../../../src/interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What an assessor says of a task: a score for each contribution, and the hash of each step on the way. */
export interface Work {
  scores: bigint[]
  steps: Hash[]
}

export interface Truth extends Work {
  /** whether the gateway delivers what has to be recomputed, and whether it holds */
  receipts: 'fine' | 'missing' | 'false'
  /** the redemption that is to blame if it does not */
  place: number
}

export const CONTRIBUTIONS: CID[] = ['a', 'b', 'c'].map(name => cidOf(utf8(name))).sort((a, b) => compareBytes(a.bytes, b.bytes))

/** Steps in a trace: a dispute takes one round, or up to three. */
const LENGTHS = [3, 12, 40, 140]

/** One task in thirteen is missing some, one has false ones. */
const RECEIPTS = ['missing', 'false', 'fine'] as const

/**
 * Stands for replaying answers and training: a function of the task and the redemptions that are left
 * in it that everybody who works comes to the same result of, step by step. What it is about is none
 * of the game's business.
 */
export const compute = (task: Hash, { fees, sources }: Pick<TaskState, 'fees' | 'sources'>): Truth => {
  const of = utf8(`${fees}`)
  const draw = hash('truth', task, of)
  const steps = Array.from({ length: LENGTHS[draw[0] % LENGTHS.length] }, (_, i) => hash('step', task, of, Uint8Array.of(i >> 8, i & 255)))
  const scores = CONTRIBUTIONS.map((_, i) => BigInt(draw[i + 1] % 20))
  const fault = hash('receipts', task)
  const place = fault[1] % sources.length

  return { scores, steps, receipts: sources[place].fault === null ? RECEIPTS[Math.min(2, Math.floor(fault[0] / 20))] : 'fine', place }
}

const falseFrom = (steps: Hash[], from: number, name: string): Hash[] =>
  steps.map((step, i) => i < from ? step : hash('false', utf8(name), step))

/** What a character says, who may know better. */
export const workOf = (character: Character, { scores, steps }: Truth, name: string, task: Hash): Work => {
  const at = (who: string): number => hash('from', task, utf8(who))[0] * steps.length >> 8

  switch (character) {
    case 'liar':
      return { scores: scores.map((score, i) => score + BigInt(hash('lie', task, utf8(name))[i] % 5 + (i === 0 ? 1 : 0))), steps: falseFrom(steps, at(name), name) }
    case 'colluder':
      return { scores: scores.map((score, i) => i === 0 ? score + 7n : score), steps: falseFrom(steps, at('colluders'), 'colluders') }
    case 'lazy':
      return { scores: scores.map(() => 1_000n), steps: falseFrom(steps, 0, 'lazy') }
    case 'parrot':
      return { scores, steps: falseFrom(steps, 0, name) }
    default:
      return { scores, steps }
  }
}
