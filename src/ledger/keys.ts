import { accountToString } from '../identity/index.ts'
import { hash, toHex, utf8 } from '../wire/index.ts'
import { MERGE_DOMAIN } from './constants.ts'
import type { Account, Amount, Hash, MergeParent } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** An amount of 16 bytes in 2^-32 units; keys count down from it, so that the best paid come first. */
const PART_FEE_MAX = (1n << 160n) - 1n

/**
 * The keys of the state, as the ledger writes them and light clients ask for them.
 *
 * @example
 * ```ts
 * const proof = state.map.prove(stateKeys.account(account))
 * ```
 */
export const stateKeys = {
  /** the singletons: `ChainState` */
  chain: 'chain',
  /** roots over all headers before this block: `HistoryState` */
  history: 'history',
  /** what the next header is added to: `HistoryPeaks` */
  historyPeaks: 'history-peaks',
  /** the set that certifies the next block: `Validator[]` */
  validators: 'validators',
  /** the set of the epoch after the running one */
  nextValidators: 'validators-next',
  /** somebody who may be chosen for a set */
  candidate: (account: Account): string => `validator/${accountToString(account)}`,
  /** who registered a BLS key, by its hash */
  keyOwner: (key: Hash): string => `validator-key/${toHex(key)}`,
  /** what an account has bonded to a validator */
  bond: (validator: Account, owner: Account): string => `bond/${accountToString(validator)}/${accountToString(owner)}`,
  /** a validator that contradicted itself */
  conviction: (validator: Account): string => `conviction/${accountToString(validator)}`,
  /** an era that ended and can still be judged */
  era: (era: number): string => `era/${era}`,
  unbonding: (account: Account): string => `unbonding/${accountToString(account)}`,
  account: (account: Account): string => `account/${accountToString(account)}`,
  /** there while the account's stake lets it be drawn; the value is its stake */
  assessor: (account: Account): string => `assessor/${accountToString(account)}`,
  /** developer of a base model */
  base: (base: CID): string => `base/${base.toString()}`,
  datanet: (datanet: CID): string => `datanet/${datanet.toString()}`,
  contribution: (contribution: CID): string => `contribution/${contribution.toString()}`,
  attestation: (subject: CID, validator: Account): string => `attestation/${subject.toString()}/${accountToString(validator)}`,
  /** what all attestations of a subject begin with */
  attestations: (subject: CID): string => `attestation/${subject.toString()}/`,
  adapter: (adapter: CID): string => `adapter/${adapter.toString()}`,
  /** the adapter that was imported with these weights: a second one would be the same */
  importedWeights: (weights: CID): string => `weights/${weights.toString()}`,
  /** the first admitted adapter that merges these parents with these weights */
  merge: (parents: readonly MergeParent[]): string => `merge/${toHex(hash(MERGE_DOMAIN, ...parents.flatMap(({ adapter, weightMilli }) => [adapter.bytes, utf8(`${weightMilli}`)])))}`,
  channel: (channel: Hash): string => `channel/${toHex(channel)}`,
  task: (task: Hash): string => `task/${toHex(task)}`,
  /** redemptions that wait for their adapter's next task, before what pays less for its part of a task (`partFee`) */
  waiting: (adapter: CID, partFee: bigint, { channel, until }: { channel: Hash, until: Amount }): string => `${stateKeys.waitingFor(adapter)}${(PART_FEE_MAX - partFee).toString(16).padStart(40, '0')}/${toHex(channel)}/${until.toString(16)}`,
  /** what all that wait for an adapter's next task begin with */
  waitingFor: (adapter: CID): string => `waiting/${adapter.toString()}/`,
  /** after all that wait for the adapter, and before those of the next one: "0" follows "/" */
  waitingAfter: (adapter: CID): string => `waiting/${adapter.toString()}0`,
  /** what a seat answered in the running round of a dispute */
  answer: (task: Hash, assessor: Account): string => `answer/${toHex(task)}/${accountToString(assessor)}`,
  /** an answer that a validator knew before the seats revealed theirs */
  plant: (epoch: number, planter: Account): string => `plant/${epoch}/${accountToString(planter)}`,
  payout: (task: Hash, contribution: CID): string => `payout/${toHex(task)}/${contribution.toString()}`,
  proposal: (proposal: number): string => `proposal/${proposal}`,
  /** how an account voted on a proposal */
  ballot: (proposal: number, voter: Account): string => `ballot/${proposal}/${accountToString(voter)}`,
  /** history of an account's votes */
  votes: (account: Account): string => `votes/${accountToString(account)}`
} as const

/** What keys begin with, for `state.map.entries`. */
export const statePrefixes = {
  account: 'account/',
  assessor: 'assessor/',
  base: 'base/',
  bond: 'bond/',
  candidate: 'validator/',
  conviction: 'conviction/',
  era: 'era/',
  unbonding: 'unbonding/',
  datanet: 'datanet/',
  contribution: 'contribution/',
  attestation: 'attestation/',
  adapter: 'adapter/',
  channel: 'channel/',
  task: 'task/',
  waiting: 'waiting/',
  answer: 'answer/',
  plant: 'plant/',
  payout: 'payout/',
  proposal: 'proposal/',
  ballot: 'ballot/',
  votes: 'votes/'
} as const
