import { expect } from 'aegir/chai'
import { checkMerged } from '../../src/attestation/index.ts'
import { signRecord } from '../../src/identity/index.ts'
import { cidOf, compareBytes, domains, importedAdapterCodec, mergedAdapterCodec, rawCid, signedCodec, utf8 } from '../../src/wire/index.ts'
import { alice, base, bob, cid } from '../ledger/network.ts'
import type { AdapterState, CheckResult, ImportedAdapter, MergedAdapter, Price } from '../../src/interface/index.ts'
import type { CID } from 'multiformats/cid'

const blocks = new Map<string, Uint8Array>()

function put (bytes: Uint8Array): CID {
  const cid = cidOf(bytes)

  blocks.set(cid.toString(), bytes)

  return cid
}

function parent (name: string, price: Price): CID {
  const record: ImportedAdapter = { type: 'imported-adapter', version: 1, name, developer: bob.account, base, licence: 'MIT', rank: 1, alpha: 2, targets: ['q_proj'], weights: rawCid(utf8(name)), metrics: [], ...price }

  return put(signedCodec(importedAdapterCodec).encode(signRecord(domains.adapter, importedAdapterCodec, record, bob)))
}

const parents = [parent('dear', { pricePerThousandTokens: 7n }), parent('long prompts', { pricePerThousandTokens: 2n, promptPricePerThousandTokens: 9n })]
  .sort((a, b) => compareBytes(a.bytes, b.bytes))
  .map((adapter, i) => ({ adapter, weightMilli: [700, 300][i] }))

/** Names of the checks that fail, with everything in order unless the case says otherwise. */
async function failed (record: Partial<MergedAdapter> = {}, state: Partial<AdapterState> = {}): Promise<string[]> {
  const merge: MergedAdapter = { type: 'merged-adapter', version: 1, name: 'both', developer: alice.account, base, parents, pricePerThousandTokens: 7n, promptPricePerThousandTokens: 9n, ...record }
  const subject = put(signedCodec(mergedAdapterCodec).encode(signRecord(domains.adapter, mergedAdapterCodec, merge, alice)))
  const entry: AdapterState = { developer: alice.account, base, snapshot: null, contributions: [], deposit: 0n, status: 'pending', stakeFor: 0n, stakeAgainst: 0n, height: 1, earned: 0n, parents, ...state }
  const get = async (link: CID): Promise<Uint8Array> => blocks.get(link.toString()) ?? expect.fail(`nobody has ${link.toString()}`)
  const results: CheckResult[] = await checkMerged({ get }, subject, entry, {})

  expect(results.map(({ name }) => name)).to.deep.equal(results[0].passed ? ['ledger', 'price'] : ['ledger'])

  return results.filter(({ passed }) => !passed).map(({ name }) => name)
}

describe('checks of a merged adapter', () => {
  it('pass what the ledger ordered at the price of its dearest parent', async () => {
    expect(await failed()).to.deep.equal([])
  })

  it('refuse other parents, other weights and another base than the ledger ordered', async () => {
    expect(await failed({}, { parents: [...parents.slice(0, 1), { adapter: cid('other'), weightMilli: 300 }] })).to.deep.equal(['ledger'])
    expect(await failed({}, { parents: parents.map(one => ({ ...one, weightMilli: 1 })) })).to.deep.equal(['ledger'])
    expect(await failed({}, { base: cid('other base') })).to.deep.equal(['ledger'])
  })

  it('refuse a record with other parents than the ledger ordered, though nobody has those', async () => {
    expect(await failed({ parents: [parents[0], { adapter: cid('nobody\'s'), weightMilli: 300 }].sort((a, b) => compareBytes(a.adapter.bytes, b.adapter.bytes)) })).to.deep.equal(['ledger'])
  })

  it('refuse prices that nobody of the parents asks', async () => {
    expect(await failed({ pricePerThousandTokens: 6n })).to.deep.equal(['price'])
    expect(await failed({ pricePerThousandTokens: 8n })).to.deep.equal(['price'])
    expect(await failed({ promptPricePerThousandTokens: undefined })).to.deep.equal(['price'])
  })

  it('refuse somebody else\'s record', async () => {
    await expect(failed({}, { developer: bob.account })).to.eventually.be.rejected().with.property('code', 'ERR_WRONG_AUTHOR')
  })
})
