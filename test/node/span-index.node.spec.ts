import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { Level } from 'level'
import { raceSignal } from 'race-signal'
import { openPart } from '../../src/attribution/index.ts'
import { loadTokenizer } from '../../src/models/index.ts'
import { shippedBase, spanIndexes } from '../../src/node/index.ts'
import { cidOf, rawCid } from '../../src/wire/index.ts'
import { LedgerChain } from '../datanets/fixtures.ts'
import { cleanTemporary, temporary } from './fixtures.ts'
import type { DatanetManifest, Row } from '../../src/interface/index.ts'
import type { SpanIndexes, SpanIndexesComponents } from '../../src/node/index.ts'
import type { CID } from 'multiformats/cid'

type Handler = (request: Uint8Array) => Promise<Uint8Array>

/** Files by CID that all nodes of a test see, as bitswap would bring them. */
const files = new Map<string, Uint8Array>()

const line = (contribution: number, row: number): string => `In year ${contribution} the people of state ${row} kept the union, and paid ${contribution * row} dollars for it.`

const contributionsOf = (count: number): CID[] => Array.from({ length: count }, (_, i) => cidOf(Uint8Array.of(i)))

/** A node's indexes on a disk of its own, the rows that it read, and what it serves. */
class Indexes {
  readonly read: string[] = []
  readonly written: string[] = []
  readonly pinned = new Set<string>()
  readonly spans: SpanIndexes
  handler: Handler | undefined
  /** files that others name and nobody sends */
  withheld = new Set<string>()
  private readonly db: Level

  constructor (folder: string, rowsOf: (contribution: CID) => string[], peer?: Indexes) {
    this.db = new Level(join(folder, 'state'))
    this.spans = spanIndexes({
      db: this.db,
      chain: Object.assign(new LedgerChain(), { id: 'spans' }),
      storage: this.storage(),
      network: {
        handle: (_, __, handler) => { this.handler = async request => handler(request, { peer: expect.fail as never, signal: AbortSignal.timeout(1_000) }) as Promise<Uint8Array> },
        peers: () => peer == null ? [] : [{ peer: {} as never, address: '', score: 0 }],
        request: async (_, __, request) => peer?.handler?.(request) ?? expect.fail('nobody answers')
      },
      datanets: {
        record: async () => ({ payload: { datanet: cidOf(Uint8Array.of(255)), title: 'rows' } }) as never,
        manifest: async () => ({ textField: 'text' }) as DatanetManifest,
        rows: contribution => this.rows(contribution, rowsOf(contribution))
      }
    }, { takeTimeoutMs: 1_000 })
  }

  /** Sizes of a contribution's parts, as a peer's index may have had them. */
  async believe (tokenizer: CID, contribution: CID, sizes: number[]): Promise<void> {
    await this.db.sublevel('span-index').sublevel<string, number[]>('sizes', { valueEncoding: 'json' }).put(`${tokenizer.toString()}/${contribution.toString()}`, sizes)
  }

  async close (): Promise<void> {
    await this.db.close()
  }

  private async * rows (contribution: CID, texts: string[]): AsyncGenerator<Row> {
    this.read.push(contribution.toString())

    for (const text of texts) {
      yield { text }
    }
  }

  private storage (): SpanIndexesComponents['storage'] {
    return {
      putFile: async bytes => {
        const cid = rawCid(bytes)

        files.set(cid.toString(), bytes)
        this.written.push(cid.toString())
        this.pinned.add(cid.toString())

        return cid
      },
      getFile: async (cid, options) => this.withheld.has(cid.toString())
        ? raceSignal(new Promise<never>(() => {}), options?.signal)
        : files.get(cid.toString()) ?? expect.fail(`nobody has ${cid.toString()}`),
      has: async cid => files.has(cid.toString()),
      pin: async cid => { this.pinned.add(cid.toString()) },
      unpin: async cid => { this.pinned.delete(cid.toString()) }
    }
  }
}

describe('indexes of snapshots', () => {
  const honest = (contribution: CID): string[] => Array.from({ length: 8 }, (_, row) => line(contribution.bytes[35], row))
  let base: Parameters<SpanIndexes['of']>[0]
  let opened: Indexes[] = []

  const open = async (rowsOf = honest, peer?: Indexes): Promise<Indexes> => {
    const one = new Indexes(await temporary(), rowsOf, peer)

    opened.push(one)

    return one
  }

  before(async () => {
    const { record, tokenizer } = await shippedBase()

    base = { record, tokenizer: loadTokenizer(record, tokenizer) }
  })
  afterEach(async () => {
    await Promise.all(opened.map(async one => one.close()))
    opened = []
    files.clear()
    await cleanTemporary()
  })

  it('are few files of all rows, the same on every machine, and made once', async () => {
    const contributions = contributionsOf(12)
    const [one, other] = [await open(), await open()]
    const { files: made, index } = await one.spans.of(base, contributions)
    const quote = [...base.tokenizer.encode(line(contributions[3].bytes[35], 5))]

    expect(made.length).to.be.lessThan(4)
    expect((await other.spans.of(base, contributions)).files.map(String)).to.deep.equal(made.map(String))
    expect(index.find(quote)[0].citations).to.deep.equal([{ source: 3, row: 5, token: 0 }])
    expect(index.count([...base.tokenizer.encode(' kept the union')])).to.equal(12 * 8)

    await one.spans.of(base, contributions)
    expect(one.read).to.have.length(12)
  })

  it('grow by a contribution without reading or sorting the others, and keep only what is asked on disk', async () => {
    const one = await open()
    const contributions = contributionsOf(13)

    await one.spans.of(base, contributions.slice(0, 12))

    const before = one.read.length
    const { files: made, index } = await one.spans.of(base, contributions)

    expect(one.read.slice(before)).to.deep.equal([contributions[12].toString()])
    expect(index.tokens).to.equal(made.reduce((sum, file) => sum + openPart(files.get(file.toString()) ?? expect.fail()).tokens, 0))
    expect([...one.pinned]).to.have.members(made.map(String))

    // whoever begins with all of them has the same files
    expect((await (await open()).spans.of(base, contributions)).files.map(String)).to.deep.equal(made.map(String))
  })

  it('are made again of rows when their files are gone', async () => {
    const one = await open()
    const contributions = contributionsOf(6)
    const { files: made } = await one.spans.of(base, contributions)

    files.clear()
    expect((await one.spans.of(base, contributions)).files.map(String)).to.deep.equal(made.map(String))
  })

  it('are made of the rows\' own parts once others were believed to be there', async () => {
    const one = await open()
    const contributions = contributionsOf(2)

    await one.believe(base.record.tokenizer, contributions[1], [9_000, 1_000])

    await expect(one.spans.of(base, contributions)).to.eventually.be.rejected().with.property('code', 'ERR_FALSE_SPANS')
    expect((await one.spans.of(base, contributions)).index.count([...base.tokenizer.encode(' kept the union')])).to.equal(2 * 8)
  })

  it('come from a peer where it has one, checked by the rows of some contributions', async () => {
    const contributions = contributionsOf(12)
    const peer = await open()

    peer.spans.serve()

    const { files: made } = await peer.spans.of(base, contributions)
    const one = await open(honest, peer)

    expect((await one.spans.of(base, contributions)).files.map(String)).to.deep.equal(made.map(String))
    expect(one.read).to.have.length(4)
    expect(one.written).to.deep.equal([])
  })

  it('are built here where a peer\'s are of other rows', async () => {
    const contributions = contributionsOf(4)
    const peer = await open(contribution => honest(contribution).map(text => text.replace('union', 'nation')))

    peer.spans.serve()
    await peer.spans.of(base, contributions)

    const one = await open(honest, peer)
    const { index } = await one.spans.of(base, contributions)

    expect(index.count([...base.tokenizer.encode(' kept the nation')])).to.equal(0)
    expect(index.count([...base.tokenizer.encode(' kept the union')])).to.equal(4 * 8)
  })

  it('are built here where the files that a peer names never come', async () => {
    const contributions = contributionsOf(4)
    const peer = await open(contribution => honest(contribution).map(text => text.replace('union', 'nation')))

    peer.spans.serve()

    const { files: named } = await peer.spans.of(base, contributions)
    const one = await open(honest, peer)

    one.withheld = new Set(named.map(String))

    expect((await one.spans.of(base, contributions)).index.count([...base.tokenizer.encode(' kept the union')])).to.equal(4 * 8)
  })
})
