import { consensus, signVote } from '../../src/consensus/index.ts'
import { headerHash } from '../../src/wire/index.ts'
import { fakeBls, fakeSigner, fakeValidators } from '../sim/fake-bls.ts'
import type { Consensus, ConsensusConfig, ConsensusEffect, ConsensusInput, Proposal, Vote, VoteKind } from '../../src/consensus/index.ts'
import type { Certificate, Header, ValidatorInfo } from '../../src/interface/index.ts'

export const CHAIN = 'test'
export const NOTHING = new Uint8Array(0)
export const GENESIS = new Uint8Array(32).fill(9)

export const validatorsOf = (n: number): ValidatorInfo[] => fakeValidators(new Array<bigint>(n).fill(1n))

/** One machine and its clock. */
export interface Bench {
  core: Consensus
  nowMs: number
  /** the effects of `start` */
  started: ConsensusEffect[]
  give (input: ConsensusInput): ConsensusEffect[]
  /** lets time pass, tick by tick, and collects what happens */
  pass (ms: number): ConsensusEffect[]
}

export const bench = (n: number, self: number | null, change: Partial<ConsensusConfig> = {}, start: Partial<Extract<ConsensusInput, { type: 'start' }>> = {}): Bench => {
  const core = consensus({ chain: CHAIN, validators: validatorsOf(n), self, bls: fakeBls, signer: self === null ? undefined : fakeSigner(self), ...change })
  const it: Bench = {
    core,
    nowMs: 1000,
    started: [],
    give: input => core.step(input, it.nowMs),
    pass (ms) {
      const untilMs = it.nowMs + ms
      const effects: ConsensusEffect[] = []

      while (core.deadlineMs() <= untilMs) {
        it.nowMs = core.deadlineMs()
        effects.push(...core.step({ type: 'tick' }, it.nowMs))
      }

      it.nowMs = untilMs
      return effects
    }
  }

  it.started = it.give({ type: 'start', final: { hash: GENESIS, height: 0, view: 0, certificate: null }, records: [], blocks: [], ...start })
  return it
}

export const header = (n: number, view: number, height: number, parent: Uint8Array, mark = 0): Header => ({
  type: 'header',
  version: 1,
  chain: CHAIN,
  era: 0,
  height,
  view,
  parent,
  proposer: validatorsOf(n)[view % n].account,
  bodyRoot: new Uint8Array(32),
  outcomesRoot: new Uint8Array(32),
  stateRoot: new Uint8Array(32).fill(mark),
  validatorsHash: new Uint8Array(32)
})

export const vote = (validator: number, kind: VoteKind, view: number, blockHash: Uint8Array = NOTHING): Vote =>
  signVote(CHAIN, validator, { kind, era: 0, view, blockHash }, fakeSigner(validator))

export const certificate = (n: number, kind: VoteKind, view: number, blockHash: Uint8Array = NOTHING, signers = Array.from({ length: n }, (_, i) => i)): Certificate => {
  const bitmap = new Uint8Array((n + 7) >> 3)
  signers.forEach(i => { bitmap[i >> 3] |= 1 << (i & 7) })

  return { kind, era: 0, view, blockHash, signers: bitmap, signature: fakeBls.aggregate(signers.map(i => vote(i, kind, view, blockHash).signature)) }
}

/** The leader's proposal of a header, as an input. */
export const proposal = (n: number, proposed: Header, justification: Certificate[] = []): { type: 'proposal', hash: Uint8Array, proposal: Proposal } => {
  const hash = headerHash(proposed)

  return { type: 'proposal', hash, proposal: { header: proposed, vote: vote(proposed.view % n, 'notarize', proposed.view, hash), justification } }
}

export const ofType = <T extends ConsensusEffect['type']>(effects: ConsensusEffect[], type: T): Array<Extract<ConsensusEffect, { type: T }>> =>
  effects.filter((effect): effect is Extract<ConsensusEffect, { type: T }> => effect.type === type)

export const votesIn = (effects: ConsensusEffect[]): string[] => ofType(effects, 'sendVote').map(({ vote }) => `${vote.kind} ${vote.view}`)

export const verdictIn = (effects: ConsensusEffect[]): string | undefined => ofType(effects, 'judge')[0]?.verdict
