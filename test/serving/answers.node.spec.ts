import { expect } from 'aegir/chai'
import { channelId, readAccount, readChannel } from '../../src/ledger/index.ts'
import {
  acknowledgementCodec, ASK_PROTOCOL, askCodec, attributeAnswer, checkOpening, COSIGN_PROTOCOL, cosignCodec, feeOf, generateAnswer, payer, proposedAnswerCodec, signReceipt, signVoucher, tokensHash
} from '../../src/serving/index.ts'
import { cidOf, equalBytes, toHex } from '../../src/wire/index.ts'
import { attestBody } from '../ledger/network.ts'
import { acquaint, market, OPEN, people, poor, PRICE, question, SAMPLER, shopkeeper, signal, validator } from './fixtures.ts'
import type { Market, Peer } from './fixtures.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Hash } from '../../src/interface/index.ts'
import type { AskMessage, CosignMessage, Gateway, Payer } from '../../src/serving/index.ts'
import type { CID } from 'multiformats/cid'

let here: Market
let shop: Peer & { gateway: Gateway }
const strangers = people.values()

/** A funded account that no other test uses. */
const newcomer = (): Signer => strangers.next().value ?? expect.fail('more people are needed')
const position = (receipt: { sequence: number, cumulative: bigint }): [number, bigint] => [receipt.sequence, receipt.cumulative]

before(async () => {
  here = await market()
  shop = await here.shop()
})

after(async () => here.clean())

/** A channel that was opened by hand. */
async function openChannel (who: Signer, amount = OPEN, blocks = 100_000, gateway = shopkeeper): Promise<Hash> {
  const { nonce } = readAccount(here.chain.state(), who.account)

  await here.must({ kind: 'open-channel', gateway: gateway.account, amount, expiresAtHeight: here.chain.height + blocks }, who)

  return channelId(here.chain.id, who.account, nonce)
}

const voucher = (channel: Hash, cumulative: bigint, who: Signer): AskMessage['voucher'] =>
  ({ cumulative, signature: signVoucher({ type: 'voucher', version: 1, chain: here.chain.id, channel, cumulative }, who) })

function askMessage (who: Signer, channel: Hash, fields: Partial<AskMessage> = {}): AskMessage {
  return { type: 'ask', ...question(here.adapter), payer: who.account, channel, sequence: 0, voucher: voucher(channel, OPEN / 10n, who), ...fields }
}

/** A peer that speaks the protocol without our payer. */
async function stranger (): Promise<{ ask (message: AskMessage): Promise<ReturnType<typeof proposedAnswerCodec.decode>>, cosign (message: CosignMessage): Promise<ReturnType<typeof acknowledgementCodec.decode>> }> {
  const { net } = await here.peer()
  const to = await acquaint(net, shop.net)
  const options = { responseBytesMax: 1_000_000, signal: signal() }

  return {
    ask: async message => proposedAnswerCodec.decode(await net.request(to, ASK_PROTOCOL, askCodec.encode(message), options)),
    cosign: async message => acknowledgementCodec.decode(await net.request(to, COSIGN_PROTOCOL, cosignCodec.encode(message), options))
  }
}

/** A payer on a peer of its own whose gateway is changed on its way. */
async function payerOf (change: (real: Gateway) => Partial<Gateway>, folder?: string): Promise<Peer & { payer: Payer }> {
  const peer = await here.peer({ folder })
  const gateway = {
    ask: async (...args: Parameters<Gateway['ask']>) => shop.gateway.ask(...args),
    cosign: async (...args: Parameters<Gateway['cosign']>) => shop.gateway.cosign(...args)
  }
  const changed: Gateway = { account: shopkeeper.account, offers: async () => shop.gateway.offers(), redeem: async () => [], tidy: async () => ({ closed: [], pruned: 0 }), openings: async () => [], start: async () => {}, stop: async () => {}, ...gateway, ...change(shop.gateway) }

  return { ...peer, payer: payer({ network: peer.net, chain: here.chain, library: here.library, db: peer.db, gateway: changed }) }
}

describe('a paid answer', () => {
  it('is traced by the gradient that its check came by, to the bits of a pass of its own', async () => {
    const { payer } = await here.customer([shop])
    const adapter = await here.library.adapter(here.adapter)
    const columns = [adapter.lora.theta.map((_, i) => Math.sin(i))]

    // whoever traced one answer will trace the next
    expect(attributeAnswer(adapter, { prompt: [1], output: [2] }, columns)).to.not.equal(null)

    const { opening } = await payer.ask(question(here.adapter), newcomer())
    const traced = attributeAnswer(adapter, opening, columns)

    expect(traced?.influence[0]).to.not.equal(0)
    // another object of the same adapter knows of no check
    expect(attributeAnswer({ ...adapter }, opening, columns)).to.deep.equal(traced)
  })

  it('opens a channel by itself, costs what its tokens cost and is signed by both', async () => {
    const buyer = newcomer()
    const { payer } = await here.customer([shop])
    const { text, opening, cosigned: { payload } } = await payer.ask(question(here.adapter), buyer)
    const adapter = await here.library.adapter(here.adapter)
    const expected = await generateAnswer(adapter, { prompt: opening.prompt, maxTokens: 6, sampler: SAMPLER })

    checkOpening(opening)
    expect(text).to.equal(expected.text)
    expect(opening.output).to.deep.equal(expected.output)
    expect(payload.fee).to.equal(feeOf({ pricePerThousandTokens: PRICE }, opening.prompt.length, opening.output.length))
    expect(payload.fee).to.equal((PRICE * BigInt(opening.prompt.length + opening.output.length) + 999n) / 1000n)
    expect(position(payload)).to.deep.equal([0, payload.fee])
    expect(readChannel(here.chain.state(), payload.channel)).to.include({ deposit: OPEN, redeemed: 0n, closed: false })

    const second = await payer.ask(question(here.adapter, 'people have', 3), buyer)

    expect(second.cosigned.payload.channel).to.deep.equal(payload.channel)
    expect(position(second.cosigned.payload)).to.deep.equal([1, payload.fee + second.cosigned.payload.fee])
  })

  it('is given to questions of one account in turn, and to a payer that has less than the usual deposit', async () => {
    const { payer } = await here.customer([shop])
    const bought = await Promise.all(['the', 'state', 'of'].map(async prompt => payer.ask(question(here.adapter, prompt), poor)))

    expect(bought.map(({ cosigned }) => cosigned.payload.sequence)).to.have.members([0, 1, 2])
    expect(readChannel(here.chain.state(), bought[0].cosigned.payload.channel)?.deposit).to.equal(OPEN / 100n)
    expect(new Set(bought.map(({ cosigned }) => cosigned.payload.channel.join())).size).to.equal(1)
  })

  it('is given to several questions of one account at once, in as many channels, each the answer that it has alone', async () => {
    const { payer } = await here.customer([shop])
    const buyer = newcomer()
    const prompts = ['the', 'state of', 'people have', 'work', 'peace', 'our union']
    const bought = await Promise.all(prompts.map(async prompt => payer.ask(question(here.adapter, prompt, 12), buyer)))
    const adapter = await here.library.adapter(here.adapter)
    const channels = new Set(bought.map(({ cosigned }) => toHex(cosigned.payload.channel)))

    expect(channels.size).to.equal(4)

    for (const { opening: { prompt, output } } of bought) {
      expect(output).to.deep.equal((await generateAnswer(adapter, { prompt, maxTokens: 12, sampler: SAMPLER })).output)
    }

    // one at a time goes on in the first
    expect(channels).to.include(toHex((await payer.ask(question(here.adapter), buyer)).cosigned.payload.channel))
    expect(new Set((await Promise.all(prompts.map(async prompt => payer.ask(question(here.adapter, prompt, 2), buyer)))).map(({ cosigned }) => toHex(cosigned.payload.channel)))).to.deep.equal(channels)
  })

  it('needs a gateway, an adapter that it serves and a prompt that fits', async () => {
    const buyer = newcomer()
    const alone = await here.customer([])
    const { payer } = await here.customer([shop])

    await expect(alone.payer.ask(question(here.adapter), buyer)).to.eventually.be.rejected.with.property('code', 'ERR_NO_GATEWAY')
    await expect(payer.ask(question(here.adapter, 'the state of '.repeat(30)), buyer)).to.eventually.be.rejected.with.property('code', 'ERR_PROMPT_TOO_LONG')
    await expect(payer.ask(question(here.adapter), buyer, { signal: AbortSignal.abort() })).to.eventually.be.rejected.with.property('name', 'AbortError')
    expect(await payer.offers()).to.have.length(1)
  })

  it('says no to what is not paid or not known, by the code of the reason', async () => {
    const [buyer, robber] = [newcomer(), newcomer()]
    const channel = await openChannel(buyer, OPEN / 10n)
    const brief = await openChannel(buyer, OPEN / 10n, 15_000)
    const foreign = await openChannel(buyer, OPEN / 10n, 100_000, robber)
    const { ask } = await stranger()
    const pending = await here.here.storage.put(Uint8Array.of(0xa0))
    const cases: Array<[string, Partial<AskMessage>]> = [
      ['ERR_PAYMENT_REQUIRED', { voucher: voucher(channel, 1n, buyer) }],
      ['ERR_PAYMENT_REQUIRED', { voucher: voucher(channel, OPEN / 10n + 1n, buyer) }],
      ['ERR_PAYMENT_REQUIRED', { voucher: voucher(channel, OPEN / 10n, robber) }],
      ['ERR_PAYMENT_REQUIRED', { voucher: voucher(brief, OPEN / 10n, buyer) }],
      ['ERR_PAYMENT_REQUIRED', { payer: robber.account, voucher: voucher(channel, OPEN / 10n, robber) }],
      ['ERR_PAYMENT_REQUIRED', { channel: new Uint8Array(32), voucher: voucher(new Uint8Array(32), OPEN / 10n, buyer) }],
      ['ERR_PAYMENT_REQUIRED', { channel: foreign, voucher: voucher(foreign, OPEN / 10n, buyer) }],
      ['ERR_PAYMENT_REQUIRED', { channel: brief, voucher: voucher(brief, OPEN / 10n, buyer) }],
      ['ERR_SEQUENCE', { sequence: 1 }],
      ['ERR_UNKNOWN_ADAPTER', { adapter: cidOf(Uint8Array.of(7)) }],
      ['ERR_UNKNOWN_ADAPTER', { adapter: pending }],
      ['ERR_PROMPT_TOO_LONG', { maxTokens: 60 }]
    ]

    for (const [code, fields] of cases) {
      await expect(ask(askMessage(buyer, channel, fields)), JSON.stringify(Object.keys(fields))).to.eventually.be.rejected.with.property('remoteCode', code)
    }

    // none of them moved the channel
    expect((await ask(askMessage(buyer, channel))).receipt.sequence).to.equal(0)
  })

  it('is refused as bytes that are no question', async () => {
    const { net } = await here.peer()
    const to = await acquaint(net, shop.net)

    await expect(net.request(to, ASK_PROTOCOL, Uint8Array.of(1, 2, 3))).to.eventually.be.rejected.with.property('remoteCode').that.matches(/^ERR_/)
    await expect(net.request(to, ASK_PROTOCOL, new Uint8Array(200_000))).to.eventually.be.rejected.with.property('code', 'ERR_REQUEST_FAILED')
  })
})

describe('a co-signature', () => {
  it('has to be the payer\'s, over this receipt and its exact total, and may be said twice', async () => {
    const [buyer, robber] = [newcomer(), newcomer()]
    const channel = await openChannel(buyer)
    const { ask, cosign } = await stranger()
    const { receipt } = await ask(askMessage(buyer, channel))
    const good: CosignMessage = { type: 'cosign', channel, sequence: 0, payerSignature: signReceipt(receipt, buyer), voucherSignature: voucher(channel, receipt.cumulative, buyer).signature }

    for (const [code, change] of [
      ['ERR_BAD_RECEIPT', { payerSignature: signReceipt(receipt, robber) }],
      ['ERR_BAD_RECEIPT', { payerSignature: signReceipt({ ...receipt, fee: 1n }, buyer) }],
      ['ERR_PAYMENT_REQUIRED', { voucherSignature: voucher(channel, receipt.cumulative - 1n, buyer).signature }],
      ['ERR_SEQUENCE', { sequence: 1 }]
    ] as const) {
      await expect(cosign({ ...good, ...change })).to.eventually.be.rejected.with.property('remoteCode', code)
    }

    for (let i = 0; i < 2; i++) {
      expect(await cosign(good)).to.include({ sequence: 1, cumulative: receipt.cumulative })
    }

    // a stranger learns nothing of the channel
    await expect(cosign({ ...good, payerSignature: signReceipt(receipt, robber) })).to.eventually.be.rejected.with.property('remoteCode', 'ERR_SEQUENCE')
    await expect(ask(askMessage(buyer, channel))).to.eventually.be.rejected.with.property('remoteCode', 'ERR_SEQUENCE')
  })

  it('is repeated when its acknowledgement was lost', async () => {
    const buyer = newcomer()
    let lost = 0
    const first = await payerOf(real => ({
      cosign: async message => {
        const acknowledged = await real.cosign(message)

        if (lost++ === 0) {
          throw new RangeError('the stream broke')
        }

        return acknowledged
      }
    }))

    await expect(first.payer.ask(question(here.adapter), buyer)).to.eventually.be.rejectedWith('the stream broke')
    await first.stop()

    // the payer, started again, says it once more and goes on behind it
    const again = await payerOf(() => ({}), first.folder)
    const { cosigned } = await again.payer.ask(question(here.adapter), buyer)

    expect(cosigned.payload.sequence).to.equal(1)
    expect(cosigned.payload.cumulative).to.equal(2n * cosigned.payload.fee)
  })
})

describe('an answer that was not paid', () => {
  it('comes first, is paid first and is shown to its payer alone', async () => {
    const [buyer, robber] = [newcomer(), newcomer()]
    const channel = await openChannel(buyer)
    const { ask } = await stranger()
    const first = await ask(askMessage(buyer, channel))

    expect(await ask(askMessage(buyer, channel, { prompt: 'people' }))).to.deep.equal(first)
    // the sequence and the channel are public; what opens the answer is a voucher that pays it
    await expect(ask(askMessage(buyer, channel, { voucher: voucher(channel, OPEN / 10n, robber) }))).to.eventually.be.rejected.with.property('remoteCode', 'ERR_PAYMENT_REQUIRED')
    await expect(ask(askMessage(buyer, channel, { voucher: voucher(channel, first.receipt.fee - 1n, buyer) }))).to.eventually.be.rejected.with.property('remoteCode', 'ERR_PAYMENT_REQUIRED')
  })

  it('is paid by a payer that vanished, before what it asks next', async () => {
    const buyer = newcomer()
    let lost = 0
    const first = await payerOf(real => ({
      ask: async message => {
        const answer = await real.ask(message)

        if (lost++ === 0) {
          throw new RangeError('the stream broke')
        }

        return answer
      }
    }))

    await expect(first.payer.ask(question(here.adapter, 'people have', 4), buyer)).to.eventually.be.rejectedWith('the stream broke')
    await first.stop()

    const again = await payerOf(() => ({}), first.folder)
    const { opening, cosigned, text } = await again.payer.ask(question(here.adapter, 'work', 3), buyer)
    const adapter = await here.library.adapter(here.adapter)
    const before = feeOf({ pricePerThousandTokens: PRICE }, 1 + adapter.base.tokenizer.encode('people have').length, 4)

    expect(position(cosigned.payload)).to.deep.equal([1, before + cosigned.payload.fee])
    expect(adapter.base.tokenizer.decode(opening.prompt.slice(1))).to.equal('work')
    expect(text).to.equal(adapter.base.tokenizer.decode(opening.output))
  })
})

describe('a gateway that cheats', () => {
  type Answer = Awaited<ReturnType<Gateway['ask']>>
  type Forge = (answer: Answer, signed: (receipt: Answer['receipt']) => Pick<Answer, 'receipt' | 'gatewaySignature'>) => Promise<Answer> | Answer

  const longer = async (prompt: string, maxTokens: number): Promise<{ prompt: number[], output: number[] }> => {
    const adapter = await here.library.adapter(here.adapter)

    return generateAnswer(adapter, { prompt: [adapter.base.tokenizer.bos, ...adapter.base.tokenizer.encode(prompt)], maxTokens, sampler: SAMPLER })
  }

  const forgeries: Record<string, Forge> = {
    'charges more': (answer, signed) => ({ ...answer, ...signed({ ...answer.receipt, fee: answer.receipt.fee + 1n, cumulative: answer.receipt.cumulative + 1n }) }),
    'adds up wrongly': (answer, signed) => ({ ...answer, ...signed({ ...answer.receipt, cumulative: answer.receipt.cumulative + 1n }) }),
    'changes the output': answer => ({ ...answer, output: answer.output.map(token => token + 1) }),
    'counts other tokens': (answer, signed) => ({ ...answer, ...signed({ ...answer.receipt, outputTokens: answer.receipt.outputTokens + 1 }) }),
    'skips a receipt': (answer, signed) => ({ ...answer, ...signed({ ...answer.receipt, sequence: 1 }) }),
    'names another payer': (answer, signed) => ({ ...answer, ...signed({ ...answer.receipt, payer: poor.account }) }),
    'names another chain': (answer, signed) => ({ ...answer, ...signed({ ...answer.receipt, chain: 'elsewhere' }) }),
    'does not sign': answer => ({ ...answer, gatewaySignature: new Uint8Array(64) }),
    'answers another question': async answer => resell(answer, await longer('people have work', 6)),
    'makes the answer longer': async answer => resell(answer, await longer('the state of', 9)),
    'makes the answer up': answer => resell(answer, { prompt: answer.prompt, output: [...answer.output.slice(1), answer.output[0]] })
  }

  /** The real gateway's receipt over other tokens, hashes and fee as they must be. */
  function resell (answer: Answer, tokens: { prompt: number[], output: number[] }): Answer {
    const { salt } = answer
    const fee = feeOf({ pricePerThousandTokens: PRICE }, tokens.prompt.length, tokens.output.length)
    const receipt = {
      ...answer.receipt,
      fee,
      cumulative: fee,
      promptTokens: tokens.prompt.length,
      outputTokens: tokens.output.length,
      promptHash: tokensHash('prompt', salt, tokens.prompt),
      outputHash: tokensHash('output', salt, tokens.output)
    }

    return { receipt, gatewaySignature: signReceipt(receipt, shopkeeper), salt, prompt: tokens.prompt, output: tokens.output }
  }

  async function isRefused (forge: Forge): Promise<void> {
    let cosigned = 0
    const { payer } = await payerOf(real => ({
      ask: async message => forge(await real.ask(message), receipt => ({ receipt, gatewaySignature: signReceipt(receipt, shopkeeper) })),
      cosign: async message => {
        cosigned++
        return real.cosign(message)
      }
    }))

    await expect(payer.ask(question(here.adapter), newcomer())).to.eventually.be.rejected.with.property('code').that.is.oneOf(['ERR_BAD_RECEIPT', 'ERR_SIGNATURE'])
    expect(cosigned).to.equal(0)
  }

  for (const [name, forge] of Object.entries(forgeries)) {
    it(`${name} and gets no signature`, async () => isRefused(forge))
  }
})

describe('a payer', () => {
  it('goes on in its channel after a restart, and in one that it opened before it crashed', async () => {
    const buyer = newcomer()
    const opened = await openChannel(buyer)
    const first = await here.customer([shop])
    const { cosigned } = await first.payer.ask(question(here.adapter), buyer)

    expect(equalBytes(cosigned.payload.channel, opened)).to.equal(true)
    await first.stop()

    const again = await here.customer([shop], { folder: first.folder })

    expect((await again.payer.ask(question(here.adapter), buyer)).cosigned.payload).to.deep.include({ channel: opened, sequence: 1 })
  })

  it('that lost its records gives up the channel and opens another', async () => {
    const buyer = newcomer()
    const first = await here.customer([shop])
    const { cosigned } = await first.payer.ask(question(here.adapter), buyer)
    const second = await here.customer([shop])

    await expect(second.payer.ask(question(here.adapter), buyer)).to.eventually.be.rejected.with.property('code', 'ERR_CHANNEL_BROKEN')

    const after = await second.payer.ask(question(here.adapter), buyer)

    expect(after.cosigned.payload.sequence).to.equal(0)
    expect(equalBytes(after.cosigned.payload.channel, cosigned.payload.channel)).to.equal(false)
  })

  it('opens a new channel when the old one does not hold enough', async () => {
    const buyer = newcomer()
    const small = await openChannel(buyer, 10n * PRICE / 1000n)
    const { payer } = await here.customer([shop])
    const { cosigned } = await payer.ask(question(here.adapter), buyer)

    expect(equalBytes(cosigned.payload.channel, small)).to.equal(false)
  })
})

describe('a gateway', () => {
  it('that is stopped says so, and serves again on the same network after a start', async () => {
    const keeper = newcomer()
    const another = await here.shop({ who: keeper })
    const buyer = newcomer()
    const { payer } = await here.customer([another])

    await another.gateway.stop()
    await expect(another.gateway.ask(askMessage(buyer, new Uint8Array(32)))).to.eventually.be.rejected.with.property('code', 'ERR_GATEWAY_STOPPED')
    await expect(payer.ask(question(here.adapter), buyer)).to.eventually.be.rejected.with.property('code', 'ERR_NO_GATEWAY')
    await another.gateway.start()
    expect((await payer.ask(question(here.adapter), buyer)).cosigned.payload.gateway).to.deep.equal(keeper.account)
  })

  it('lists the base and the adapters that the network admitted, without those whose record is missing', async () => {
    const missing: CID = cidOf(Uint8Array.of(1, 2, 3))

    await here.must({ kind: 'publish-adapter', adapter: missing, base: here.record.base, snapshot: here.record.snapshot, contributions: here.here.snapshot.contributions }, newcomer())
    await here.must(attestBody(here.chain.state(), missing), validator)
    expect((await shop.gateway.offers()).map(({ adapter }) => adapter.toString())).to.deep.equal([here.record.base.toString(), here.adapter.toString()])
  })
})
