import { raceSignal } from 'race-signal'
import { signRecord } from '../identity/index.ts'
import { checkTransaction, feeMin, readAccount, readChain } from '../ledger/index.ts'
import { DatanetError } from '../utils/index.ts'
import { domains, signedTransactionCodec, transactionCodec, transactionId } from '../wire/index.ts'
import { AMOUNT_BYTES_MAX, REFORWARD_INTERVAL_MS, REGOSSIPS_BEFORE_PUSH, REGOSSIP_INTERVAL_MS, REGOSSIP_TRANSACTIONS_MAX, SEND_ATTEMPTS_MAX } from './constants.ts'
import { ChainNotStartedError, KnownTransactionError, MempoolFullError, NonceTakenError, ReplayedTransactionError, TransactionRefusedError, UnknownOutcomeError } from './errors.ts'
import { mempool } from './mempool.ts'
import { passedOver } from './passed-over.ts'
import { nonceUsed, unpayable } from './refusals.ts'
import { waitingRoom } from './waiting-room.ts'
import type { FinalisedTransaction, MempoolLimits } from './interface.ts'
import type { Mempool, Waiting } from './mempool.ts'
import type { Own, Reason } from './refusals.ts'
import type { ChainStore } from './store.ts'
import type { Verdict } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Amount, FinalisedBlock, Signed, Transaction, TransactionBody } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { CID } from 'multiformats/cid'

/** A transaction that is wrong whatever the state: whoever sends it is at fault. */
const REJECTED_CODES = new Set(['ERR_SIGNATURE', 'ERR_CHAIN'])

export interface SubmissionsInit {
  chain: string
  store: ChainStore
  replayGraceBlocks: number
  limits?: MempoolLimits
  /** the newest final state */
  state (): LedgerState
  publish (signed: Signed<Transaction>): Promise<unknown>
  /** hands it to validators directly */
  push (signed: Signed<Transaction>): Promise<unknown>
  /** what became of a transaction in a block that is not here, as far as peers can prove it */
  lookUp (id: CID): Promise<FinalisedTransaction | undefined>
  /** the mempool changed */
  onChange (): void
  onRefused (refusal: { id: CID, code: string, message: string }): void
}

/** Transactions from their submission, here or elsewhere, until they are final. */
export interface Submissions {
  readonly pool: Mempool
  start (): Promise<void>
  stop (): void
  submitNow (signed: Signed<Transaction>): Promise<CID>
  submit (signed: Signed<Transaction>, options?: AbortOptions): Promise<FinalisedTransaction>
  sendNow (body: TransactionBody, signer: Signer): Promise<CID>
  send (body: TransactionBody, signer: Signer, options?: AbortOptions): Promise<FinalisedTransaction>
  finalised (id: CID, options?: AbortOptions): Promise<FinalisedTransaction>
  /** for a block on this state */
  select (state: LedgerState): Array<Signed<Transaction>>
  /** No block may hold these. Whose own they are is told once a final state says so. */
  drop (ids: CID[]): void
  /** the verdict of gossip */
  receive (signed: Signed<Transaction>): Promise<Verdict>
  onBlock (block: FinalisedBlock): void
  /** after blocks were passed over: peers are asked what these did with ours */
  onLeap (): void
}

export function submissions (init: SubmissionsInit): Submissions {
  const { store } = init
  const nonceOf = (account: Uint8Array): number => readAccount(init.state(), account).nonce
  const pool = mempool({ nonceOf, height: () => init.state().height, onReplaced: old => { if (old.local) { refuse(old, nonceUsed(old)) } } }, init.limits)
  const room = waitingRoom()
  let timer: ReturnType<typeof setInterval> | undefined
  let running = false

  const publish = (waiting: Waiting): void => {
    waiting.forwardedMs = performance.now()
    // nobody may be connected yet: it is repeated
    init.publish(waiting.signed).catch(() => {})
  }

  const regossip = (): void => {
    const nowMs = performance.now()
    const due = pool.local().filter(waiting => nowMs - waiting.forwardedMs >= REGOSSIP_INTERVAL_MS * 0.9)
      .sort((a, b) => a.forwardedMs - b.forwardedMs)
      .slice(0, REGOSSIP_TRANSACTIONS_MAX)

    for (const waiting of due) {
      publish(waiting)

      if (++waiting.repeats > REGOSSIPS_BEFORE_PUSH) {
        // whoever refuses it says why to nobody but gossip's counters; what is final answers for itself
        init.push(waiting.signed).catch(() => {})
      }
    }
  }

  const refuse = ({ id }: Own, { code, message }: Reason): void => {
    const error = new TransactionRefusedError(id.toString(), code, message)
    room.settle(id, waiter => { waiter.reject(error) })
    init.onRefused({ id, code: error.code, message: error.message })
    // what stays in the journal is refused again at the next start
    store.unjournal(id).catch(() => {})
  }

  const passed = passedOver<Own>({
    lookUp: init.lookUp,
    onFound: async (_, result) => {
      await store.putPassed(result)
      room.settle(result.id, waiter => { waiter.resolve(result) })
    },
    onGivenUp: ({ id, signed }) => {
      // it stays in the journal: the next start asks again
      const error = new UnknownOutcomeError(id.toString(), signed.payload.nonce)
      room.settle(id, waiter => { waiter.reject(error) })
      init.onRefused({ id, code: error.code, message: error.message })
    }
  })

  /** Synchronous, so that nobody gets between the choice of a nonce and its use. */
  const admit = (signed: Signed<Transaction>, local: boolean): Waiting => {
    checkTransaction(init.state(), signed)
    const waiting = pool.add(signed, { local, nowMs: performance.now() })
    init.onChange()
    return waiting
  }

  const journal = async (waiting: Waiting): Promise<CID> => {
    try {
      await store.journal(waiting.signed)
    } catch (error) {
      pool.remove(waiting.id)
      throw error
    }
    publish(waiting)
    return waiting.id
  }

  const assertRunning = (): void => {
    if (!running) {
      throw new ChainNotStartedError()
    }
  }

  const submitNow = async (signed: Signed<Transaction>): Promise<CID> => {
    assertRunning()
    const id = transactionId(signed)
    const known = pool.get(id)

    if (known !== undefined) {
      known.local = true
      return journal(known)
    }
    return await store.executedAt(id) === undefined && await store.passed(id) === undefined ? journal(admit(signed, true)) : id
  }

  const sendNow = async (body: TransactionBody, signer: Signer): Promise<CID> => {
    assertRunning()
    return journal(admit(sign(body, signer, pool.nextNonce(signer.account)), true))
  }

  /** With the least fee: enough unless blocks are full. */
  const sign = (body: TransactionBody, signer: Signer, nonce: number): Signed<Transaction> => {
    const withFee = (fee: Amount): Signed<Transaction> =>
      signRecord(domains.transaction, transactionCodec, { type: 'transaction', version: 1, chain: init.chain, nonce, fee, body }, signer)
    const { params } = readChain(init.state())
    const free = withFee(0n)

    // the fee's own bytes are paid for too
    return params.feePerByte === 0n ? free : withFee(feeMin(params, signedTransactionCodec.encode(free).length + AMOUNT_BYTES_MAX))
  }

  const executed = async (id: CID): Promise<FinalisedTransaction | undefined> => {
    const height = await store.executedAt(id)
    const result = height === undefined ? undefined : (await store.block(height))?.results.find(result => result.id.equals(id))
    return height === undefined || result === undefined ? store.passed(id) : { ...result, height }
  }

  const finalised = async (id: CID, options?: AbortOptions): Promise<FinalisedTransaction> => {
    assertRunning()
    // waits before it looks, so that it can not fall between
    const { promise, leave } = room.wait(id)
    try {
      return await executed(id) ?? await raceSignal(promise, options?.signal)
    } finally {
      leave()
    }
  }

  const restoreOne = (signed: Signed<Transaction>): void => {
    try {
      const waiting = pool.get(transactionId(signed)) ?? pool.add(signed, { local: true, nowMs: performance.now() - REGOSSIP_INTERVAL_MS })
      waiting.local = true
    } catch (error) {
      // the limits may be lower than they were: it stays in the journal for a start that has room
      if (!(error instanceof MempoolFullError || error instanceof NonceTakenError)) {
        throw error
      }
    }
  }

  const restore = async (): Promise<void> => {
    // of two with one nonce the dearer one stays
    const journaled = (await store.journaled()).sort((a, b) => a.payload.nonce - b.payload.nonce || Number(a.payload.fee - b.payload.fee))

    const stale: Own[] = []

    for (const signed of journaled) {
      if (signed.payload.nonce < nonceOf(signed.signer)) {
        stale.push({ id: transactionId(signed), signed })
      } else {
        restoreOne(signed)
      }
    }

    // where no block is missing, another transaction used the nonce; a leap leaves a gap above older blocks
    if (stale.length === 0 || await store.isComplete()) {
      stale.forEach(own => { refuse(own, nonceUsed(own)) })
    } else {
      passed.add(stale)
    }
  }

  const receive = async (signed: Signed<Transaction>): Promise<Verdict> => {
    const id = transactionId(signed)
    const known = pool.get(id)
    const nowMs = performance.now()

    if (known !== undefined) {
      if (nowMs - known.forwardedMs < REFORWARD_INTERVAL_MS) {
        return { verdict: 'ignore', reason: new KnownTransactionError(id.toString()) }
      }
      known.forwardedMs = nowMs
      return 'accept'
    }

    const height = await store.executedAt(id)
    if (height !== undefined) {
      const recent = init.state().height - height <= init.replayGraceBlocks
      return { verdict: recent ? 'ignore' : 'reject', reason: new ReplayedTransactionError(id.toString(), height) }
    }

    try {
      admit(signed, false)
      return 'accept'
    } catch (error) {
      if (error instanceof DatanetError && !REJECTED_CODES.has(error.code)) {
        return { verdict: 'ignore', reason: error }
      }
      throw error
    }
  }

  return {
    pool,
    start: async () => {
      await restore()
      running = true
      timer = setInterval(regossip, REGOSSIP_INTERVAL_MS)
    },
    stop: () => {
      running = false
      clearInterval(timer)
      passed.clear()
      room.clear(new ChainNotStartedError())
    },
    submitNow,
    submit: async (signed, options) => {
      options?.signal?.throwIfAborted()
      return finalised(await submitNow(signed), options)
    },
    sendNow,
    send: async (body, signer, options) => {
      for (let attempt = 1; ; attempt++) {
        options?.signal?.throwIfAborted()
        try {
          return await finalised(await sendNow(body, signer), options)
        } catch (error) {
          // the account is also used elsewhere
          if (!(error instanceof TransactionRefusedError) || attempt === SEND_ATTEMPTS_MAX) {
            throw error
          }
        }
      }
    },
    finalised,
    select: (state) => pool.select(account => readAccount(state, account).nonce),
    drop: (ids) => { ids.filter(id => pool.get(id)?.local === false).forEach(id => { pool.remove(id) }) },
    receive,
    onLeap: () => {
      passed.add(pool.prune())
      init.onChange()
    },
    onBlock: ({ block, results }) => {
      passed.retry()
      results.forEach(result => { pool.remove(result.id) })
      pool.prune().forEach(own => { refuse(own, nonceUsed(own)) })
      unpayable(init.state(), pool.local()).forEach(({ one, reason }) => {
        pool.remove(one.id)
        refuse(one, reason)
      })
      results.forEach(result => {
        room.settle(result.id, waiter => { waiter.resolve({ ...result, height: block.header.height }) })
      })
      init.onChange()
    }
  }
}
