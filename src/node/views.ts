import { accountFromString, accountToString } from '../identity/index.ts'
import {
  listAttestations, listDatanets, listProposals, listTasks, readAccount, readAdapter, readChain, readContribution, readValidators, stateRoot
} from '../ledger/index.ts'
import { parameterCount, presets } from '../models/index.ts'
import { baseModelCodec, toHex } from '../wire/index.ts'
import { adapterView } from './adapters-view.ts'
import { LISTED_LOOKUP_TIMEOUT_MS, LOOKUP_TIMEOUT_MS, TASKS_SHOWN_MAX } from './constants.ts'
import { taskView } from './task-view.ts'
import { toJson } from './to-json.ts'
import type { DatanetNode } from './node.ts'
import type {
  AccountView, AdapterView, AttributionShare, BaseView, ContributionView, DatanetView, Genesis, NodeStatus, PresetView, ProposalView, TaskView
} from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

export function statusView (node: DatanetNode): NodeStatus {
  const { chain, config, keychain, network } = node
  const state = chain.state()
  const { params, epoch } = readChain(state)
  const { account } = keychain.signer(config.account)
  const { balance, gopen } = readAccount(state, account)

  return {
    chain: chain.id,
    name: config.name,
    account: accountToString(account),
    peerId: network.peerId.toString(),
    addresses: network.addresses().map(String),
    roles: config.roles,
    peers: network.peers().map(({ peer, address }) => ({ peerId: peer.toString(), address })),
    height: chain.height,
    epoch,
    finalisedView: chain.view,
    stateRoot: toHex(stateRoot(state)),
    balance: balance.toString(),
    gopen: gopen.toString(),
    validators: readValidators(state).map(({ account, stake }) => ({ account: accountToString(account), stake: stake.toString() })),
    params: toJson(params) as Record<string, unknown>
  }
}

export function accountView (node: DatanetNode, text: string, name?: string): AccountView {
  const account = accountFromString(text)
  const { balance, nonce, staked, gopen, votes, delegate } = readAccount(node.chain.state(), account)

  return {
    name,
    account: text,
    balance: balance.toString(),
    nonce,
    staked: staked.toString(),
    gopen: gopen.toString(),
    votes: votes.toString(),
    delegate: delegate == null ? null : accountToString(delegate)
  }
}

export function walletView (node: DatanetNode): AccountView[] {
  return node.keychain.names().map(name => accountView(node, accountToString(node.keychain.signer(name).account), name))
}

export async function datanetViews (node: DatanetNode): Promise<DatanetView[]> {
  return Promise.all([...listDatanets(node.chain.state())].map(async ({ datanet, state }) => {
    const manifest = await node.datanets.manifest(datanet, { signal: AbortSignal.timeout(LISTED_LOOKUP_TIMEOUT_MS) }).catch(() => undefined)

    return {
      datanet: datanet.toString(),
      name: state.name,
      title: manifest?.title ?? state.name,
      description: manifest?.description ?? '',
      licence: manifest?.licence ?? '',
      curator: accountToString(state.curator),
      contributions: state.contributions,
      admitted: state.admitted
    }
  }))
}

export async function contributionViews (node: DatanetNode, datanet?: CID): Promise<ContributionView[]> {
  const state = node.chain.state()

  return Promise.all(node.datanets.contributions(datanet).map(async entry => ({
    contribution: entry.contribution.toString(),
    datanet: entry.state.datanet.toString(),
    contributor: accountToString(entry.state.contributor),
    title: await contributionTitle(node, entry.contribution),
    rows: entry.state.rows,
    bytes: entry.state.bytes,
    status: entry.state.status,
    attestations: [...listAttestations(state, entry.contribution)].map(({ validator, state: { verdict } }) => ({ validator: accountToString(validator), verdict })),
    earned: entry.state.earned.toString(),
    ...(entry.state.withdrawn == null ? {} : { withdrawn: entry.state.withdrawn })
  })))
}

/** The title of a contribution, or its CID while the record cannot be had. */
export async function contributionTitle (node: DatanetNode, contribution: CID): Promise<string> {
  return node.datanets.record(contribution, lookup()).then(({ payload }) => payload.title, () => contribution.toString())
}

export async function baseViews (node: { genesis: Pick<Genesis, 'bases'>, storage: Pick<Storage, 'get'> }): Promise<BaseView[]> {
  return Promise.all(node.genesis.bases.map(async ({ base }) => {
    const record = baseModelCodec.decode(await node.storage.get(base, lookup()))

    return {
      base: base.toString(),
      name: record.name,
      licence: record.licence,
      parameters: parameterCount(record.config),
      contextLength: record.config.contextLength
    }
  }))
}

export function presetViews (): PresetView[] {
  return Object.entries(presets).map(([preset, { title, description, rank, steps, batchSize, sequenceLength, targets, learningRateNano }]) => ({
    preset, title, description, rank, steps, batchSize, sequenceLength, targets, learningRate: learningRateNano / 1e9
  }))
}

export async function adapterViews (node: DatanetNode): Promise<AdapterView[]> {
  const ledger = node.chain.state()

  return (await node.adapters.all()).toReversed().flatMap(entry => {
    const state = readAdapter(ledger, entry.adapter)

    return state == null ? [] : [adapterView(entry, state)]
  })
}

/** The newest tasks first. */
export function taskViews (node: DatanetNode): TaskView[] {
  const state = node.chain.state()

  return [...listTasks(state)]
    .toSorted((a, b) => b.state.epoch - a.state.epoch)
    .slice(0, TASKS_SHOWN_MAX)
    .map(({ task, state: value }) => taskView(state, task, value))
}

export function proposalViews (node: DatanetNode): ProposalView[] {
  return [...listProposals(node.chain.state())].map(({ proposal, state, status }) => ({
    proposal,
    title: state.title,
    status,
    proposer: accountToString(state.proposer),
    for: state.for.toString(),
    against: state.against.toString(),
    abstain: state.abstain.toString(),
    voteStart: state.voteStart,
    voteEnd: state.voteEnd,
    eta: state.eta,
    actions: toJson(state.actions) as unknown[]
  }))
}

/** What each contribution of an adapter's snapshot did for an answer, largest first. */
export async function shareViews (node: DatanetNode, adapter: CID, influence: number[]): Promise<AttributionShare[]> {
  const contributions = readAdapter(node.chain.state(), adapter)?.contributions ?? []
  const positive = influence.reduce((sum, one) => sum + Math.max(0, one), 0)

  return Promise.all(contributions.map(async (contribution, i) => {
    const state = readContribution(node.chain.state(), contribution)

    return {
      contribution: contribution.toString(),
      contributor: state == null ? '' : accountToString(state.contributor),
      title: await contributionTitle(node, contribution),
      influence: influence[i],
      share: positive === 0 ? 0 : Math.max(0, influence[i]) / positive
    }
  }))
}

const lookup = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) })
