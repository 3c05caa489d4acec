import {
  ACTIONS_MAX, account, amount, blsPublicKey, boolean, CONTRIBUTIONS_MAX, codec, counter, feeSplitSchema, fileCid, governanceActionSchema,
  hash32, int64, integer, list, literal, mergeParents, name, networkParamsSchema, nullable, OPENINGS_MAX, optional, recordCid, STATE_VALUE_BYTES_MAX, sortedCids,
  struct, title, uint32, VALIDATORS_MAX, validatorSchema, verdict
} from '../wire/index.ts'
import { CHECKPOINTS_MAX, DISPUTES_MAX, HISTORY_PEAKS_MAX, OPEN_PROPOSALS_MAX, OPEN_TASKS_MAX, ROLLOVERS_MAX, SEATS_MAX, TASK_SOURCES_MAX, UNBONDINGS_MAX } from './constants.ts'
import type { BallotState, HistoryPeaks, HistoryState } from './interface.ts'
import type { VotesCheckpoint } from '../governance/index.ts'
import type {
  Account, AccountState, AdapterState, Amount, AnswerState, AttestationState, CandidateState, ChainState, ChannelState, ContributionState, ConvictionState, DatanetState, EraState, PayoutState, PlantState,
  ProposalState, TaskSource, TaskState, UnbondingState, Validator
} from '../interface/index.ts'
import type { Codec, Schema } from '../wire/index.ts'
import type { CID } from 'multiformats/cid'

function value<T> (kind: string, schema: Schema<T>): Codec<T> {
  return codec(`${kind} state`, schema, { bytesMax: STATE_VALUE_BYTES_MAX })
}

const admission = literal('pending', 'admitted', 'rejected')

const accountState: Codec<AccountState> = value('account', struct({
  balance: amount,
  nonce: counter,
  staked: amount,
  gopen: amount,
  delegate: nullable(account),
  votes: amount
}))

const datanet: Codec<DatanetState> = value('datanet', struct({
  curator: account,
  name,
  contributions: counter,
  admitted: counter,
  deposit: amount,
  height: counter
}))

const contribution: Codec<ContributionState> = value('contribution', struct({
  datanet: recordCid,
  contributor: account,
  rows: counter,
  bytes: counter,
  index: counter,
  deposit: amount,
  status: admission,
  stakeFor: amount,
  stakeAgainst: amount,
  height: counter,
  earned: amount,
  withdrawn: optional(struct({ epoch: counter, height: counter }))
}))

const attestation: Codec<AttestationState> = value('attestation', struct({
  verdict,
  attestation: recordCid,
  height: counter
}))

const adapter: Codec<AdapterState> = value('adapter', struct({
  developer: account,
  base: recordCid,
  snapshot: nullable(recordCid),
  contributions: sortedCids(CONTRIBUTIONS_MAX),
  deposit: amount,
  status: admission,
  stakeFor: amount,
  stakeAgainst: amount,
  height: counter,
  earned: amount,
  weights: optional(fileCid),
  parents: optional(mergeParents),
  deprecated: optional(struct({ reason: title, successor: nullable(recordCid), height: counter }))
}))

/** key `weights/<cid>` */
const importedWeights: Codec<CID> = value('imported weights', recordCid)

/** key `merge/<hex>` */
const merge: Codec<CID> = value('merge', recordCid)

const channel: Codec<ChannelState> = value('channel', struct({
  payer: account,
  gateway: account,
  deposit: amount,
  redeemed: amount,
  expiresAtHeight: counter,
  closed: boolean
}))

const receiptsFault = literal('missing', 'false')

const source = struct({
  gateway: account,
  channel: hash32,
  receiptsRoot: hash32,
  receipts: uint32,
  fees: amount,
  from: amount,
  until: amount,
  bond: amount,
  fault: nullable(receiptsFault)
})

const seat = struct({
  assessor: account,
  commit: nullable(hash32),
  scoreRoot: nullable(hash32),
  total: int64,
  traceRoot: nullable(hash32),
  traceLength: uint32,
  opened: boolean,
  steps: nullable(hash32),
  report: nullable(struct({ fault: receiptsFault, source: nullable(uint32) })),
  fault: nullable(literal('silent', 'withheld', 'wrong-score', 'wrong-step', 'wrong-report', 'bad-trace'))
})

const task: Codec<TaskState> = value('task', struct({
  adapter: recordCid,
  epoch: counter,
  phase: literal('collecting', 'commit', 'receipts', 'reveal', 'dispute', 'step', 'open', 'verdict', 'challenge', 'settled', 'unavailable'),
  deadline: counter,
  redraws: integer({ min: 0, max: 1_000 }),
  rollovers: integer({ min: 0, max: ROLLOVERS_MAX }),
  fees: amount,
  sources: list(source, { max: TASK_SOURCES_MAX }),
  seats: list(seat, { max: SEATS_MAX }),
  verdicts: list(struct({ validator: account, scoreRoot: hash32, total: int64 }), { max: VALIDATORS_MAX }),
  judgements: list(struct({ validator: account, source: nullable(uint32) }), { max: VALIDATORS_MAX }),
  scoreRoot: nullable(hash32),
  total: int64,
  openings: list(uint32, { max: OPENINGS_MAX }),
  revealedAt: counter,
  dispute: nullable(struct({
    count: integer({ min: 1, max: DISPUTES_MAX }),
    agreed: uint32,
    chain: hash32,
    differing: uint32,
    steps: list(struct({ validator: account, step: hash32 }), { max: VALIDATORS_MAX })
  })),
  challenge: nullable(struct({ challenger: account, bond: amount, planted: boolean })),
  feeSplit: nullable(feeSplitSchema),
  dataPool: amount,
  paid: amount,
  developers: optional(struct({ pool: amount, paid: amount }))
}))

const waiting: Codec<TaskSource> = value('waiting redemption', source)

const answer: Codec<AnswerState> = value('answer', list(hash32, { max: OPENINGS_MAX }))

const plant: Codec<PlantState> = value('plant', struct({ commit: hash32, bond: amount, height: counter }))

const payout: Codec<PayoutState> = value('payout', struct({
  contributor: account,
  score: int64,
  amount,
  height: counter
}))

const proposal: Codec<ProposalState> = value('proposal', struct({
  proposer: account,
  title,
  actions: list(governanceActionSchema, { min: 1, max: ACTIONS_MAX }),
  createdAt: counter,
  voteStart: counter,
  voteEnd: counter,
  eta: nullable(counter),
  for: amount,
  against: amount,
  abstain: amount,
  executed: boolean,
  supply: amount,
  quorum: amount
}))

const ballot: Codec<BallotState> = value('ballot', struct({
  support: literal('for', 'against', 'abstain'),
  weight: amount
}))

const candidate: Codec<CandidateState> = value('validator', struct({
  blsPublicKey,
  bonded: amount,
  height: counter
}))

const conviction: Codec<ConvictionState> = value('conviction', struct({
  epoch: counter,
  era: counter,
  view: counter,
  reporter: account,
  slashed: amount
}))

const era: Codec<EraState> = value('era', struct({ epoch: counter, validatorsHash: hash32 }))

const unbonding: Codec<UnbondingState> = value('unbonding', list(struct({ validator: account, amount, epoch: counter }), { max: UNBONDINGS_MAX }))

const votes: Codec<VotesCheckpoint[]> = value('votes', list(struct({ height: counter, votes: amount }), { max: CHECKPOINTS_MAX }))

const validators: Codec<Validator[]> = value('validators', list(validatorSchema, { min: 1, max: VALIDATORS_MAX }))

const chain: Codec<ChainState> = value('chain', struct({
  chain: name,
  height: counter,
  epoch: counter,
  epochFeeSplit: feeSplitSchema,
  params: networkParamsSchema,
  supply: amount,
  gopenSupply: amount,
  proposals: counter,
  openProposals: list(counter, { max: OPEN_PROPOSALS_MAX }),
  openTasks: list(hash32, { max: OPEN_TASKS_MAX }),
  beacon: hash32,
  treasury: account,
  validatorsHash: hash32,
  era: counter
}))

const history: Codec<HistoryState> = value('history', struct({
  blocks: hash32,
  epochs: counter,
  epochEnds: hash32
}))

const peaks = list(hash32, { max: HISTORY_PEAKS_MAX })
const historyPeaks: Codec<HistoryPeaks> = value('history peaks', struct({ blocks: peaks, epochs: peaks }))

const base: Codec<Account> = value('base', account)
const assessor: Codec<Amount> = value('assessor', amount)
const bond: Codec<Amount> = value('bond', amount)
const owner: Codec<Account> = value('key owner', account)

/**
 * The codecs of the values under `stateKeys`, by kind of key: canonical dag-cbor, at most
 * STATE_VALUE_BYTES_MAX bytes. A light client decodes a proof's value with them.
 */
export const stateCodecs = {
  account: accountState,
  adapter,
  answer,
  assessor,
  attestation,
  ballot,
  base,
  bond,
  candidate,
  chain,
  channel,
  contribution,
  conviction,
  datanet,
  era,
  history,
  historyPeaks,
  importedWeights,
  merge,
  owner,
  payout,
  plant,
  proposal,
  task,
  unbonding,
  validators,
  votes,
  waiting
} as const
