import { CID } from 'multiformats/cid'
import { accountFromString, accountToString } from '../identity/index.ts'
import { listAdapters, listContributions, listPayouts, listTasks, readAdapter, readBase, readChain, readContribution } from '../ledger/index.ts'
import { divide } from '../scoring/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { equalBytes } from '../wire/index.ts'
import { columnViews } from './column-views.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import { NotFoundError } from './errors.ts'
import { withQuotes } from './quotes.ts'
import { contributionTitle } from './views.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, Account, AdapterState, Amount, AnswerParentView, AnswerView, GraphNode, GraphView, MergeParent } from '../interface/index.ts'

const MILLION = 1_000_000n

/**
 * What is behind an answer of this node, an adapter or an account, layer by layer: adapter,
 * contributions and base model, and whom each belongs to.
 *
 * @param node - whose ledger is read
 * @param id - CID of a receipt of this node or of an adapter, or an account
 * @throws {NotFoundError}
 */
export async function graph (node: DatanetNode, id: string, options: AbortOptions = {}): Promise<GraphView> {
  const account = parsed(() => accountFromString(id))

  if (account != null) {
    return { amounts: 'earned', root: await accountGraph(node, id, account) }
  }

  const cid = parsed(() => CID.parse(id))
  const adapter = cid == null ? undefined : readAdapter(node.chain.state(), cid)

  if (cid != null && adapter != null) {
    return { amounts: 'earned', root: await adapterGraph(node, cid, adapter, options) }
  }

  const answer = cid == null ? undefined : await node.answers.get(cid.toString())

  if (answer == null) {
    throw new NotFoundError('answer, adapter or account', id, 'give the receipt of an answer that this node bought, the CID of an adapter on the ledger, or an account')
  }

  return { amounts: 'expected', root: withQuotes(await answerGraph(node, answer), answer) }
}

/** The fee by the split in force and the answer's own shares: what the epoch's scores would pay if it were alone. */
async function answerGraph (node: DatanetNode, answer: AnswerView): Promise<GraphNode> {
  const state = node.chain.state()
  const cid = CID.parse(answer.adapter)
  const adapter = readAdapter(state, cid)
  const fee = BigInt(answer.fee)
  const { platform, developers, validators, data } = divide(fee, readChain(state).epochFeeSplit)
  const ofBase = developers / 2n
  const ofAdapter = developers - ofBase

  return {
    kind: 'answer',
    id: answer.receipt,
    title: `answer of ${answer.outputTokens} tokens`,
    amount: answer.fee,
    children: [
      {
        kind: 'adapter',
        id: answer.adapter,
        title: await adapterName(node, cid),
        ...part(fee, ofAdapter + data),
        children: answer.parents == null
          ? [...adapter == null ? [] : [person(accountToString(adapter.developer), 'developer', ofAdapter)], ...contributionGraphs(answer.shares, data)]
          : answer.parents.map(parent => parentGraph(answer, parent, ofAdapter, data))
      },
      ...adapter == null ? [] : [baseGraph(node, adapter, { fee, amount: ofBase })],
      { kind: 'work', id: 'validators', title: 'validators and assessors', ...part(fee, validators), children: [] },
      { kind: 'work', id: 'platform', title: 'treasury', ...part(fee, platform), children: [] }
    ]
  }
}

/** One adapter of a merge: by its part of the answer its developer is paid, and the contributions that it stands on. */
function parentGraph ({ shares }: AnswerView, { adapter, name, developer, weight, share, contributions }: AnswerParentView, ofAdapter: Amount, data: Amount): GraphNode {
  const ppm = ppmOf(share)
  const paid = ofAdapter * ppm / MILLION
  const own = contributions.flatMap(({ contribution, share }) => shares.filter(one => one.contribution === contribution).map(one => ({ ...one, share })))

  return {
    kind: 'adapter',
    id: adapter,
    title: `${weight} × ${name}`,
    sharePpm: Number(ppm),
    amount: `${paid + data * ppm / MILLION}`,
    children: [person(developer, 'developer', paid), ...contributionGraphs(own, data)]
  }
}

function contributionGraphs (shares: AnswerView['shares'], data: Amount): GraphNode[] {
  return shares
    .map(({ contribution, contributor, title, share }) => ({ contribution, contributor, title, ppm: ppmOf(share) }))
    .toSorted((a, b) => Number(b.ppm - a.ppm))
    .map(({ contribution, contributor, title, ppm }): GraphNode => {
      const amount = data * ppm / MILLION

      return { kind: 'contribution', id: contribution, title, sharePpm: Number(ppm), amount: `${amount}`, children: contributor === '' ? [] : [person(contributor, 'contributor', amount)] }
    })
}

const ppmOf = (share: number): bigint => BigInt(Math.floor(share * Number(MILLION)))

/** Contributions by what answers of this adapter earned them, and who agreed on their columns. */
async function adapterGraph (node: DatanetNode, cid: CID, adapter: AdapterState, options: AbortOptions): Promise<GraphNode> {
  const paid = paidBy(node, cid)
  // a merge pays its parents' developers as well
  const total = adapter.contributions.reduce((sum, one) => sum + (paid.get(one.toString()) ?? 0n), 0n)
  const parents = await Promise.all((adapter.parents ?? []).map(async parent => parentNode(node, parent, paid.get(parent.adapter.toString()) ?? 0n)))
  const earned = parents.reduce((sum, { amount = '0' }) => sum + BigInt(amount), adapter.earned)
  const columns = await columnViews(node, cid, options)
  const contributions = await Promise.all(adapter.contributions.map(async (contribution, column): Promise<GraphNode> => {
    const known = readContribution(node.chain.state(), contribution)
    const contributor = known?.contributor
    const amount = paid.get(contribution.toString()) ?? 0n

    return {
      kind: 'contribution',
      id: contribution.toString(),
      title: await contributionTitle(node, contribution),
      ...part(total, amount),
      checkedBy: columns[column]?.checkedBy ?? [],
      ...(columns[column]?.disputedBy.length > 0 ? { disputedBy: columns[column].disputedBy } : {}),
      ...(known?.withdrawn == null ? {} : { withdrawn: true }),
      children: contributor == null ? [] : [person(accountToString(contributor), 'contributor', amount)]
    }
  }))

  return {
    kind: 'adapter',
    id: cid.toString(),
    title: await adapterName(node, cid),
    amount: `${earned + total}`,
    children: [
      ...adapter.parents == null ? [person(accountToString(adapter.developer), 'developer', adapter.earned)] : parents,
      baseGraph(node, adapter),
      ...contributions.toSorted((a, b) => (b.sharePpm ?? 0) - (a.sharePpm ?? 0))
    ]
  }
}

/** What answers of a merge paid the developer of one of its adapters, and what that one stands on. */
async function parentNode (node: DatanetNode, { adapter, weightMilli }: MergeParent, amount: Amount): Promise<GraphNode> {
  const state = readAdapter(node.chain.state(), adapter)

  return {
    kind: 'adapter',
    id: adapter.toString(),
    title: `${weightMilli / 1000} × ${await adapterName(node, adapter)}`,
    amount: `${amount}`,
    children: state == null
      ? []
      : [
          person(accountToString(state.developer), 'developer', amount),
          ...await Promise.all(state.contributions.map(async (contribution): Promise<GraphNode> => ({ kind: 'contribution', id: contribution.toString(), title: await contributionTitle(node, contribution), children: [] })))
        ]
  }
}

/** What an account contributed and made, what each earned, and by which adapters. */
async function accountGraph (node: DatanetNode, id: string, account: Account): Promise<GraphNode> {
  const state = node.chain.state()
  const adapters = [...listAdapters(state)]
  const own = [...listContributions(state)].filter(({ state }) => equalBytes(state.contributor, account))
  const made = adapters.filter(({ state }) => equalBytes(state.developer, account))
  const total = [...own, ...made].reduce((sum, { state }) => sum + state.earned, 0n)

  const contributions = await Promise.all(own.map(async ({ contribution, state: { earned } }): Promise<GraphNode> => {
    const users = adapters.filter(({ state }) => state.contributions.some(used => used.equals(contribution)))

    return {
      kind: 'contribution',
      id: contribution.toString(),
      title: await contributionTitle(node, contribution),
      ...part(total, earned),
      children: await Promise.all(users.map(async ({ adapter }): Promise<GraphNode> => {
        const amount = paidBy(node, adapter).get(contribution.toString()) ?? 0n

        return { kind: 'adapter', id: adapter.toString(), title: await adapterName(node, adapter), ...part(earned, amount), children: [] }
      }))
    }
  }))

  return {
    kind: 'account',
    id,
    title: 'account',
    amount: `${total}`,
    children: [
      ...contributions,
      ...await Promise.all(made.map(async ({ adapter, state: { earned } }): Promise<GraphNode> => (
        { kind: 'adapter', id: adapter.toString(), title: await adapterName(node, adapter), ...part(total, earned), children: [] }
      )))
    ]
  }
}

function baseGraph (node: DatanetNode, { base }: AdapterState, paid?: { fee: Amount, amount: Amount }): GraphNode {
  const developer = readBase(node.chain.state(), base)

  return {
    kind: 'base',
    id: base.toString(),
    title: 'base model',
    ...(paid == null ? {} : part(paid.fee, paid.amount)),
    children: developer == null ? [] : [person(accountToString(developer), 'base developer', paid?.amount)]
  }
}

/** What each contribution was paid for answers of an adapter, over all epochs on the ledger. */
function paidBy (node: DatanetNode, adapter: CID): Map<string, Amount> {
  const state = node.chain.state()
  const paid = new Map<string, Amount>()

  for (const { task, state: { adapter: answered } } of listTasks(state)) {
    for (const { contribution, state: { amount } } of answered.equals(adapter) ? listPayouts(state, task) : []) {
      paid.set(contribution.toString(), (paid.get(contribution.toString()) ?? 0n) + amount)
    }
  }

  return paid
}

async function adapterName (node: DatanetNode, adapter: CID): Promise<string> {
  return readAdapterRecord(node.storage, adapter, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) }).then(({ name }) => name, () => adapter.toString())
}

const person = (id: string, title: string, amount?: Amount): GraphNode => ({ kind: 'account', id, title, ...(amount == null ? {} : { amount: `${amount}` }), children: [] })

const part = (whole: Amount, amount: Amount): { sharePpm: number, amount: string } => ({ sharePpm: whole === 0n ? 0 : Number(amount * MILLION / whole), amount: `${amount}` })

function parsed<T> (parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
