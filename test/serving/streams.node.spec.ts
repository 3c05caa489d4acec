import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { answerPartCodec, ASK_PROTOCOL, ASK_STREAM_PROTOCOL, generateAnswer, OFFERS_PROTOCOL, offersCodec, payer, promptTokens, readAnswer, textStream } from '../../src/serving/index.ts'
import { market, people, question, SAMPLER, shopkeeper } from './fixtures.ts'
import type { Market, Peer } from './fixtures.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { AskMessage, Gateway, LoadedAdapter, Payer, StreamOptions } from '../../src/serving/index.ts'

let here: Market
let shop: Peer & { gateway: Gateway }
let adapter: LoadedAdapter
const strangers = people.values()
const newcomer = (): Signer => strangers.next().value ?? expect.fail('more people are needed')

before(async () => {
  here = await market()
  shop = await here.shop()
  adapter = await here.library.adapter(here.adapter)
})

after(async () => here.clean())

/** What the model says to a prompt, asked directly. */
async function expected (prompt: string, maxTokens: number): Promise<{ output: number[], text: string }> {
  const { tokenizer } = adapter.base

  return generateAnswer(adapter, { prompt: [tokenizer.bos, ...tokenizer.encode(prompt)], maxTokens, sampler: SAMPLER })
}

/** A payer on the gateway's own network whose gateway is changed on its way. */
async function payerOf (ask: (real: Gateway, message: AskMessage, options?: StreamOptions) => ReturnType<Gateway['ask']>): Promise<Payer> {
  const peer = await here.peer()
  const changed: Gateway = {
    account: shopkeeper.account,
    offers: async () => shop.gateway.offers(),
    redeem: async () => [],
    tidy: async () => ({ closed: [], pruned: 0 }),
    openings: async () => [],
    start: async () => {},
    stop: async () => {},
    ask: async (message, options) => ask(shop.gateway, message, options),
    cosign: async message => shop.gateway.cosign(message)
  }

  return payer({ network: peer.net, chain: here.chain, library: here.library, db: peer.db, gateway: changed })
}

describe('an answer that is streamed', () => {
  it('comes token by token over the network before its receipt, and is the answer', async () => {
    const { payer } = await here.customer([shop])
    const pieces: number[][] = []
    const { opening, text, finish } = await payer.ask(question(here.adapter, 'the state of', 20), newcomer(), { onTokens: tokens => { pieces.push(tokens) } })
    const wanted = await expected('the state of', 20)

    expect(pieces.flat()).to.deep.equal(wanted.output)
    expect(opening.output).to.deep.equal(wanted.output)
    expect([text, finish]).to.deep.equal([wanted.text, 'length'])
    expect(pieces.length).to.be.above(1)
  })

  it('ends behind a stop text, which is paid but not shown, whether streamed or not', async () => {
    const { payer } = await here.customer([shop])
    const buyer = newcomer()
    const whole = await expected('the people', 24)
    const stop = whole.text.slice(6, 8)
    const until = whole.text.slice(0, whole.text.indexOf(stop))

    for (const options of [{}, { onTokens: () => {} }]) {
      const { opening, text, finish, cosigned } = await payer.ask({ ...question(here.adapter, 'the people', 24), stop: ['never said', stop] }, buyer, options)

      expect([text, finish]).to.deep.equal([until, 'stop'])
      expect(opening.output).to.deep.equal(whole.output.slice(0, opening.output.length))
      expect(opening.output.length).to.be.below(24)
      expect(adapter.base.tokenizer.decode(opening.output)).to.include(stop)
      expect(cosigned.payload.outputTokens).to.equal(opening.output.length)
    }
  })

  it('stops where its payer leaves; what was made is paid with the next question, which gets its own answer', async () => {
    const { payer } = await here.customer([shop])
    const buyer = newcomer()
    const left = new AbortController()
    let seen = 0

    await expect(payer.ask(question(here.adapter, 'the state of', 48), buyer, {
      signal: left.signal,
      onTokens: tokens => {
        seen += tokens.length
        left.abort()
      }
    })).to.eventually.be.rejected.with.property('name', 'AbortError')

    // the very same question: the broken-off answer is not taken for it
    const again = await payer.ask(question(here.adapter, 'the state of', 48), buyer)
    const { fee, cumulative, sequence } = again.cosigned.payload
    const whole = await expected('the state of', 48)

    expect(again.opening.output).to.deep.equal(whole.output)
    expect(sequence).to.equal(1)
    expect(cumulative - fee > 0n && cumulative - fee < fee, 'less than the whole answer was paid').to.equal(true)
    expect(seen).to.be.below(48)
  })

  it('that lies ready is told in one piece', async () => {
    const buyer = newcomer()
    let lost = 0
    const payer = await payerOf(async (real, message, options) => {
      const answer = await real.ask(message, options)

      if (lost++ === 0) {
        throw new RangeError('the stream broke')
      }

      return answer
    })
    const pieces: number[][] = []
    const whole = await expected('work', 9)

    await expect(payer.ask(question(here.adapter, 'work', 9), buyer)).to.eventually.be.rejectedWith('the stream broke')
    await payer.ask(question(here.adapter, 'work', 9), buyer, { onTokens: tokens => { pieces.push(tokens) } })
    expect(pieces).to.deep.equal([whole.output])
  })

  it('is not signed if it is not what was streamed, nor if it was broken off', async () => {
    const lies = await payerOf(async (real, message, options) => real.ask(message, {
      ...options, onTokens: tokens => { options?.onTokens?.(tokens.map(token => token ^ 1)) }
    }))
    const stops = await payerOf(async (real, message, options) => {
      const ended = new AbortController()

      return real.ask(message, {
        signal: ended.signal,
        onTokens: tokens => {
          options?.onTokens?.(tokens)
          ended.abort()
        }
      })
    })

    for (const cheat of [lies, stops]) {
      await expect(cheat.ask(question(here.adapter), newcomer(), { onTokens: () => {} })).to.eventually.be.rejected.with.property('code', 'ERR_BAD_RECEIPT')
    }
  })

  it('is refused if its parts do not follow each other, are too many, or end without a receipt', async () => {
    const offers = await shop.gateway.offers()
    const parts = (...all: Array<{ from: number, tokens: number[] }>): Uint8Array[] => all.map(part => answerPartCodec.encode({ type: 'tokens', ...part }))
    const streams: Uint8Array[][] = [
      parts({ from: 0, tokens: [5] }, { from: 0, tokens: [5] }),
      parts({ from: 0, tokens: [5, 6, 7, 8, 9, 10, 11] }),
      parts({ from: 0, tokens: [5] }),
      [Uint8Array.of(1)]
    ]

    for (const stream of streams) {
      const forger = await here.peer({}, async net => {
        const limits = { requestBytesMax: 65_536, responseBytesMax: 65_536 }

        net.handle(OFFERS_PROTOCOL, limits, async () => offersCodec.encode({ type: 'offers', gateway: shopkeeper.account, offers }))
        net.handle(ASK_PROTOCOL, limits, async () => Uint8Array.of(1))
        net.handle(ASK_STREAM_PROTOCOL, limits, async function * () { yield * stream })

        return async () => {}
      })
      const { payer } = await here.customer([forger])
      const told: number[] = []

      await expect(payer.ask(question(here.adapter), newcomer(), { onTokens: tokens => { told.push(...tokens) } })).to.eventually.be.rejected.with.property('code').that.is.oneOf(['ERR_BAD_RECEIPT', 'ERR_MALFORMED_RECORD'])
      expect(told.length).to.be.below(2)
    }
  })
})

function stopsAt (text: string, stop: string[]): number | undefined {
  for (let end = 1; end <= text.length; end++) {
    const complete = stop.filter(one => text.slice(0, end).endsWith(one)).map(one => end - one.length)

    if (complete.length > 0) {
      return Math.min(...complete)
    }
  }

  return undefined
}

describe('text of tokens as they come', () => {
  it('is the text of the whole answer, cut nowhere inside a character', () => {
    const { tokenizer } = adapter.base

    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), text => {
      const stream = textStream(tokenizer)
      const pieces = [...tokenizer.encode(text)].map(token => stream.push(token))

      expect(pieces.join('') + stream.end()).to.equal(tokenizer.decode(tokenizer.encode(text)))
      expect(pieces.join('')).not.to.include('\ufffd')
    }), { examples: [['🙂é漢字'], ['']] })
  })

  it('holds back what may become a stop text, and no more', () => {
    const { tokenizer } = adapter.base

    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 30 }), fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 }), { maxLength: 4 }), (text, stop) => {
      // the one that is complete first, the longest if several are
      const first = stopsAt(text, stop)
      const { text: read, finish } = readAnswer(tokenizer, [...tokenizer.encode(text)], { maxTokens: 100, stop })

      expect(read).to.equal(first === undefined ? text : text.slice(0, first))
      expect(finish).to.equal(first === undefined ? undefined : 'stop')
    }))
  })
})

describe('a conversation', () => {
  const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'the state of' }]

  it('goes on where its last message ends, if base and adapter lead none', async () => {
    const { payer } = await here.customer([shop])
    const asked = question(here.adapter)
    const paid = await payer.ask({ ...asked, messages }, newcomer())

    expect(paid.text).to.equal((await expected(asked.prompt, asked.maxTokens)).text)
  })

  it('is written by the template if the adapter learned from conversations or the base has one', () => {
    const { tokenizer, chat } = adapter.base
    const asked = { prompt: 'the state of', messages, maxTokens: 4 }
    const written = [...chat.prompt(tokenizer, messages)]
    const taught: LoadedAdapter = { ...adapter, recipe: { ...adapter.recipe ?? expect.fail('it was trained here'), examples: 'chat' } }
    const templated: LoadedAdapter = { ...adapter, base: { ...adapter.base, record: { ...adapter.base.record, chatTemplate: adapter.cid } } }

    expect(promptTokens(taught, asked)).to.deep.equal(written)
    expect(promptTokens(templated, asked)).to.deep.equal(written)
    expect(promptTokens(taught, { prompt: asked.prompt, maxTokens: 4 })).to.deep.equal(promptTokens(adapter, asked))
    expect(written).to.not.deep.equal(promptTokens(adapter, asked))
  })
})
