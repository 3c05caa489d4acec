import { CID } from 'multiformats/cid'
import { readAdapter, readBase, readMerge } from '../ledger/index.ts'
import { adapterViews, baseViews, mergeParents, parseMerge } from '../node/index.ts'
import { UnknownAdapterError } from '../serving/index.ts'
import { TRANSACTION_TIMEOUT_MS } from './constants.ts'
import { BadCidError, TransactionRefusedError, UnpublishedMergeError } from './errors.ts'
import type { Desk } from './desk.ts'
import type { Keys } from './keys.ts'
import type { Signer } from '../identity/index.ts'
import type { TransactionBody } from '../interface/index.ts'
import type { DatanetNode, NamedParent } from '../node/index.ts'

/** What routes work with. */
export interface ApiContext {
  node: DatanetNode
  /** fires when the server stops; long answers end then */
  closing: AbortSignal
  keys: Keys
  desk: Desk
}

/** What a transaction came to, for people. */
export interface TransactionView {
  transaction: string
  height: number
}

/**
 * The account that acts.
 *
 * @throws {AccountMissingError}
 */
export function signerOf ({ node }: ApiContext, name: string = node.config.account): Signer {
  return node.keychain.signer(name)
}

/**
 * Signs, submits and waits until it is final.
 *
 * @throws {TransactionRefusedError}
 */
export async function send (context: ApiContext, body: TransactionBody, name?: string): Promise<TransactionView> {
  const signal = AbortSignal.any([context.closing, AbortSignal.timeout(TRANSACTION_TIMEOUT_MS)])
  const result = await context.node.chain.send(body, signerOf(context, name), { signal })

  if (!result.ok) {
    throw new TransactionRefusedError(result.code, result.message)
  }

  return { transaction: result.id.toString(), height: result.height }
}

/**
 * An adapter by CID, or by name if exactly the newest admitted one is meant; a merge also by its parents
 * and weights (`a:0.7+b:0.3`); or a base, which answers without adapter.
 *
 * A merge that nobody published is refused, not published on the way: it takes a deposit and some
 * blocks, and whoever only asks has agreed to neither.
 *
 * @throws {UnknownAdapterError | UnpublishedMergeError}
 */
export async function resolveAdapter (context: ApiContext, text: string): Promise<string> {
  const parents = parseMerge(text)

  return parents == null ? resolveOne(context, text) : resolveMerge(context, parents)
}

async function resolveMerge (context: ApiContext, parents: NamedParent[]): Promise<string> {
  const merge = readMerge(context.node.chain.state(), mergeParents(await parentsByCid(context, parents)))

  if (merge == null) {
    throw new UnpublishedMergeError(parents)
  }

  return merge.toString()
}

/** Parents with their CIDs in place of their names. */
export async function parentsByCid (context: ApiContext, parents: readonly NamedParent[]): Promise<NamedParent[]> {
  return Promise.all(parents.map(async ({ adapter, weight }) => ({ adapter: await resolveOne(context, adapter), weight })))
}

async function resolveOne ({ node }: ApiContext, text: string): Promise<string> {
  const cid = parseCid(text)

  if (cid != null && (readAdapter(node.chain.state(), cid) ?? readBase(node.chain.state(), cid)) != null) {
    return cid.toString()
  }

  const named = (await adapterViews(node)).filter(({ name, status }) => name === text && status === 'admitted')

  if (named.length === 0) {
    const base = (await baseViews(node)).find(({ name }) => name === text)

    if (base != null) {
      return base.base
    }

    throw new UnknownAdapterError(text, 'is neither the CID nor the name of one')
  }

  // several versions of one name: the one that reached the ledger last
  return named.toSorted((a, b) => heightOf(node, a.adapter) - heightOf(node, b.adapter))[named.length - 1].adapter
}

function heightOf (node: DatanetNode, adapter: string): number {
  return readAdapter(node.chain.state(), CID.parse(adapter))?.height ?? 0
}

/**
 * A CID out of a request.
 *
 * @throws {BadCidError}
 */
export function cidOf (text: string): CID {
  const cid = parseCid(text)

  if (cid == null) {
    throw new BadCidError(text)
  }

  return cid
}

function parseCid (text: string): CID | undefined {
  try {
    return CID.parse(text)
  } catch {
    return undefined
  }
}
