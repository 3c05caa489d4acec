import { expect } from 'aegir/chai'
import { signRecord } from '../../src/identity/index.ts'
import { stateCodecs, stateKeys } from '../../src/ledger/index.ts'
import { adapterIndex, adapterRegistry } from '../../src/node/index.ts'
import { baseModelCodec, cidOf, domains, importedAdapterCodec, rawCid, signedCodec, utf8 } from '../../src/wire/index.ts'
import { LedgerChain } from '../datanets/fixtures.ts'
import { alice } from '../ledger/network.ts'
import type { AdapterEntryView, BaseModel, FinalisedBlock, ImportedAdapter, LedgerEvent } from '../../src/interface/index.ts'
import type { AuthenticatedMap, LedgerState } from '../../src/ledger/index.ts'
import type { AdapterFilter, AdapterIndex } from '../../src/node/index.ts'
import type { CID } from 'multiformats/cid'

const ADAPTERS = 10_000
const PER_BLOCK = 500
/** names that have a version in each block, beside those that have one alone */
const POPULAR = 250

const baseRecord: BaseModel = {
  type: 'base',
  version: 1,
  name: 'small',
  config: { dim: 16, hiddenDim: 32, layers: 1, heads: 2, kvHeads: 2, vocabularySize: 300, contextLength: 32, ropeTheta: 10_000, rmsNormEpsNano: 10_000, tied: true },
  weights: rawCid(utf8('weights')),
  tokenizer: rawCid(utf8('tokenizer')),
  licence: 'MIT'
}

/** A ledger that counts how many of its values are looked at, and records that count how often they are read. */
class Large extends LedgerChain {
  readonly records = new Map<string, Uint8Array>()
  readonly base = this.keep(baseModelCodec.encode(baseRecord))
  looks = 0
  reads = 0
  #large = super.state()
  readonly #block = this.#firstBlock()
  readonly index: AdapterIndex = adapterIndex({ chain: this, storage: this })

  get height (): number {
    return this.#large.height
  }

  override state (): LedgerState {
    return { ...this.#large, map: this.#counted(this.#large.map) }
  }

  async get (cid: CID): Promise<Uint8Array> {
    this.reads++

    return this.records.get(cid.toString()) ?? expect.fail('nobody serves it')
  }

  keep (bytes: Uint8Array): CID {
    const cid = cidOf(bytes)

    this.records.set(cid.toString(), bytes)

    return cid
  }

  /** A block with so many more adapters. */
  publish (from: number): void {
    const height = this.height + 1
    const events: LedgerEvent[] = []
    let { map } = this.#large

    for (let i = 0; i < PER_BLOCK; i++) {
      const name = i < POPULAR ? `popular ${i}` : `rare ${from + i}`
      const record: ImportedAdapter = { type: 'imported-adapter', version: 1, name, developer: alice.account, base: this.base, licence: 'MIT', rank: 1, alpha: 1, targets: ['q_proj'], weights: rawCid(utf8(`${from + i}`)), metrics: [], pricePerThousandTokens: 7n }
      const adapter = this.keep(signedCodec(importedAdapterCodec).encode(signRecord(domains.adapter, importedAdapterCodec, record, alice)))

      map = map.set(stateKeys.adapter(adapter), stateCodecs.adapter.encode({ developer: alice.account, base: this.base, snapshot: null, weights: record.weights, contributions: [], deposit: 1n, status: 'admitted', stakeFor: 1n, stakeAgainst: 0n, height, earned: 0n }))
      events.push({ type: 'adapter', adapter, developer: alice.account, status: 'admitted' })
    }

    this.#large = { map, height }
    this.safeDispatchEvent('block', { detail: { ...this.#block, events } })
  }

  #firstBlock (): FinalisedBlock {
    const blocks: FinalisedBlock[] = []

    this.addEventListener('block', ({ detail }) => { blocks.push(detail) }, { once: true })
    this.block([])

    return blocks[0]
  }

  #counted (map: AuthenticatedMap): AuthenticatedMap {
    const look = (): void => { this.looks++ }

    return {
      root: map.root,
      size: map.size,
      get (key) {
        look()

        return map.get(key)
      },
      set: map.set.bind(map),
      delete: map.delete.bind(map),
      prove: map.prove.bind(map),
      * entries (prefix) {
        for (const entry of map.entries(prefix)) {
          look()
          yield entry
        }
      }
    }
  }
}

describe('the registry of ten thousand adapters', function () {
  this.timeout(300_000)

  const chain = new Large()
  const { index } = chain
  const find = async (filter: AdapterFilter): Promise<AdapterEntryView[]> =>
    adapterRegistry({ chain, storage: chain, genesis: { bases: [{ base: chain.base, developer: alice.account }] }, adapters: index, datanets: { manifest: async () => expect.fail('no Datanet has a part in it') } }, filter)
  /** how many values of the ledger some work looked at */
  const looksOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = chain.looks

    await work()

    return chain.looks - before
  }

  before(async () => index.start())
  after(async () => index.stop())

  it('grows by what blocks bring, however much is there', async () => {
    const looks = await looksOf(async () => {
      for (let i = 0; i < ADAPTERS; i += PER_BLOCK) {
        chain.publish(i)
        // somebody looks after each block
        expect(await index.all()).to.have.lengthOf(i + PER_BLOCK)
      }
    })

    expect(chain.reads).to.equal(ADAPTERS)
    expect(looks).to.be.at.most(2 * ADAPTERS)
  })

  it('shows a page by what is on it and the versions of that', async () => {
    const page = await find({ limit: 20 })

    expect(page.map(({ height }) => height)).to.deep.equal(page.map(() => chain.height))
    expect(page.every(({ newest }) => newest)).to.be.true()
    expect(await looksOf(async () => find({ limit: 20 }))).to.be.at.most(20 + 20 * ADAPTERS / PER_BLOCK)
  })

  it('numbers versions, and looks at each adapter at most twice to find those that few are', async () => {
    const found = await find({ name: 'popular 7' })
    // popular 7 as well as popular 70 … 79
    const versions = found.filter(({ name }) => name === 'popular 7').map(({ version, newest }) => [version, newest])

    expect(versions).to.deep.equal(Array.from({ length: ADAPTERS / PER_BLOCK }, (_, i) => [ADAPTERS / PER_BLOCK - i, i === 0]))
    expect(await looksOf(async () => find({ name: 'nobody', newest: true }))).to.be.at.most(2 * ADAPTERS)
    expect(chain.reads).to.equal(ADAPTERS + 4)
  })
})
