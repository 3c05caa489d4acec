import { listWaiting, readChain, readChannel, readTask } from '../ledger/index.ts'
import { fromHex, toHex } from '../wire/index.ts'
import { channelServedUntil } from './answering.ts'
import type { Book } from './book.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Hash } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'

export interface TidyingComponents {
  signer: Signer
  chain: SettlementBackend
  book: Book
  /** runs work while nothing else happens in a channel */
  exclusive<T> (channel: Hash, work: () => Promise<T>): Promise<T>
}

export interface Tidied {
  /** channels, in hexadecimal, whose rest went back to their payers */
  closed: string[]
  /** receipts that nobody can ask for any more */
  pruned: number
}

/**
 * Gives payers back what lies in channels that take no questions any more or were not used for long,
 * and forgets receipts whose task is settled.
 *
 * @param components - whose channels
 * @param isIdle - whether a channel, in hexadecimal, was not used for long
 * @param options - signal
 */
export async function tidy (components: TidyingComponents, isIdle: (channel: string) => boolean, options: AbortOptions = {}): Promise<Tidied> {
  const { book, chain } = components
  const closed: string[] = []

  for (const hex of await book.channels()) {
    options.signal?.throwIfAborted()

    if (await components.exclusive(fromHex(hex), async () => closeChannel(components, fromHex(hex), isIdle(hex), options))) {
      closed.push(hex)
    }
  }

  return { closed, pruned: await book.prune(isNeeded(chain.state())) }
}

/** What was co-signed is redeemed first; an answer that nobody paid in time is given up. */
async function closeChannel ({ book, chain, signer }: TidyingComponents, channel: Hash, idle: boolean, options: AbortOptions): Promise<boolean> {
  const ledger = chain.state()
  const state = readChannel(ledger, channel)

  if (state == null || state.closed || (await book.unredeemed(channel, state.redeemed)).length > 0) {
    return false
  }

  const isOver = ledger.height > channelServedUntil(ledger, state)

  if (!isOver && (!idle || (await book.page(channel)).proposed != null)) {
    return false
  }

  const { ok } = await chain.send({ kind: 'close-channel', channel }, signer, options)

  if (ok) {
    await book.forget(channel)
  }

  return ok
}

/** A redemption's receipts may be asked for until its task is settled, while it waits for one, and before the ledger knows of it. */
function isNeeded (ledger: LedgerState): (root: string, channel: Hash, cumulative: bigint) => boolean {
  const sources = [...readChain(ledger).openTasks.flatMap(task => readTask(ledger, task)?.sources ?? []), ...[...listWaiting(ledger)].map(({ source }) => source)]
  const open = new Set(sources.map(({ receiptsRoot }) => toHex(receiptsRoot)))

  return (root, channel, cumulative) => open.has(root) || (readChannel(ledger, channel)?.redeemed ?? 0n) < cumulative
}
