import type { Signer } from '../../../src/identity/index.ts'
import type { Hash, Signed, Transaction } from '../../../src/interface/index.ts'
import type { LedgerState } from '../../../src/ledger/index.ts'
import type { Random } from '../random.ts'
import type { Truth, Work } from './computation.ts'

/**
 * Who sits in committees.
 *
 * - honest: recomputes, and does what the ledger asks for
 * - liar: scores of its own, with a trace that is false from a step of its own on
 * - colluder: a liar whose fellows tell the same lie
 * - lazy: computes nothing; says that everybody deserves the same
 * - copier: copies the commit of another seat
 * - parrot: was told the right scores, and makes up the trace
 * - silent: never commits
 * - withholder: commits the truth, and keeps back what it owes at some later point
 * - denier: says that it could not fetch what it could
 * - slanderer: says that receipts are false which hold
 */
export type Character = 'honest' | 'liar' | 'colluder' | 'lazy' | 'copier' | 'parrot' | 'silent' | 'withholder' | 'denier' | 'slanderer'

/**
 * Who validates, beside proposing in turn.
 *
 * - liar: judges as the colluders want it
 * - echo: repeats the first verdict that it sees
 * - mute: judges nothing
 * - censor: leaves most transactions of others out of its blocks
 */
export type ValidatorCharacter = 'honest' | 'liar' | 'echo' | 'mute' | 'censor'

/** Work, and what a seat must know of it until the task is over. */
export interface Kept extends Work {
  salt: Hash
  /** of the task that it is about */
  fees: bigint
}

export interface Actor {
  readonly who: Signer
  readonly character: Character
  /** null for who does not mean to validate */
  readonly validator: ValidatorCharacter | null
  /** what it committed to, by task; on disk */
  readonly journal: Map<string, Kept>
  /** stopped until this height */
  awayUntil: number
  /** out of reach until this height: sees nothing new, and what it sends waits */
  cutUntil: number
}

/** A game, drawn from its seed; see `drawGame`. */
export interface Game {
  seed: number
  assessors: Character[]
  validators: ValidatorCharacter[]
  seats: number
  epochs: number
  /** messages are lost, machines stop, and parts of the network are out of reach */
  isFoul: boolean
  /** somebody recomputes results and challenges false ones. On unless false. */
  isWatched?: boolean
}

export interface Pending {
  readonly signed: Signed<Transaction>
  readonly sender: Actor | null
  /** reaches proposers from this height on */
  readonly fromHeight: number
}

export interface Played {
  seed: number
  /** broken promises; empty is good */
  violations: string[]
  blocks: number
  settled: number
  unavailable: number
  disputes: number
  challenges: number
  /** by fault: how many seats were slashed */
  slashed: Record<string, number>
  eras: number
  /** fees of all answers */
  asked: bigint
}

export interface Board {
  readonly game: Game
  readonly random: Random
  readonly actors: Actor[]
  /** the state after each block */
  readonly states: LedgerState[]
  readonly report: Played
  pending: Pending[]
  /** by task and its fees: less, once a redemption is out of it */
  readonly truths: Map<string, Truth>
  /** the weather is over */
  isCalm: boolean
}
