import { expect } from 'aegir/chai'
import { signRecord } from '../../src/identity/index.ts'
import { adapterIndex } from '../../src/node/index.ts'
import { cidOf, domains, importedAdapterCodec, rawCid, signedCodec, toHex, utf8 } from '../../src/wire/index.ts'
import { LedgerChain } from '../datanets/fixtures.ts'
import { alice, attestBody, base, bob, validators } from '../ledger/network.ts'
import type { ImportedAdapter } from '../../src/interface/index.ts'
import type { CID } from 'multiformats/cid'

/** A chain of one process, and records that are there or not. */
class Here {
  readonly chain = Object.defineProperty(new LedgerChain(), 'height', { get () { return this.state().height } }) as LedgerChain & { height: number }
  readonly records = new Map<string, Uint8Array>()
  readonly read: string[] = []
  readonly index = adapterIndex({
    chain: this.chain,
    storage: {
      get: async cid => {
        this.read.push(cid.toString())

        return this.records.get(cid.toString()) ?? expect.fail('nobody serves it')
      }
    }
  })

  async publish (name: string, source?: string, who = alice): Promise<CID> {
    const weights = rawCid(utf8(name))
    const record: ImportedAdapter = {
      type: 'imported-adapter', version: 1, name, developer: alice.account, base, licence: 'MIT', ...(source == null ? {} : { source }), rank: 1, alpha: 1, targets: ['q_proj'], weights, metrics: [], pricePerThousandTokens: 7n
    }
    const bytes = signedCodec(importedAdapterCodec).encode(signRecord(domains.adapter, importedAdapterCodec, record, alice))
    const adapter = cidOf(bytes)

    this.records.set(adapter.toString(), bytes)
    expect((await this.chain.send({ kind: 'import-adapter', adapter, base, weights }, who)).ok).to.equal(true)

    return adapter
  }

  async names (): Promise<string[]> {
    return (await this.index.all()).map(({ name }) => name)
  }

  async found (text: string): Promise<string[]> {
    return (await this.index.search(text)).map(({ name }) => name)
  }
}

describe('the index of adapters', () => {
  let here: Here

  beforeEach(async () => {
    here = new Here()
    await here.index.start()
  })
  afterEach(async () => here.index.stop())

  it('has the entry of an author in the place of a squatter\'s', async () => {
    const adapter = await here.publish('mine', undefined, bob)

    await here.publish('other')
    expect(await here.names()).to.deep.equal(['other', 'mine'])
    for (const one of validators.slice(0, 3)) {
      await here.chain.send(attestBody(here.chain.state(), adapter, 'reject'), one)
    }
    await here.publish('mine')
    expect(await here.names()).to.deep.equal(['mine', 'other'])
    expect((await here.index.get(adapter))?.key).to.equal(`${toHex(alice.account)} mine`)
  })

  it('has what the ledger has, the last published first, and reads each record once', async () => {
    await here.publish('first')
    expect(await here.names()).to.deep.equal(['first'])
    await here.publish('second')
    expect(await here.names()).to.deep.equal(['second', 'first'])
    here.chain.block([])
    await here.found('first')
    await Promise.all([here.names(), here.names(), here.found('second')])
    expect(here.read).to.have.lengthOf(2)
  })

  it('tells nobody less than it tells who came first', async () => {
    await here.publish('first')
    expect(await Promise.all([here.names(), here.names(), here.found('first')])).to.deep.equal([['first'], ['first'], ['first']])
    await here.publish('second')
    expect(await Promise.all([here.names(), here.names()])).to.deep.equal([['second', 'first'], ['second', 'first']])
  })

  it('finds words that are cut short or slightly wrong, all of them, the name before the source', async () => {
    await here.publish('stories', 'speeches of an archive')
    await here.publish('speeches of presidents')

    expect(await here.found('speech')).to.deep.equal(['speeches of presidents', 'stories'])
    expect(await here.found('speaches presidnts')).to.deep.equal(['speeches of presidents'])
    expect(await here.found('archive stories')).to.deep.equal(['stories'])
    expect(await here.found('speech mails')).to.deep.equal([])
  })

  it('asks again for a record that nobody served, after some blocks and not before', async () => {
    const adapter = (await here.publish('late')).toString()
    const bytes = here.records.get(adapter) ?? expect.fail()

    here.records.delete(adapter)
    expect(await here.names()).to.deep.equal([])
    here.records.set(adapter, bytes)
    here.chain.block([])
    expect(await here.names()).to.deep.equal([])
    expect(here.read).to.have.lengthOf(1)

    for (let i = 0; i < 10; i++) {
      here.chain.block([])
    }

    expect(await here.names()).to.deep.equal(['late'])
  })

  it('looks at the whole ledger after a leap over blocks', async () => {
    expect(await here.names()).to.deep.equal([])
    // blocks of which nobody told
    await here.index.stop()
    await here.publish('meanwhile')
    await here.index.start()
    here.chain.safeDispatchEvent('leap', { detail: here.chain.height })
    expect(await here.names()).to.deep.equal(['meanwhile'])
  })
})
