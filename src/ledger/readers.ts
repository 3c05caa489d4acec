import { CID } from 'multiformats/cid'
import { proposalStatus } from '../governance/index.ts'
import { accountFromString } from '../identity/index.ts'
import { drawPlanters } from '../scoring/index.ts'
import { fromHex } from '../wire/index.ts'
import { StateValueError } from './errors.ts'
import { stateKeys, statePrefixes } from './keys.ts'
import { NO_ACCOUNT } from './records.ts'
import { stateCodecs } from './values.ts'
import type { BallotState, HistoryState, LedgerState } from './interface.ts'
import type { VotesCheckpoint } from '../governance/index.ts'
import type {
  Account, AccountState, AdapterState, Amount, AttestationState, CandidateState, ChainState, ChannelState, ContributionState, ConvictionState, DatanetState, Hash, MergeParent,
  PayoutState, PlantState, ProposalState, ProposalStatus, TaskSource, TaskState, UnbondingState, Validator
} from '../interface/index.ts'
import type { Codec } from '../wire/index.ts'

/** Values are decoded anew by each call, so callers may keep and change them. */
function read<T> (state: LedgerState, codec: Codec<T>, key: string): T | undefined {
  const bytes = state.map.get(key)

  return bytes === undefined ? undefined : codec.decode(bytes)
}

function required<T> (state: LedgerState, codec: Codec<T>, key: string): T {
  const value = read(state, codec, key)

  if (value === undefined) {
    throw new StateValueError(key, 'a state that began with a genesis')
  }

  return value
}

function * list<T, N extends string> (state: LedgerState, codec: Codec<T>, prefix: string, name: (rest: string) => N): IterableIterator<[N, T]> {
  for (const [key, bytes] of state.map.entries(prefix)) {
    yield [name(key.slice(prefix.length)), codec.decode(bytes)]
  }
}

export const readChain = (state: LedgerState): ChainState => required(state, stateCodecs.chain, stateKeys.chain)
export const readValidators = (state: LedgerState): Validator[] => required(state, stateCodecs.validators, stateKeys.validators)
/** The set of the epoch after the running one. */
export const readNextValidators = (state: LedgerState): Validator[] => required(state, stateCodecs.validators, stateKeys.nextValidators)
export const readCandidate = (state: LedgerState, account: Account): CandidateState | undefined => read(state, stateCodecs.candidate, stateKeys.candidate(account))
export const readBond = (state: LedgerState, validator: Account, owner: Account): Amount => read(state, stateCodecs.bond, stateKeys.bond(validator, owner)) ?? 0n
export const readUnbonding = (state: LedgerState, account: Account): UnbondingState => read(state, stateCodecs.unbonding, stateKeys.unbonding(account)) ?? []
/** What a state says of the headers before it; undefined at height 0. */
export const readHistory = (state: LedgerState): HistoryState | undefined => read(state, stateCodecs.history, stateKeys.history)
export const readConviction = (state: LedgerState, validator: Account): ConvictionState | undefined => read(state, stateCodecs.conviction, stateKeys.conviction(validator))
/** Accounts that never had anything are all zero. */
export const readAccount = (state: LedgerState, account: Account): AccountState => read(state, stateCodecs.account, stateKeys.account(account)) ?? { ...NO_ACCOUNT }
export const readBase = (state: LedgerState, base: CID): Account | undefined => read(state, stateCodecs.base, stateKeys.base(base))
export const readDatanet = (state: LedgerState, datanet: CID): DatanetState | undefined => read(state, stateCodecs.datanet, stateKeys.datanet(datanet))
export const readContribution = (state: LedgerState, contribution: CID): ContributionState | undefined => read(state, stateCodecs.contribution, stateKeys.contribution(contribution))
export const readAttestation = (state: LedgerState, subject: CID, validator: Account): AttestationState | undefined => read(state, stateCodecs.attestation, stateKeys.attestation(subject, validator))
export const readAdapter = (state: LedgerState, adapter: CID): AdapterState | undefined => read(state, stateCodecs.adapter, stateKeys.adapter(adapter))
/** Who entered a contribution or an adapter: whose entry a verdict is about. */
export const readOwner = (state: LedgerState, subject: CID): Account | undefined => readContribution(state, subject)?.contributor ?? readAdapter(state, subject)?.developer
/** The adapter that was imported with these weights and is not rejected. */
export const readImported = (state: LedgerState, weights: CID): CID | undefined => read(state, stateCodecs.importedWeights, stateKeys.importedWeights(weights))
/** The admitted adapter that merges these parents, in their order, with these weights. */
export const readMerge = (state: LedgerState, parents: readonly MergeParent[]): CID | undefined => read(state, stateCodecs.merge, stateKeys.merge(parents))
export const readChannel = (state: LedgerState, channel: Hash): ChannelState | undefined => read(state, stateCodecs.channel, stateKeys.channel(channel))
export const readTask = (state: LedgerState, task: Hash): TaskState | undefined => read(state, stateCodecs.task, stateKeys.task(task))
export const readPayout = (state: LedgerState, task: Hash, contribution: CID): PayoutState | undefined => read(state, stateCodecs.payout, stateKeys.payout(task, contribution))
export const readPlant = (state: LedgerState, epoch: number, planter: Account): PlantState | undefined => read(state, stateCodecs.plant, stateKeys.plant(epoch, planter))
/** Whose turn it is to plant answers in the running epoch. */
export const readPlanters = (state: LedgerState): Account[] => {
  const { chain, epoch, params } = readChain(state)

  return drawPlanters(chain, epoch, readValidators(state), params.plantsPerEpoch)
}
export const readProposal = (state: LedgerState, proposal: number): ProposalState | undefined => read(state, stateCodecs.proposal, stateKeys.proposal(proposal))
export const readBallot = (state: LedgerState, proposal: number, voter: Account): BallotState | undefined => read(state, stateCodecs.ballot, stateKeys.ballot(proposal, voter))
export const readVotes = (state: LedgerState, account: Account): VotesCheckpoint[] => read(state, stateCodecs.votes, stateKeys.votes(account)) ?? []

/** Where a proposal stands for a transaction in the next block. */
export function readProposalStatus (state: LedgerState, proposal: number): ProposalStatus | undefined {
  const value = readProposal(state, proposal)

  return value === undefined ? undefined : proposalStatus(value, state.height + 1)
}

/** All of a kind, in key order: a scan, for lists in a user interface and for services that start. */
export function * listAccounts (state: LedgerState): IterableIterator<{ account: Account, state: AccountState }> {
  for (const [name, value] of list(state, stateCodecs.account, statePrefixes.account, rest => rest)) {
    yield { account: accountFromString(name), state: value }
  }
}

export function * listAssessors (state: LedgerState): IterableIterator<{ account: Account, staked: Amount }> {
  for (const [name, staked] of list(state, stateCodecs.assessor, statePrefixes.assessor, rest => rest)) {
    yield { account: accountFromString(name), staked }
  }
}

export function * listCandidates (state: LedgerState): IterableIterator<{ account: Account, state: CandidateState }> {
  for (const [name, value] of list(state, stateCodecs.candidate, statePrefixes.candidate, rest => rest)) {
    yield { account: accountFromString(name), state: value }
  }
}

export function * listUnbonding (state: LedgerState): IterableIterator<{ account: Account, state: UnbondingState }> {
  for (const [name, value] of list(state, stateCodecs.unbonding, statePrefixes.unbonding, rest => rest)) {
    yield { account: accountFromString(name), state: value }
  }
}

export function * listDatanets (state: LedgerState): IterableIterator<{ datanet: CID, state: DatanetState }> {
  for (const [name, value] of list(state, stateCodecs.datanet, statePrefixes.datanet, rest => rest)) {
    yield { datanet: CID.parse(name), state: value }
  }
}

/** All contributions, or those of one Datanet. */
export function * listContributions (state: LedgerState, datanet?: CID): IterableIterator<{ contribution: CID, state: ContributionState }> {
  for (const [name, value] of list(state, stateCodecs.contribution, statePrefixes.contribution, rest => rest)) {
    if (datanet === undefined || value.datanet.equals(datanet)) {
      yield { contribution: CID.parse(name), state: value }
    }
  }
}

/** Bases that adapters may stand on. */
export function * listBases (state: LedgerState): IterableIterator<CID> {
  for (const [name] of list(state, stateCodecs.base, statePrefixes.base, rest => rest)) {
    yield CID.parse(name)
  }
}

export function * listAdapters (state: LedgerState): IterableIterator<{ adapter: CID, state: AdapterState }> {
  for (const [name, value] of list(state, stateCodecs.adapter, statePrefixes.adapter, rest => rest)) {
    yield { adapter: CID.parse(name), state: value }
  }
}

export function * listAttestations (state: LedgerState, subject: CID): IterableIterator<{ validator: Account, state: AttestationState }> {
  for (const [name, value] of list(state, stateCodecs.attestation, stateKeys.attestations(subject), rest => rest)) {
    yield { validator: accountFromString(name), state: value }
  }
}

export function * listChannels (state: LedgerState): IterableIterator<{ channel: Hash, state: ChannelState }> {
  for (const [name, value] of list(state, stateCodecs.channel, statePrefixes.channel, rest => rest)) {
    yield { channel: fromHex(name), state: value }
  }
}

export function * listTasks (state: LedgerState): IterableIterator<{ task: Hash, state: TaskState }> {
  for (const [name, value] of list(state, stateCodecs.task, statePrefixes.task, rest => rest)) {
    yield { task: fromHex(name), state: value }
  }
}

/** Redemptions that found no place beside better paid ones and wait for their adapter's next task. */
export function * listWaiting (state: LedgerState): IterableIterator<{ adapter: CID, source: TaskSource }> {
  for (const [name, source] of list(state, stateCodecs.waiting, statePrefixes.waiting, rest => rest)) {
    yield { adapter: CID.parse(name.slice(0, name.indexOf('/'))), source }
  }
}

export function * listPayouts (state: LedgerState, task: Hash): IterableIterator<{ contribution: CID, state: PayoutState }> {
  const prefix = stateKeys.task(task).replace(statePrefixes.task, statePrefixes.payout)

  for (const [name, value] of list(state, stateCodecs.payout, `${prefix}/`, rest => rest)) {
    yield { contribution: CID.parse(name), state: value }
  }
}

/** Answers that validators planted and neither exposed nor withdrew. */
export function * listPlants (state: LedgerState): IterableIterator<{ epoch: number, planter: Account, state: PlantState }> {
  for (const [name, value] of list(state, stateCodecs.plant, statePrefixes.plant, rest => rest)) {
    const [epoch, planter] = name.split('/')

    yield { epoch: Number(epoch), planter: accountFromString(planter), state: value }
  }
}

export function * listProposals (state: LedgerState): IterableIterator<{ proposal: number, state: ProposalState, status: ProposalStatus }> {
  for (let proposal = 0; proposal < readChain(state).proposals; proposal++) {
    const value = readProposal(state, proposal)

    if (value !== undefined) {
      yield { proposal, state: value, status: proposalStatus(value, state.height + 1) }
    }
  }
}
