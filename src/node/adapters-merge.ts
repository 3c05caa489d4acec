import { CID } from 'multiformats/cid'
import { enterSubject } from '../datanets/index.ts'
import { signRecord } from '../identity/index.ts'
import { readAdapter, readMerge } from '../ledger/index.ts'
import { mergedPrice } from '../scoring/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { cidOf, compareBytes, domains, MERGE_PARENTS_MAX, MERGE_WEIGHT_MILLI_MAX, mergedAdapterCodec, NAME_MAX, signedCodec } from '../wire/index.ts'
import { ConfigError, NotFoundError } from './errors.ts'
import type { DatanetNode } from './node.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, AdapterState, MergedAdapter, MergedAdapterView, MergeParent, PublishedAdapter } from '../interface/index.ts'

type Node = Pick<DatanetNode, 'storage' | 'chain'>

/** An adapter of a merge in people's words: CID or name, and how much of it. */
export interface NamedParent {
  adapter: string
  weight: number
}

/**
 * Reads `a:0.7+b:0.3`: each adapter by CID or name, with its weight in at most three decimals.
 *
 * @returns undefined for a text of any other form
 */
export function parseMerge (text: string): NamedParent[] | undefined {
  const parts = text.split('+').map(part => /^(.+):(-?\d{1,2}(?:\.\d{1,3})?)$/.exec(part.trim()))
  const parents = parts.flatMap(match => match == null ? [] : [{ adapter: match[1], weight: Number(match[2]) }])

  return parents.length < 2 || parents.length < parts.length ? undefined : parents
}

/** `a:0.7+b:0.3` */
export function mergeText (parents: readonly NamedParent[]): string {
  return parents.map(({ adapter, weight }) => `${adapter}:${weight}`).join('+')
}

/**
 * Parents as a record lists them.
 *
 * @param parents - by CID
 * @throws {ConfigError} for too few or too many, one that is named twice, or a weight that cannot be
 */
export function mergeParents (parents: readonly NamedParent[]): MergeParent[] {
  const listed = parents
    .map(({ adapter, weight }) => ({ adapter: CID.parse(adapter), weightMilli: Math.round(weight * 1000) }))
    .sort((a, b) => compareBytes(a.adapter.bytes, b.adapter.bytes))
  const wrong = listed.find(({ weightMilli }) => !Number.isSafeInteger(weightMilli) || weightMilli === 0 || Math.abs(weightMilli) > MERGE_WEIGHT_MILLI_MAX)

  if (listed.length < 2 || listed.length > MERGE_PARENTS_MAX || listed.some(({ adapter }, i) => i > 0 && adapter.equals(listed[i - 1].adapter))) {
    throw new ConfigError(`expected 2 to ${MERGE_PARENTS_MAX} different adapters to merge but got ${mergeText(parents)}`)
  }

  if (wrong != null) {
    throw new ConfigError(`expected weights of 0.001 to ${MERGE_WEIGHT_MILLI_MAX / 1000}, above or below zero, but that of ${wrong.adapter.toString()} is ${wrong.weightMilli / 1000}`)
  }

  return listed
}

/**
 * Publishes adapters as one that can be asked, at the price of its dearest parent. Where the ledger has
 * the same merge already, nothing is published and that one is named.
 *
 * @param node - runs
 * @param request - parents by CID, and perhaps a name
 * @param request.parents - see `mergeParents`
 * @param request.name - default: the parents' names and weights
 * @param signer - who pays the deposit, which comes back at admission
 * @throws {NotFoundError} for a parent that is not on the ledger
 * @throws {ConfigError} if they cannot be merged, or the ledger refuses it
 */
export async function mergeAdapters (node: Node, request: { parents: readonly NamedParent[], name?: string }, signer: Signer, { signal }: AbortOptions = {}): Promise<MergedAdapterView> {
  const parents = mergeParents(request.parents)
  const ledger = node.chain.state()
  const known = readMerge(ledger, parents)
  const records = await Promise.all(parents.map(async ({ adapter }) => readAdapterRecord(node.storage, adapter, { signal })))

  if (known != null) {
    return view(known, await readAdapterRecord(node.storage, known, { signal }), parents, 'admitted')
  }

  const [{ base }] = parents.map(({ adapter }, i) => checkedParent(adapter, records[i], records[0], readAdapter(ledger, adapter)))
  const record: MergedAdapter = {
    type: 'merged-adapter', version: 1, name: request.name ?? nameOf(parents, records), developer: signer.account, base, parents, ...mergedPrice(records)
  }
  const bytes = signedCodec(mergedAdapterCodec).encode(signRecord(domains.adapter, mergedAdapterCodec, record, signer))
  const adapter = cidOf(bytes)

  await node.storage.put(bytes, { pin: true, signal })

  const { ok, code, message } = await enterSubject(node.chain, { kind: 'merge-adapters', adapter, base, parents }, signer, { signal })

  if (!ok) {
    await node.storage.unpin(adapter, { signal })
    throw new ConfigError(`the ledger refused the merge: ${message ?? code ?? 'without a reason'}`)
  }

  return view(adapter, record, parents, 'pending')
}

/** The ledger says the same; here it costs no deposit and no block. */
function checkedParent (adapter: CID, record: PublishedAdapter, first: PublishedAdapter, state: AdapterState | undefined): PublishedAdapter {
  if (state == null) {
    throw new NotFoundError('adapter', adapter.toString(), 'list them with `datanet adapter list`')
  }

  if (state.status !== 'admitted') {
    throw new ConfigError(`expected admitted adapters to merge but ${record.name} is ${state.status}`)
  }

  if (record.type === 'merged-adapter') {
    throw new ConfigError(`expected adapters that are not merged themselves but ${record.name} is: name its parents, with the products of the weights`)
  }

  if (record.base.toString() !== first.base.toString()) {
    throw new ConfigError(`expected adapters of one base to merge but ${first.name} is of ${first.base.toString()} and ${record.name} of ${record.base.toString()}`)
  }

  return record
}

function nameOf (parents: readonly MergeParent[], records: readonly PublishedAdapter[]): string {
  return [...mergeText(parents.map(({ weightMilli }, i) => ({ adapter: records[i].name, weight: weightMilli / 1000 })))].slice(0, NAME_MAX).join('')
}

function view (adapter: CID, { name, pricePerThousandTokens }: PublishedAdapter, parents: readonly MergeParent[], status: MergedAdapterView['status']): MergedAdapterView {
  return {
    adapter: adapter.toString(),
    name,
    parents: parents.map(({ adapter, weightMilli }) => ({ adapter: adapter.toString(), weight: weightMilli / 1000 })),
    status,
    pricePerThousandTokens: pricePerThousandTokens.toString()
  }
}
