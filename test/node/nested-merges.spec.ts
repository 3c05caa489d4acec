import { expect } from 'aegir/chai'
import { deriveSeed, ed25519Signer, signRecord } from '../../src/identity/index.ts'
import { pullAdapter } from '../../src/node/index.ts'
import { modelLibrary } from '../../src/serving/index.ts'
import { cidOf, compareBytes, domains, mergedAdapterCodec, signedCodec } from '../../src/wire/index.ts'
import type { CID } from 'multiformats/cid'

describe('a merge of merges, which no ledger admits', () => {
  const signer = ed25519Signer(deriveSeed('nested merges', 'somebody'))
  const base = cidOf(Uint8Array.of(1))
  const records = new Map<string, Uint8Array>()
  const read: string[] = []
  const get = async (cid: CID): Promise<Uint8Array> => {
    read.push(cid.toString())

    return records.get(cid.toString()) ?? expect.fail(`nobody has ${cid.toString()}`)
  }

  function merge (name: string, parents: CID[]): CID {
    const sorted = parents.map(adapter => ({ adapter, weightMilli: 500 })).sort((a, b) => compareBytes(a.adapter.bytes, b.adapter.bytes))
    const bytes = signedCodec(mergedAdapterCodec).encode(signRecord(domains.adapter, mergedAdapterCodec, {
      type: 'merged-adapter', version: 1, name, developer: signer.account, base, parents: sorted, pricePerThousandTokens: 1n
    }, signer))
    const cid = cidOf(bytes)

    records.set(cid.toString(), bytes)

    return cid
  }

  // 2^12 ways lead down
  const tower = (): CID => Array.from({ length: 12 }).reduce<[CID, CID]>((below, _, level) => [merge(`${level} left`, below), merge(`${level} right`, below)], [cidOf(Uint8Array.of(2)), cidOf(Uint8Array.of(3))])[0]

  beforeEach(() => { read.length = 0 })

  it('is refused by its parents\' records when it is pulled, and nothing below them is asked for', async () => {
    const storage = { get, getFile: async () => expect.fail('no file is needed'), pin: async () => expect.fail('nothing is kept') }

    await expect(pullAdapter(storage, tower())).to.eventually.be.rejected().with.property('code', 'ERR_BAD_MERGE')
    expect(new Set(read).size).to.be.at.most(3)
  })

  it('is refused likewise when it is loaded', async () => {
    const { adapter } = modelLibrary()({ storage: { get, getFile: async () => expect.fail('no file is needed'), openFile: async () => expect.fail('no file is needed') } })

    await expect(adapter(tower(), { signal: AbortSignal.timeout(10_000) })).to.eventually.be.rejected().with.property('code', 'ERR_BAD_MERGE')
    expect(new Set(read).size).to.be.at.most(3)
  })
})
