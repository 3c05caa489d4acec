import { CID } from 'multiformats/cid'
import { readAdapter, readBase } from '../ledger/index.ts'
import { adapterViews, baseViews } from '../node/index.ts'
import { UnknownAdapterError } from '../serving/index.ts'
import { TRANSACTION_TIMEOUT_MS } from './constants.ts'
import { BadCidError, TransactionRefusedError } from './errors.ts'
import type { Desk } from './desk.ts'
import type { Keys } from './keys.ts'
import type { Signer } from '../identity/index.ts'
import type { TransactionBody } from '../interface/index.ts'
import type { DatanetNode } from '../node/index.ts'

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

/** An adapter by CID, or by name if exactly the newest admitted one is meant; or a base, which answers without adapter. */
export async function resolveAdapter ({ node }: ApiContext, text: string): Promise<string> {
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
