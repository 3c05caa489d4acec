import type { Certificate, Hash, Header, Validator } from '../interface/index.ts'

/** What a validator can say about a view. */
export type VoteKind = Certificate['kind']

/**
 * One validator's word on one view. The signature is BLS12-381 over `voteBytes(chain, vote)`,
 * which leaves the validator out, so that equal votes aggregate.
 */
export interface Vote {
  kind: VoteKind
  era: number
  view: number
  /** 32 bytes; empty for nullify */
  blockHash: Uint8Array
  /** index into the era's validator set */
  validator: number
  /** 96 bytes */
  signature: Uint8Array
}

/**
 * A leader's block as consensus sees it. The leader's notarize vote is what authenticates it.
 * `justification` proves that the parent may be extended: the parent's notarization (none if the
 * parent is final) and a nullification for each view between the parent's and this one. The last
 * block of an era may be proposed again in a later view, until it is final: then the vote's view is
 * above the header's, and the notarization is the block's own.
 */
export interface Proposal {
  header: Header
  vote: Vote
  justification: Certificate[]
}

/** The verification half of BLS that consensus needs; `Bls` of the identity module satisfies it. */
export interface VoteBls {
  verify (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  aggregate (signatures: Uint8Array[]): Uint8Array
  fastAggregateVerify (publicKeys: Uint8Array[], message: Uint8Array, signature: Uint8Array): boolean
}

/** A handle on this validator's BLS secret key. */
export interface VoteSigner {
  /** @returns a signature of 96 bytes, always the same for the same message */
  sign (message: Uint8Array): Uint8Array
}

/** Durations in milliseconds. */
export interface ConsensusTimeouts {
  /**
   * Least time between the arrival of a parent and the proposal on it while transactions wait.
   *
   * @default 250
   */
  minBlockIntervalBusyMs?: number
  /**
   * The same while there are none.
   *
   * @default 1000
   */
  minBlockIntervalMs?: number
  /**
   * The same while there is not even work that blocks carry on (`pending.work` is false). The patience
   * with leaders and the interval of rebroadcasts grow by as much as this is longer than `minBlockIntervalMs`.
   *
   * @default minBlockIntervalMs
   */
  restIntervalMs?: number
  /**
   * A view without a proposal is nullified after this, or sooner if the leader was quick in its last
   * turns. Grows by half with every nullified view in a row.
   *
   * @default 4000
   */
  leaderTimeoutMs?: number
  /**
   * A proposal that gets no certificate for this long is given up: its view is nullified. Shrinks and grows likewise.
   *
   * @default 4000
   */
  certificationTimeoutMs?: number
  /**
   * The growth of the two above stops here.
   *
   * @default 20000
   */
  timeoutMaxMs?: number
  /**
   * What was measured shortens the two no further than to this, nor to less than twice `minBlockIntervalMs`.
   * Longer than `rebroadcastMs`: what was lost is repeated before a view is given up for it.
   *
   * @default 2500
   */
  timeoutMinMs?: number
  /**
   * Replaces the leader's timeout for a leader that missed its last turn and was not heard since.
   * After the same time a leader that lacks what to build on gives its own turn up.
   *
   * @default 1000
   */
  silentTimeoutMs?: number
  /**
   * While nothing happens, own votes and the best certificates are sent again at this interval,
   * and after that at twice the interval while the view lasts. Longer than `minBlockIntervalMs`.
   *
   * @default 2000
   */
  rebroadcastMs?: number
  /**
   * A missing block or certificate is not asked for again before this.
   *
   * @default 1000
   */
  requestMs?: number
}

/** A place in the order of views of all eras. */
export interface SignedPosition {
  era: number
  view: number
}

export interface ConsensusConfig {
  /** the chain's identifier; part of every signed vote */
  chain: string
  /** of this era; a machine serves one era, and the driver makes another for the next */
  validators: Validator[]
  /** @default 0 */
  era?: number
  /**
   * `validatorsHash(validators)`: a block with another one in its header is the last of the era.
   *
   * @default no block is
   */
  validatorsHash?: Hash
  /**
   * What was signed before a disk was restored: nothing is signed at or below it.
   *
   * @default nothing
   */
  signedUpTo?: SignedPosition
  /** own index, or null for a node that only follows */
  self: number | null
  bls: VoteBls
  /** required when `self` is not null */
  signer?: VoteSigner
  timeouts?: ConsensusTimeouts
}

/** What the driver made durable because of `persist`, to be handed back at the next start. */
export type DurableRecord =
  | { type: 'vote', vote: Vote }
  | { type: 'certificate', certificate: Certificate }

/** The newest final block that the driver has stored and executed. */
export interface FinalPoint {
  hash: Hash
  /** 0 for genesis */
  height: number
  /** 0 for genesis */
  view: number
  /** null for genesis; otherwise a finalize certificate of this block or, if it has none of its own, null */
  certificate: Certificate | null
}

/** What happened outside. Everything comes from the driver; nothing here is trusted but its own results. */
export type ConsensusInput =
  /** First, once. `records` are all durable records, in any order; stale ones are ignored. `blocks` are stored blocks above `final`, any order. */
  | { type: 'start', final: FinalPoint, records: DurableRecord[], blocks: Array<{ hash: Hash, header: Header }> }
  /** Time passed. Due no later than `deadlineMs()`. */
  | { type: 'tick' }
  /** Whether the mempool holds transactions, and whether anything waits for blocks to pass (true if left out). Feeds the leader's pacing. */
  | { type: 'pending', transactions: boolean, work?: boolean }
  /** A vote that arrived over an authenticated stream from validator `from`. */
  | { type: 'vote', from: number, vote: Vote }
  /** From anybody. */
  | { type: 'certificate', certificate: Certificate }
  /** A leader's proposal, from anybody. `hash` is `headerHash(proposal.header)`, computed by the driver (`proposalInput`), which keeps the whole block under it. */
  | { type: 'proposal', hash: Hash, proposal: Proposal }
  /** A block that was fetched for `requestBlock`. `hash` is computed, not claimed. */
  | { type: 'block', hash: Hash, header: Header }
  /** The answer to `propose`. The driver holds the block and has its post-state. */
  | { type: 'proposed', view: number, hash: Hash, header: Header }
  /** The other answer to `propose`: no block can be built; it is asked again after a while. */
  | { type: 'declined', view: number }
  /** The answer to `verify`. */
  | { type: 'verified', hash: Hash, valid: boolean }
  /** The other answer to `verify`: the block, or the state that it builds on, is not here, which is nobody's fault. It is asked for again. */
  | { type: 'absent', hash: Hash }
  /** The driver brought its chain to this block by range sync and executed it. The certificate must be a finalize certificate for it. */
  | { type: 'synced', hash: Hash, height: number, view: number, certificate: Certificate }

export type Evidence =
  /** two different blocks notarized or finalized, or one view both nullified and finalized, by one validator; both signatures are checked */
  | { type: 'conflicting-votes', validator: number, first: Vote, second: Vote }
  /** two certificates that cannot both exist while less than a third of the stake is faulty */
  | { type: 'conflicting-certificates', first: Certificate, second: Certificate }

/** Why a peer is to be punished. */
export type PenaltyReason = 'invalid-signature' | 'malformed-vote' | 'invalid-proposal' | 'invalid-block'

/**
 * What the driver has to do. Effects are carried out strictly in order, over all steps:
 * a `persist` has to be on disk before anything behind it is sent.
 */
export type ConsensusEffect =
  /**
   * Write durably before going on. For a notarize vote, the block it names has to be durable too.
   * Records with `view <= final.view` may be deleted once that final block is stored.
   */
  | { type: 'persist', record: DurableRecord }
  /** Build a block on `parent` (whose post-state the driver has); answer `proposed` or `declined`. */
  | { type: 'propose', view: number, height: number, parent: Hash }
  /** Execute and check the block with this hash (its parent is verified or final); answer `verified` or `absent`. */
  | { type: 'verify', hash: Hash, view: number }
  /**
   * Gossip the block with this hash together with the proposal. `again` marks a repetition, which gossip
   * would drop as seen: send it to the other validators by direct stream, or leave it to their `requestBlock`.
   */
  | { type: 'broadcastBlock', hash: Hash, proposal: Proposal, again: boolean }
  /** To every other validator by direct stream. */
  | { type: 'sendVote', vote: Vote }
  /** Gossip; if `again`, to the other validators by direct stream, because gossip drops what it has seen. */
  | { type: 'broadcastCertificate', certificate: Certificate, again: boolean }
  /**
   * The block is final; oldest first, every height once. `certificate` finalizes this block if
   * `direct`, otherwise a descendant that follows in the same list of effects.
   * If the block does not execute here, the network is faulty: stop, loudly.
   */
  | { type: 'finalise', hash: Hash, height: number, view: number, certificate: Certificate, direct: boolean }
  /** Fetch from one of `peers` (validator indices, best first; empty: anybody) and answer `block`. */
  | { type: 'requestBlock', hash: Hash, peers: number[] }
  /** Ask a peer for `certificates(fromView)` and feed the answers one by one. */
  | { type: 'requestCertificates', fromView: number, peer: number | null }
  /** Far behind: range-sync up to this final block, then answer `synced`. */
  | { type: 'sync', hash: Hash, height: number, certificate: Certificate }
  | { type: 'evidence', evidence: Evidence }
  | { type: 'penalise', validator: number, reason: PenaltyReason }
  /**
   * First effect of every `vote`, `certificate`, `proposal` and `block` input: what gossip should do
   * with the message. `reject` is provably invalid, `ignore` is useless here (old, known, unasked, too far ahead).
   */
  | { type: 'judge', verdict: Verdict, reason: string }

export type Verdict = 'accept' | 'ignore' | 'reject'

export interface ConsensusStatus {
  view: number
  leader: number
  final: FinalPoint
  /** nullified views in a row before the current one */
  nullifiedStreak: number
  /** validators that missed their last turn and were not heard since */
  silent: number[]
}

/** The state machine of one node. Holds no resources; drop it to stop it. */
export interface Consensus {
  /**
   * Applies one input.
   *
   * @param input - what happened
   * @param nowMs - any clock that does not run backwards for long; earlier times count as the latest seen
   */
  step (input: ConsensusInput, nowMs: number): ConsensusEffect[]
  /** When the next `tick` is due, in the clock of `step`; Infinity before `start`. */
  deadlineMs (): number
  /**
   * The answer to a peer's `requestCertificates`: the newest finalize certificate, then notarizations
   * and nullifications from `fromView` on, in order, at most CERTIFICATES_PER_ANSWER_MAX.
   */
  certificates (fromView: number): Certificate[]
  status (): ConsensusStatus
  /** A deep copy of the whole state, made of plain objects, maps and arrays; for simulators and debugging. */
  snapshot (): unknown
}
