import { verifySignature } from '../identity/index.ts'
import { domains, equalBytes, hash, signingBytes, utf8, voucherCodec } from '../wire/index.ts'
import { uint64 } from './bytes.ts'
import { CHANNEL_HEIGHT_MAX, REDEMPTION_RECEIPTS_MAX } from './constants.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { requirePositive } from './money.ts'
import { announce, credit, debit, getChain } from './records.ts'
import { joinTask } from './redemptions.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Account, Amount, ChannelState, Hash, RedeemBody, TaskSource, Voucher } from '../interface/index.ts'

/**
 * The identifier of the channel that a payer opens with the transaction of this nonce: known before
 * the transaction is in a block.
 */
export function channelId (chain: string, payer: Account, nonce: number): Hash {
  return hash(domains.channel, utf8(chain), payer, uint64(nonce))
}

export function openChannel ({ draft, signer, nonce, height }: Context, body: { gateway: Account, amount: Amount, expiresAtHeight: number }): void {
  requirePositive(body.amount)

  if (body.expiresAtHeight <= height || body.expiresAtHeight > CHANNEL_HEIGHT_MAX) {
    throw new RuleError('ERR_CHANNEL_EXPIRY', `expected an expiry after this block (${height}) and at most at ${CHANNEL_HEIGHT_MAX} but got ${body.expiresAtHeight}`)
  }

  const id = channelId(getChain(draft).chain, signer, nonce)

  debit(draft, signer, body.amount)
  announce(draft, signer, id, body.amount, 'escrow')
  putChannel(draft, id, {
    payer: signer,
    gateway: body.gateway,
    deposit: body.amount,
    redeemed: 0n,
    expiresAtHeight: body.expiresAtHeight,
    closed: false
  })
}

export function closeChannel ({ draft, signer, height }: Context, body: { channel: Hash }): void {
  const channel = openedChannel(draft, body.channel)

  if (!equalBytes(signer, channel.gateway)) {
    if (!equalBytes(signer, channel.payer)) {
      throw new RuleError('ERR_NOT_PAYER', 'expected the payer or the gateway of the channel')
    }

    if (height < channel.expiresAtHeight) {
      throw new RuleError('ERR_CHANNEL_EXPIRY', `the payer may close the channel from height ${channel.expiresAtHeight} but this is ${height}: wait, or ask the gateway to close it`)
    }
  }

  const rest = channel.deposit - channel.redeemed

  credit(draft, channel.payer, rest)
  announce(draft, body.channel, channel.payer, rest, 'refund')
  putChannel(draft, body.channel, { ...channel, closed: true })
}

export function redeem ({ draft, signer }: Context, body: RedeemBody): void {
  const channel = openedChannel(draft, body.channel)
  const { chain } = getChain(draft)

  if (!equalBytes(signer, channel.gateway)) {
    throw new RuleError('ERR_NOT_GATEWAY', 'expected the gateway of the channel')
  }

  if (body.cumulative <= channel.redeemed || body.cumulative > channel.deposit) {
    throw new RuleError('ERR_OVER_REDEEM', `expected a voucher for more than the ${channel.redeemed} redeemed and at most the deposit of ${channel.deposit} but got ${body.cumulative}`)
  }

  checkBatches(draft, body, body.cumulative - channel.redeemed)

  const voucher: Voucher = { type: 'voucher', version: 1, chain, channel: body.channel, cumulative: body.cumulative }

  if (!verifySignature(channel.payer, signingBytes(domains.voucher, voucherCodec.encode(voucher)), body.voucherSignature)) {
    throw new RuleError('ERR_VOUCHER', 'expected the payer\'s signature over the voucher for this channel and amount')
  }

  for (const { adapter, receiptsRoot, receipts, fees } of body.batches) {
    const source: TaskSource = { gateway: channel.gateway, channel: body.channel, receiptsRoot, receipts, fees, from: channel.redeemed, until: body.cumulative, bond: fees, fault: null }

    debit(draft, signer, source.bond)
    joinTask(draft, adapter, source)
  }

  putChannel(draft, body.channel, { ...channel, redeemed: body.cumulative })
}

function checkBatches (draft: Draft, body: RedeemBody, added: Amount): void {
  const sum = body.batches.reduce((sum, { fees }) => sum + fees, 0n)

  if (sum !== added || body.batches.some(({ fees, receipts }) => fees <= 0n || receipts <= 0)) {
    throw new RuleError('ERR_BATCHES', `expected batches with receipts and fees that sum to the ${added} that the voucher adds but they sum to ${sum}`)
  }

  for (const { adapter, receipts } of body.batches) {
    if (receipts > REDEMPTION_RECEIPTS_MAX) {
      throw new RuleError('ERR_BATCHES', `expected at most ${REDEMPTION_RECEIPTS_MAX} receipts of an adapter in a redemption but got ${receipts}: redeem up to an earlier one first`)
    }

    if (draft.get(stateCodecs.adapter, stateKeys.adapter(adapter))?.status !== 'admitted') {
      throw new RuleError('ERR_ADAPTER_NOT_ADMITTED', `expected admitted adapters only but ${adapter} is not`)
    }
  }
}

function openedChannel (draft: Draft, id: Hash): ChannelState {
  const channel = draft.get(stateCodecs.channel, stateKeys.channel(id))

  if (channel === undefined) {
    throw new RuleError('ERR_CHANNEL_UNKNOWN', 'expected a channel of this ledger')
  }

  if (channel.closed) {
    throw new RuleError('ERR_CHANNEL_CLOSED', 'expected an open channel but this one is closed')
  }

  return channel
}

function putChannel (draft: Draft, id: Hash, value: ChannelState): void {
  const { payer, gateway, deposit, redeemed, closed } = value

  draft.put(stateCodecs.channel, stateKeys.channel(id), value)
  draft.emit({ type: 'channel', channel: id, payer, gateway, deposit, redeemed, closed })
}
