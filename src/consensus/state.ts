import { equalBytes } from '../wire/index.ts'
import { leaderOf } from './certificates.ts'
import type { ConsensusConfig, ConsensusEffect, ConsensusTimeouts, FinalPoint, Vote, VoteKind } from './interface.ts'
import type { Certificate, Hash, Header } from '../interface/index.ts'

export interface StoredVote {
  vote: Vote
  /** `toHex(vote.blockHash)` */
  key: string
  /** the signature was verified, alone or in an aggregate that contained it */
  checked: boolean
}

/** Everything known about one view above the last final one. */
export interface ViewState {
  votes: Record<VoteKind, Map<number, StoredVote>>
  certificates: Record<VoteKind, Certificate | null>
  /** the block that the leader's first valid notarize vote names and that is here */
  proposal: string | null
  /** when it became known; the base of the certification timeout */
  proposedMs: number
  /** the leader signed two blocks */
  equivocated: boolean
  /** what this validator itself has signed; the double-sign guard */
  own: Record<VoteKind, Vote | null>
}

export interface BlockState {
  hash: Hash
  header: Header
  status: 'unverified' | 'verifying' | 'valid' | 'invalid'
}

export interface RequestState {
  /** not to be sent before */
  atMs: number
  attempts: number
}

/** What a leader's last turns took, as seen from here; see patience.ts. */
export interface TurnMeasure {
  /** from the view's beginning to the proposal */
  proposalMs: number
  /** from there to the notarization */
  certificateMs: number
  /** in a row, none of them lost */
  turns: number
}

/** The whole state: plain objects, maps and arrays, so that it can be cloned and compared. */
export interface State {
  started: boolean
  /** the era's last block is final: nothing is left to do but to tell others */
  over: boolean
  nowMs: number
  view: number
  viewEnteredMs: number
  /** the grace after a late step, and the view that had it */
  graceUntilMs: number
  graceView: number
  final: FinalPoint
  /** the newest finalize certificate; above `final` while blocks are missing */
  finalization: Certificate | null
  views: Map<number, ViewState>
  blocks: Map<string, BlockState>
  streak: number
  silent: boolean[]
  lastHeardMs: number[]
  /** by validator: highest view it was heard in */
  heardView: number[]
  barredUntilView: number[]
  /** by validator, as leader */
  turns: TurnMeasure[]
  transactions: boolean
  /** something waits for blocks to pass */
  work: boolean
  /** when the newest block arrived: the base of the leader's pacing */
  blockSeenMs: number
  /** view for which `propose` is out, or 0; and when to ask again after `declined` */
  proposingView: number
  proposeNotBeforeMs: number
  rebroadcastAtMs: number
  rebroadcastEveryMs: number
  blockRequests: Map<string, RequestState>
  certificateRequest: RequestState
  /** when to ask what is final, if views go by and nothing is */
  finalAskAtMs: number
  syncAtMs: number
}

/** What the rules work on: configuration, state, and the effects of the running step. */
export interface Machine {
  config: ConsensusConfig & { era: number }
  timeouts: Required<ConsensusTimeouts>
  quorum: bigint
  /** what a quorum can do without, which is also the most that may be faulty: more stake than this contains an honest validator */
  spare: bigint
  state: State
  effects: ConsensusEffect[]
}

const emptyView = (): ViewState => ({
  votes: { notarize: new Map(), nullify: new Map(), finalize: new Map() },
  certificates: { notarize: null, nullify: null, finalize: null },
  proposal: null,
  proposedMs: -Infinity,
  equivocated: false,
  own: { notarize: null, nullify: null, finalize: null }
})

export const initialState = (validators: number): State => ({
  started: false,
  over: false,
  nowMs: -Infinity,
  view: 0,
  viewEnteredMs: 0,
  graceUntilMs: -Infinity,
  graceView: 0,
  final: { hash: new Uint8Array(0), height: 0, view: 0, certificate: null },
  finalization: null,
  views: new Map(),
  blocks: new Map(),
  streak: 0,
  silent: new Array<boolean>(validators).fill(false),
  lastHeardMs: new Array<number>(validators).fill(-Infinity),
  heardView: new Array<number>(validators).fill(0),
  barredUntilView: new Array<number>(validators).fill(0),
  turns: Array.from({ length: validators }, () => ({ proposalMs: 0, certificateMs: 0, turns: 0 })),
  transactions: false,
  work: true,
  blockSeenMs: -Infinity,
  proposingView: 0,
  proposeNotBeforeMs: -Infinity,
  rebroadcastAtMs: Infinity,
  rebroadcastEveryMs: 0,
  blockRequests: new Map(),
  certificateRequest: { atMs: -Infinity, attempts: 0 },
  finalAskAtMs: -Infinity,
  syncAtMs: -Infinity
})

/** The state of a view above the last final one, made if needed. */
export const viewState = ({ state }: Machine, view: number): ViewState => {
  let found = state.views.get(view)

  if (found === undefined) {
    found = emptyView()
    state.views.set(view, found)
  }

  return found
}

export const certificateAt = ({ state }: Machine, kind: VoteKind, view: number): Certificate | null =>
  state.views.get(view)?.certificates[kind] ?? null

/** Proof that a quorum voted for a block in this view. Who finalizes has seen the notarization, so a finalize certificate will do. */
export const notarizedAt = (machine: Machine, view: number): Certificate | null =>
  certificateAt(machine, 'notarize', view) ?? certificateAt(machine, 'finalize', view)

/** View of the newest finalize certificate of this era. */
export const finalizedView = ({ state, config }: Machine): number =>
  state.finalization?.era === config.era ? state.finalization.view : 0

/** Whether a block is the last of the era: another set certifies what follows. */
export const closes = ({ config }: Machine, header: Header): boolean =>
  config.validatorsHash !== undefined && !equalBytes(header.validatorsHash, config.validatorsHash)

export const leader = ({ config }: Machine, view: number): number => leaderOf(view, config.validators.length)

export const emit = (machine: Machine, effect: ConsensusEffect): void => {
  machine.effects.push(effect)
}

/** Forgets what a new final block makes useless. */
export const prune = ({ state }: Machine): void => {
  for (const view of state.views.keys()) {
    if (view <= state.final.view) {
      state.views.delete(view)
    }
  }

  for (const [key, { header }] of state.blocks) {
    if (header.view <= state.final.view) {
      state.blocks.delete(key)
    }
  }
}
