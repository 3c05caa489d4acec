import { expect } from 'aegir/chai'
import { authenticatedMap, stateCodecs, stateKeys } from '../../src/ledger/index.ts'
import { HistoryProofError, lightClient, SourceError, StateProofError } from '../../src/light-client/index.ts'
import { cidOf, headerHash, outcomesRoot, pastHeaderCodec, proveOutcome, stateProofCodec, validatorsHash } from '../../src/wire/index.ts'
import { anotherSet, certify, genesisOf, headerOf } from './chain.ts'
import { pastSource } from './past.ts'
import type { PastSource } from './past.ts'
import type { PastHeader } from '../../src/interface/index.ts'
import type { LightClient } from '../../src/light-client/index.ts'

const genesis = genesisOf()
const failure = async (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'it was believed', (err: unknown) => err)

describe('the past, for a light client', () => {
  let source: PastSource
  let client: LightClient
  let asked: string[]

  beforeEach(() => {
    source = pastSource()
    source.grow(45)
    asked = []

    const { proof, header } = source
    source.proof = async (key, height) => { asked.push(`${key}@${height}`); return proof(key, height) }
    source.header = async height => { asked.push(`certificate@${height}`); return header(height) }
    client = lightClient({ genesis, source })
  })

  it('is proven by one certified header, at every height, without a certificate over what is old', async () => {
    const newest = await client.sync()

    for (let height = 0; height <= 45; height++) {
      const { header, by } = await client.header(height)

      expect(header).to.equal(source.headers[height])
      expect(by).to.equal(newest)
    }

    // one proof of the roots for all of them
    expect(asked).to.deep.equal(['history@45'])
  })

  it('has the last header of each epoch that is over', async () => {
    for (const epoch of [0, 1, 2, 3]) {
      expect((await client.epochEnd(epoch)).header).to.equal(source.headers[(epoch + 1) * 10])
    }

    await expect(client.epochEnd(4)).to.eventually.be.rejected.and.be.instanceOf(HistoryProofError).with.property('code', 'ERR_HISTORY_PROOF')

    source.grow(6)
    expect((await client.epochEnd(4)).header.height).to.equal(50)
  })

  it('proves what became of a transaction long ago', async () => {
    const results = [{ id: cidOf(Uint8Array.of(1)), ok: true, fee: 3n }]
    source.headers[45] = { ...source.headers[45], outcomesRoot: outcomesRoot(results) }
    source.outcome = async () => proveOutcome(45, results, 0)
    // the next block takes it for its parent
    source.grow(7)

    const { value, at } = await client.outcome(results[0].id)

    expect(value.ok).to.equal(true)
    expect([at.header.height, at.by.header.height]).to.deep.equal([45, 52])
  })

  it('goes on by a newer header when the source no longer has the state of the one that is known', async () => {
    await client.sync()
    source.grow(3)

    const { header, by } = await client.header(20)

    expect([header.height, by.header.height]).to.deep.equal([20, 48])
  })

  it('is refused after any lie of the source', async () => {
    const { past, epochEnd } = source
    const forged = headerOf(7, authenticatedMap().set('account/me', Uint8Array.of(1)))
    const lies: Array<[string, (honest: PastHeader) => PastHeader | Promise<PastHeader>]> = [
      ['another header of that height', honest => ({ ...honest, header: forged })],
      ['the header of another height', async () => past(8, 45)],
      ['another height under the same path', honest => ({ ...honest, header: { ...honest.header, height: 8 } })],
      ['the path of another height', async honest => ({ ...honest, path: (await past(8, 45)).path })],
      ['the path in a smaller tree', async () => past(7, 44)],
      ['a path cut short', ({ header, path }) => ({ header, path: path.slice(0, -1) })],
      ['a path with more', ({ header, path }) => ({ header, path: [...path, new Uint8Array(32)] })],
      ['a sibling changed', ({ header, path }) => ({ header, path: path.with(2, new Uint8Array(32).fill(9)) })],
      ['siblings swapped', ({ header, path }) => ({ header, path: path.with(0, path[1]).with(1, path[0]) })],
      ['no path', ({ header }) => ({ header, path: [] })]
    ]

    for (const [name, lie] of lies) {
      source.past = async () => lie(await past(7, 45))
      expect(await failure(client.header(7)), name).to.be.instanceOf(HistoryProofError)
    }

    for (const [name, lie] of [
      ['the end of another epoch', async () => epochEnd(2, 4)],
      ['a header within the epoch', async () => past(15, 45)],
      ['the end, by its path among the blocks', async () => past(20, 45)]
    ] as const) {
      source.epochEnd = lie
      expect(await failure(client.epochEnd(1)), name).to.be.instanceOf(HistoryProofError)
    }

    source.past = past
    source.epochEnd = epochEnd
    expect((await client.header(7)).header.height).to.equal(7)
    expect((await client.epochEnd(1)).header.height).to.equal(20)
  })

  it('is refused when the roots are not those of the certified state', async () => {
    const { proof } = source
    const history = stateCodecs.history.decode((await proof(stateKeys.history, 45)).value ?? new Uint8Array())

    source.proof = async (key, height) => ({ ...await proof(key, height), value: stateCodecs.history.encode({ ...history, blocks: new Uint8Array(32) }) })
    expect(await failure(client.header(7))).to.be.instanceOf(StateProofError)

    source.proof = async (key, height) => ({ ...await proof(key, height), value: stateCodecs.history.encode({ ...history, epochs: 9 }) })
    expect(await failure(client.epochEnd(7))).to.be.instanceOf(StateProofError)

    source.proof = async (key, height) => ({ ...await proof(key, height), value: null })
    expect(await failure(client.header(7))).to.be.instanceOf(StateProofError)
  })

  it('is not to be had from a source that lacks it, and says so', async () => {
    source.past = async () => Promise.reject(new RangeError('pruned'))
    expect(await failure(client.header(7))).to.be.instanceOf(SourceError).with.property('message').that.includes('pruned')
  })

  it('needs no validators of long ago: a checkpoint of a later era proves what came before it', async () => {
    const { keys, validators } = anotherSet('later')
    const last = source.headers[45]
    source.headers[45] = { ...last, validatorsHash: validatorsHash(validators) }
    source.certified.set(45, certify(source.headers[45]))
    source.grow(1)
    const next = { ...source.headers[46], era: 1, validatorsHash: source.headers[45].validatorsHash }
    source.certified.set(46, certify(next, { keys }))
    source.eraChange = async () => ({ last: certify(source.headers[45]), validators })
    const later = lightClient({ genesis, source, checkpoint: { height: 46, hash: headerHash(next) } })

    expect((await later.header(3)).header).to.equal(source.headers[3])
    expect((await later.epochEnd(0)).header.height).to.equal(10)
  })

  it('has no bytes beyond what its parts need', async () => {
    const proof = await source.proof(stateKeys.history, 45)
    const past = await source.past(7, 45)

    expect(pastHeaderCodec.encode(past).length).to.be.below(20 + 250 + 6 * 34)
    expect(stateProofCodec.encode(proof).length).to.be.below(600)
  })
})
