import { signedTransactionCodec, toHex, transactionId } from '../wire/index.ts'
import {
  BLOCK_TRANSACTIONS_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, MEMPOOL_ACCOUNT_MAX, MEMPOOL_AGE_BLOCKS_MAX, MEMPOOL_BYTES_MAX,
  MEMPOOL_TRANSACTIONS_MAX, REPLACEMENT_PERCENT
} from './constants.ts'
import { KnownTransactionError, MempoolFullError, NonceTakenError } from './errors.ts'
import type { MempoolLimits, MempoolStats } from './interface.ts'
import type { Account, Signed, Transaction } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export interface Waiting {
  id: CID
  signed: Signed<Transaction>
  bytes: number
  /** submitted here: never dropped to make room */
  local: boolean
  /** place in the order of arrival */
  arrival: number
  height: number
  /** when it was last passed on, in the driver's clock */
  forwardedMs: number
  /** how often it was gossiped again */
  repeats: number
}

/** What the mempool must know of the ledger. */
export interface MempoolRules {
  /** next nonce of an account in the newest final state */
  nonceOf (account: Account): number
  height (): number
  /** one that waited gave way to a dearer one of the same account and nonce */
  onReplaced? (old: Waiting): void
}

/**
 * Transactions that wait for a block, by account and nonce. Another one with the same nonce takes the
 * first one's place if it pays a tenth more. Bounded per account and in total; those that pay more a
 * byte come first, and push out those that pay less.
 */
export interface Mempool {
  readonly stats: MempoolStats
  get (id: CID): Waiting | undefined
  /**
   * @throws {KnownTransactionError | NonceTakenError | MempoolFullError}; the caller has checked the transaction itself
   */
  add (signed: Signed<Transaction>, options: { local: boolean, nowMs: number }): Waiting
  remove (id: CID): void
  /** the nonce after all that wait without a gap */
  nextNonce (account: Account): number
  /** For a block on a state with these nonces: nonces without gaps, otherwise by fee and arrival. */
  select (nonceOf: (account: Account) => number): Array<Signed<Transaction>>
  /** whether `select` on the newest final state would find anything */
  ready (): boolean
  local (): Waiting[]
  /**
   * Forgets what can not be executed any more.
   *
   * @returns what was local among it
   */
  prune (): Waiting[]
}

/** Which comes first: who pays more a byte, then who came first. */
function before (a: Waiting, b: Waiting): boolean {
  const ofA = a.signed.payload.fee * BigInt(b.bytes)
  const ofB = b.signed.payload.fee * BigInt(a.bytes)

  return ofA === ofB ? a.arrival < b.arrival : ofA > ofB
}

/** Where the first of a queue has its place among those of others, the best last. */
function placeOf (queue: Waiting[], others: Waiting[][]): number {
  let low = 0

  for (let high = others.length; low < high;) {
    const middle = (low + high) >> 1

    if (before(others[middle][0], queue[0])) {
      high = middle
    } else {
      low = middle + 1
    }
  }

  return low
}

/** The best first, but the nonces of an account in their order. The queues are sorted once: there may be thousands, and a leader waits for it. */
function merge (queues: Waiting[][]): Array<Signed<Transaction>> {
  const sorted = queues.toSorted(([a], [b]) => before(a, b) ? 1 : -1)
  const chosen: Array<Signed<Transaction>> = []
  let bytes = 0

  for (let queue = sorted.pop(); queue !== undefined && chosen.length < BLOCK_TRANSACTIONS_MAX; queue = sorted.pop()) {
    const [first, ...rest] = queue

    if (bytes + first.bytes > BLOCK_TRANSACTIONS_BYTES_MAX) {
      break
    }
    bytes += first.bytes
    chosen.push(first.signed)

    if (rest.length > 0) {
      sorted.splice(placeOf(rest, sorted), 0, rest)
    }
  }

  return chosen
}

export function mempool (rules: MempoolRules, limits: MempoolLimits = {}): Mempool {
  const { transactionsMax = MEMPOOL_TRANSACTIONS_MAX, bytesMax = MEMPOOL_BYTES_MAX, accountMax = MEMPOOL_ACCOUNT_MAX } = limits
  const accounts = new Map<string, Map<number, Waiting>>()
  const byId = new Map<string, Waiting>()
  let bytes = 0
  let arrivals = 0

  const remove = (id: CID): void => {
    const waiting = byId.get(id.toString())

    if (waiting === undefined) {
      return
    }

    const key = toHex(waiting.signed.signer)
    const queue = accounts.get(key)
    byId.delete(id.toString())
    queue?.delete(waiting.signed.payload.nonce)
    bytes -= waiting.bytes

    if (queue?.size === 0) {
      accounts.delete(key)
    }
  }

  /**
   * Foreign transactions go, the worst first: for our own users all of them if need be, since a flood from
   * outside must not keep these out, otherwise those that pay less.
   */
  const makeRoom = (candidate: Waiting): void => {
    const fits = (): boolean => byId.size < transactionsMax && bytes + candidate.bytes <= bytesMax

    if (fits()) {
      return
    }
    const worse = [...byId.values()].filter(waiting => !waiting.local && (candidate.local || before(candidate, waiting)))

    for (const { id } of worse.sort((a, b) => before(a, b) ? 1 : -1)) {
      if (fits()) {
        return
      }
      remove(id)
    }
  }

  /** @throws {NonceTakenError} unless it pays enough to take the other's place */
  const checkReplacement = (old: Waiting, signed: Signed<Transaction>): void => {
    const { fee } = old.signed.payload
    const more = (fee * REPLACEMENT_PERCENT + 99n) / 100n
    const least = fee + (more > 0n ? more : 1n)

    if (signed.payload.fee < least) {
      throw new NonceTakenError(signed.payload.nonce, least)
    }
  }

  /** the run of nonces from `nonce` on */
  const run = (queue: Map<number, Waiting> | undefined, nonce: number): Waiting[] => {
    const found: Waiting[] = []
    for (let next = queue?.get(nonce); next !== undefined; next = queue?.get(++nonce)) {
      found.push(next)
    }
    return found
  }

  return {
    get stats () {
      return { transactions: byId.size, bytes }
    },
    get: (id) => byId.get(id.toString()),
    add: (signed, { local, nowMs }) => {
      const id = transactionId(signed)
      const key = toHex(signed.signer)
      const queue = accounts.get(key)
      const size = signedTransactionCodec.encode(signed).byteLength

      if (byId.has(id.toString())) {
        throw new KnownTransactionError(id.toString())
      }
      const old = queue?.get(signed.payload.nonce)
      const waiting: Waiting = { id, signed, bytes: size, local, arrival: arrivals, height: rules.height(), forwardedMs: nowMs, repeats: 0 }

      if (old !== undefined) {
        checkReplacement(old, signed)
        remove(old.id)
        rules.onReplaced?.(old)
      }
      if ((queue?.size ?? 0) >= accountMax) {
        throw new MempoolFullError('transactions of one account', accountMax)
      }
      makeRoom(waiting)
      if (byId.size >= transactionsMax) {
        throw new MempoolFullError('transactions', transactionsMax)
      }
      if (bytes + size > bytesMax) {
        throw new MempoolFullError('bytes', bytesMax)
      }

      arrivals++
      byId.set(id.toString(), waiting)
      // looked up again: room was made meanwhile
      accounts.set(key, (accounts.get(key) ?? new Map<number, Waiting>()).set(signed.payload.nonce, waiting))
      bytes += size
      return waiting
    },
    remove,
    nextNonce: (account) => {
      const nonce = rules.nonceOf(account)
      return nonce + run(accounts.get(toHex(account)), nonce).length
    },
    select: (nonceOf) => merge([...accounts.values()].map(queue => {
      const [any] = queue.values()
      return run(queue, nonceOf(any.signed.signer))
    }).filter(queue => queue.length > 0)),
    ready: () => {
      for (const queue of accounts.values()) {
        const [any] = queue.values()
        if (queue.has(rules.nonceOf(any.signed.signer))) {
          return true
        }
      }
      return false
    },
    local: () => [...byId.values()].filter(waiting => waiting.local),
    prune: () => {
      const height = rules.height()
      const stale = [...byId.values()].filter(waiting => {
        return waiting.signed.payload.nonce < rules.nonceOf(waiting.signed.signer) ||
          (!waiting.local && height - waiting.height > MEMPOOL_AGE_BLOCKS_MAX)
      })
      stale.forEach(waiting => { remove(waiting.id) })
      return stale.filter(waiting => waiting.local)
    }
  }
}
