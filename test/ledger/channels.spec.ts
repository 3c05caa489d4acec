import { expect } from 'aegir/chai'
import { channelId, listTasks, readAccount, readChannel } from '../../src/ledger/index.ts'
import { adapter, admitAdapter, alice, CHAIN, cid, gateway, Network, OPEN, openChannel, payer, redeemBody } from './network.ts'

function withChannel (): { network: Network, channel: Uint8Array } {
  const network = new Network()

  admitAdapter(network)

  return { network, channel: openChannel(network) }
}

describe('channels', () => {
  it('move what vouchers allow from the escrow to the task of the epoch and the adapter', () => {
    const { network, channel } = withChannel()

    network.must([gateway, redeemBody(channel, 3n * OPEN)], [gateway, redeemBody(channel, 5n * OPEN, 2n * OPEN)])
    const [{ state: task }, ...rest] = listTasks(network.state)

    expect(rest).to.deep.equal([])
    expect(task).to.deep.include({ fees: 5n * OPEN })
    expect(task.sources.map(({ fees }) => fees)).to.deep.equal([3n * OPEN, 2n * OPEN])
    expect(readChannel(network.state, channel)).to.deep.include({ redeemed: 5n * OPEN, deposit: 100n * OPEN })
  })

  it('pay no more than the deposit, nothing twice, and nothing without the payer\'s signature', () => {
    const { network, channel } = withChannel()
    const body = redeemBody(channel, 3n * OPEN)

    expect(network.try(gateway, redeemBody(channel, 101n * OPEN))).to.equal('ERR_OVER_REDEEM')
    expect(network.try(gateway, { ...body, voucherSignature: new Uint8Array(64) })).to.equal('ERR_VOUCHER')
    expect(network.try(gateway, { ...body, cumulative: 4n * OPEN, batches: [{ ...body.batches[0], fees: 4n * OPEN }] })).to.equal('ERR_VOUCHER')
    expect(network.try(alice, body)).to.equal('ERR_NOT_GATEWAY')
    expect(network.try(gateway, body)).to.equal('ok')
    expect(network.try(gateway, body)).to.equal('ERR_OVER_REDEEM')
    expect(network.try(gateway, redeemBody(channelId(CHAIN, payer.account, 77), OPEN))).to.equal('ERR_CHANNEL_UNKNOWN')
  })

  it('take batches that sum to what the voucher adds, for admitted adapters', () => {
    const { network, channel } = withChannel()
    const body = redeemBody(channel, 3n * OPEN)

    expect(network.try(gateway, redeemBody(channel, 3n * OPEN, 2n * OPEN))).to.equal('ERR_BATCHES')
    expect(network.try(gateway, redeemBody(channel, 3n * OPEN, 4n * OPEN))).to.equal('ERR_BATCHES')
    expect(network.try(gateway, { ...body, batches: [{ ...body.batches[0], adapter: cid('unknown') }] })).to.equal('ERR_ADAPTER_NOT_ADMITTED')
    expect(network.try(gateway, { ...body, batches: [{ ...body.batches[0], adapter }] })).to.equal('ok')
  })

  it('are closed by the gateway at any time, and give the rest back', () => {
    const { network, channel } = withChannel()

    network.must([gateway, redeemBody(channel, 3n * OPEN)], [gateway, { kind: 'close-channel', channel }])
    expect(network.balance(payer)).to.equal(9_997n * OPEN)
    expect(network.try(gateway, redeemBody(channel, 4n * OPEN, OPEN))).to.equal('ERR_CHANNEL_CLOSED')
    expect(network.try(gateway, { kind: 'close-channel', channel })).to.equal('ERR_CHANNEL_CLOSED')
  })

  it('are closed by the payer only after they expired, by others never', () => {
    const network = new Network()
    const channel = channelId(CHAIN, payer.account, readAccount(network.state, payer.account).nonce)

    network.must([payer, { kind: 'open-channel', gateway: gateway.account, amount: OPEN, expiresAtHeight: 4 }])
    expect(network.try(payer, { kind: 'close-channel', channel })).to.equal('ERR_CHANNEL_EXPIRY')
    expect(network.try(alice, { kind: 'close-channel', channel })).to.equal('ERR_NOT_PAYER')
    expect(network.try(payer, { kind: 'close-channel', channel })).to.equal('ok')
    expect(network.balance(payer)).to.equal(10_000n * OPEN)
    expect(network.try(payer, { kind: 'open-channel', gateway: gateway.account, amount: OPEN, expiresAtHeight: 5 })).to.equal('ERR_CHANNEL_EXPIRY')
  })
})
