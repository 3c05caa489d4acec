import { accountToString } from '../identity/index.ts'
import { channelId, readAccount, readChain, readChannel } from '../ledger/index.ts'
import { equalBytes } from '../wire/index.ts'
import { channelServedUntil } from './answering.ts'
import { CHANNEL_BLOCKS, CHANNEL_DEPOSIT, EXPIRY_MARGIN_EPOCHS, LANES_MAX, NONCES_SEARCHED_MAX } from './constants.ts'
import { PaymentRequiredError } from './errors.ts'
import { emptyPayerPage } from './payer-book.ts'
import { queues } from './queues.ts'
import type { PayerBook } from './payer-book.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Account, Amount, Hash } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'

/** The channels between accounts; a lane is the place of one among those between the same two. */
export interface PayerChannels {
  /** The channel between two accounts that is in use and has this much left, if there is one. */
  find (gateway: Account, payer: Account, quote: Amount, lane: number): Promise<Hash | undefined>
  /** The same, opened if there is none. */
  get (gateway: Account, signer: Signer, quote: Amount, lane: number, options?: AbortOptions): Promise<Hash>
  /** Whether a payer has the deposit for another channel, or one for this lane already. */
  affords (gateway: Account, payer: Account, quote: Amount, lane: number): Promise<boolean>
}

/** Enough for some answers of this price. */
const depositFor = (quote: Amount): Amount => quote * 4n > CHANNEL_DEPOSIT ? quote * 4n : CHANNEL_DEPOSIT

export function payerChannels ({ chain, book }: { chain: SettlementBackend, book: PayerBook }): PayerChannels {
  /** one after the other: what one opens the next must not take for its own */
  const opening = queues()
  const pairOf = (payer: Account, gateway: Account): string => `${accountToString(payer)}/${accountToString(gateway)}`
  const keyOf = (payer: Account, gateway: Account, lane: number): string => lane === 0 ? pairOf(payer, gateway) : `${pairOf(payer, gateway)}/${lane}`

  /** Whether another lane has taken a channel. */
  const isTaken = async (channel: Hash, gateway: Account, payer: Account, lane: number): Promise<boolean> => {
    const others = Array.from({ length: LANES_MAX }, (_, i) => i).filter(i => i !== lane)
    const known = await Promise.all(others.map(async other => book.channel(keyOf(payer, gateway, other))))

    return known.some(other => other != null && equalBytes(other, channel))
  }

  /** Whether an answer of this price can be asked for in a channel. */
  const fits = async (channel: Hash, gateway: Account, quote: Amount): Promise<boolean> => {
    const ledger = chain.state()
    const state = readChannel(ledger, channel)
    const page = await book.page(channel)

    if (state == null || state.closed || !equalBytes(state.gateway, gateway) || ledger.height >= channelServedUntil(ledger, state)) {
      return false
    }

    // receipts of which this node knows nothing: another one spends from this account
    if (page == null && state.redeemed > 0n) {
      return false
    }

    const { cumulative, broken } = page ?? emptyPayerPage

    return !broken && cumulative + quote <= state.deposit
  }

  /** Among the payer's last transactions: finds what was opened before a crash. */
  const search = async (gateway: Account, payer: Account, quote: Amount, lane: number): Promise<Hash | undefined> => {
    const { nonce } = readAccount(chain.state(), payer)

    for (let n = nonce - 1; n >= Math.max(0, nonce - NONCES_SEARCHED_MAX); n--) {
      const channel = channelId(chain.id, payer, n)

      if (await fits(channel, gateway, quote) && !await isTaken(channel, gateway, payer, lane)) {
        return channel
      }
    }

    return undefined
  }

  const find: PayerChannels['find'] = async (gateway, payer, quote, lane) => {
    const key = keyOf(payer, gateway, lane)
    const known = await book.channel(key)

    if (known != null && await fits(known, gateway, quote)) {
      return known
    }

    const found = await search(gateway, payer, quote, lane)

    if (found != null) {
      await book.use(key, found)
    }

    return found
  }

  const open = async (gateway: Account, signer: Signer, quote: Amount, options?: AbortOptions): Promise<void> => {
    const state = chain.state()
    const { balance } = readAccount(state, signer.account)
    const wanted = depositFor(quote)
    const blocks = Math.max(CHANNEL_BLOCKS, 2 * EXPIRY_MARGIN_EPOCHS * readChain(state).params.epochBlocks)

    if (balance < quote) {
      throw new PaymentRequiredError(`this answer may cost ${quote} base units, the account has ${balance}`, 'get some OPEN first')
    }

    const result = await chain.send({ kind: 'open-channel', gateway, amount: balance < wanted ? balance : wanted, expiresAtHeight: state.height + blocks }, signer, options)

    if (!result.ok) {
      throw new PaymentRequiredError(`the channel could not be opened: ${result.message ?? result.code ?? 'without a reason'}`)
    }
  }

  return {
    find,
    async get (gateway, signer, quote, lane, options) {
      return opening.run(pairOf(signer.account, gateway), async () => {
        const found = await find(gateway, signer.account, quote, lane)

        if (found != null) {
          return found
        }

        await open(gateway, signer, quote, options)

        const opened = await find(gateway, signer.account, quote, lane)

        if (opened == null) {
          throw new PaymentRequiredError('the channel was opened but is not on the ledger')
        }

        return opened
      })
    },
    async affords (gateway, payer, quote, lane) {
      return readAccount(chain.state(), payer).balance >= depositFor(quote) || await find(gateway, payer, quote, lane) != null
    }
  }
}
