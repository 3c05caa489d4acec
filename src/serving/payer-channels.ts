import { accountToString } from '../identity/index.ts'
import { channelId, readAccount, readChain, readChannel } from '../ledger/index.ts'
import { equalBytes } from '../wire/index.ts'
import { channelServedUntil } from './answering.ts'
import { CHANNEL_BLOCKS, CHANNEL_DEPOSIT, EXPIRY_MARGIN_EPOCHS, NONCES_SEARCHED_MAX } from './constants.ts'
import { PaymentRequiredError } from './errors.ts'
import { emptyPayerPage } from './payer-book.ts'
import type { PayerBook } from './payer-book.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Account, Amount, Hash } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'

export interface PayerChannels {
  /** The channel between two accounts that is in use and has this much left, if there is one. */
  find (gateway: Account, payer: Account, quote: Amount): Promise<Hash | undefined>
  /** The same, opened if there is none. */
  get (gateway: Account, signer: Signer, quote: Amount, options?: AbortOptions): Promise<Hash>
}

export function payerChannels ({ chain, book }: { chain: SettlementBackend, book: PayerBook }): PayerChannels {
  const keyOf = (payer: Account, gateway: Account): string => `${accountToString(payer)}/${accountToString(gateway)}`

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
  const search = async (gateway: Account, payer: Account, quote: Amount): Promise<Hash | undefined> => {
    const { nonce } = readAccount(chain.state(), payer)

    for (let n = nonce - 1; n >= Math.max(0, nonce - NONCES_SEARCHED_MAX); n--) {
      const channel = channelId(chain.id, payer, n)

      if (await fits(channel, gateway, quote)) {
        return channel
      }
    }

    return undefined
  }

  const find: PayerChannels['find'] = async (gateway, payer, quote) => {
    const key = keyOf(payer, gateway)
    const known = await book.channel(key)

    if (known != null && await fits(known, gateway, quote)) {
      return known
    }

    const found = await search(gateway, payer, quote)

    if (found != null) {
      await book.use(key, found)
    }

    return found
  }

  const open = async (gateway: Account, signer: Signer, quote: Amount, options?: AbortOptions): Promise<void> => {
    const state = chain.state()
    const { balance } = readAccount(state, signer.account)
    const wanted = quote * 4n > CHANNEL_DEPOSIT ? quote * 4n : CHANNEL_DEPOSIT
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
    async get (gateway, signer, quote, options) {
      const found = await find(gateway, signer.account, quote)

      if (found != null) {
        return found
      }

      await open(gateway, signer, quote, options)

      const opened = await find(gateway, signer.account, quote)

      if (opened == null) {
        throw new PaymentRequiredError('the channel was opened but is not on the ledger')
      }

      return opened
    }
  }
}
