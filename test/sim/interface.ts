import type { ValidatorSet } from './eras.ts'
import type { Queue } from './queue.ts'
import type { Random } from './random.ts'
import type { consensus, Consensus, ConsensusInput, ConsensusTimeouts, SignedPosition, Vote, VoteBls, VoteSigner } from '../../src/consensus/index.ts'
import type { Certificate, Header, ValidatorInfo } from '../../src/interface/index.ts'

/**
 * Villains. All run the real state machine and abuse what comes out of it.
 *
 * - silent: never says anything
 * - nuller: nullifies every view that it votes in, and finalizes it too
 * - equivocator: as leader proposes two blocks, one to each half, and votes for both
 * - withholder: everything it sends reaches only some, and it answers nobody
 * - garbler: half of its signatures are false, and it gossips false certificates
 * - rewinder: proposes on blocks that may not be extended: too old, or never notarized
 * - spoiler: proposes blocks that do not execute
 * - twin: two machines with one key and one disk image, which know nothing of each other
 * - lazy: signs what it has not executed
 * - colluder: an equivocator whose fellows vote for both of its blocks, each where it was told
 * - staller: votes, but neither proposes in its turn nor gives it up
 * - spammer: says everything three times, and signs for blocks that do not exist in views near and far
 * - overrunner: goes on with an era after its last block, instead of proposing that again
 */
export type Villain = 'silent' | 'nuller' | 'equivocator' | 'withholder' | 'garbler' | 'rewinder' | 'spoiler' | 'twin' | 'lazy' | 'colluder' | 'staller' | 'spammer' | 'overrunner'

export interface Crypto {
  validators: ValidatorInfo[]
  bls: VoteBls
  signers: VoteSigner[]
  hash (header: Header): Uint8Array
  /** what a message looks like after it crossed the wire */
  transmit? (input: ConsensusInput): ConsensusInput
}

export interface Eras {
  /** blocks from one possible change of the set to the next */
  epochBlocks: number
}

export interface Scenario {
  seed: number
  /** The set of validators changes, drawn block by block from those of `stakes`. It does not unless given. */
  eras?: Eras
  /** one validator each */
  stakes: bigint[]
  villains: Partial<Record<number, Villain>>
  followers?: number
  /** followers start only then */
  followersStartMs?: number
  /** first the network misbehaves … */
  chaosMs: number
  dropPermille?: number
  duplicatePermille?: number
  delayMaxMs?: number
  /** only then the report begins to count pauses */
  pausesFromMs?: number
  /** on unless false */
  partitions?: boolean
  /** honest machines stop in the middle of what they do and start again. On unless false. */
  crashes?: boolean
  /** Power fails, writes are torn, disks are full. Off unless true. */
  diskFaults?: boolean
  /** Validators whose disk loses a bit now and then, which is found at the next start. They count as faulty for liveness, not for safety. */
  frail?: number[]
  /** Disks say that they wrote and did not: nobody can promise anything on these. Off unless true. */
  lyingDisks?: boolean
  /** whether a new disk comes with the signing history. On unless false. */
  histories?: boolean
  /** … then it is well and blocks have to become final again */
  calmMs: number
  /** the calm ends early when everybody has made progress. Off unless true. */
  untilHealed?: boolean
  crypto?: Crypto
  /** the state machine under test; mutants go here */
  machine?: typeof consensus
  timeouts?: ConsensusTimeouts
  /** extra time that a message takes on its way between two nodes, in calm too */
  lagMs? (from: number, to: number): number
  /** how long a message takes in calm; 5 to 60 ms by default */
  linkMs?: number
  /** the longest that a block takes to be built or executed. 40 by default. */
  workMsMax?: number
  /** Hears when a block is proposed and when a node has it final. */
  onBlock? (what: 'proposed' | 'final', hash: string, nowMs: number): void
  /** whether a message sent now between two nodes is lost, in calm too */
  cut? (from: number, to: number, nowMs: number): boolean
  /** loses messages of this kind for good, to show that the protocol needs them */
  censor? (vote: Vote | Certificate): boolean
}

export interface Report {
  seed: number
  /** broken promises; empty is good */
  violations: string[]
  /** final height of each honest node, then of each follower */
  heights: number[]
  heightsBeforeCalm: number[]
  /** validators against which evidence was found */
  convicted: number[]
  /** after a fork: who signed both of two certificates that honest nodes keep and no honest validator signs both of */
  culprits: number[]
  messages: number
  steps: number
  /** messages per final block in the calm; a storm of requests would show */
  calmMessagesPerBlock: number
  /** the latest that any honest node is in */
  era: number
  /** the longest time in the calm in which no honest node finalised a new height, counted from `pausesFromMs` on */
  longestPauseMs: number
}

export interface FinalEntry {
  hash: Uint8Array
  header: Header
  certificate: Certificate | null
}

/** What survives a crash; the writes in `undo` do not survive a power failure. */
export interface Disk {
  records: Extract<ConsensusInput, { type: 'start' }>['records']
  blocks: Map<string, { hash: Uint8Array, header: Header }>
  chain: FinalEntry[]
  /** takes the writes back that the disk was not waited for, oldest first */
  undo: Array<() => void>
  /** a checksum will not match */
  damaged: boolean
  /** highest place voted in, written down elsewhere too */
  signed: SignedPosition
  /** given to a new disk */
  signedUpTo: SignedPosition | null
}

export interface SimNode {
  readonly id: number
  /** who it is among all that may validate; null for followers */
  readonly index: number | null
  /** that it is in, and who certifies its blocks */
  era: number
  set: ValidatorInfo[]
  /** its index in `set`; null if it is not in there */
  place: number | null
  readonly villain: Villain | null
  readonly disk: Disk
  /** blocks that came and were not worth the disk yet */
  readonly memory: Map<string, { hash: Uint8Array, header: Header }>
  core: Consensus | null
  /** counts restarts; what was scheduled for an earlier life is void */
  life: number
  /** the next effects are carried out up to here, then the machine stops */
  crashAfterEffects: number | null
  /** the next write does not succeed, and the machine stops */
  writeFault: 'torn' | 'full' | null
}

export interface World {
  scenario: Scenario
  crypto: Crypto
  random: Random
  queue: Queue
  nodes: SimNode[]
  groupOf: number[]
  /** by draw */
  sets: Map<number, ValidatorSet>
  calm: boolean
  violations: string[]
  finalHashes: Map<number, string>
  voted: Map<string, string>
  convicted: Set<number>
  /** every certificate that an honest node wrote */
  certificates: Certificate[]
  messages: number
  steps: number
  /** when an honest node last finalised a height that was new to all */
  newestFinalMs: number
  longestPauseMs: number
}
