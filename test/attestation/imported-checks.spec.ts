import { expect } from 'aegir/chai'
import { checkImported, isLicenceExpression } from '../../src/attestation/index.ts'
import { signRecord } from '../../src/identity/index.ts'
import { loraShape, parseSafetensors, thetaToPeft, writeSafetensors } from '../../src/models/index.ts'
import { adapterCodec, baseModelCodec, cidOf, domains, importedAdapterCodec, rawCid, signedCodec, utf8 } from '../../src/wire/index.ts'
import { adapter as trainedCid, admitAdapter, alice, base as baseCid, bob, cid, developer, Network } from '../ledger/network.ts'
import type { AdapterState, BaseModel, CheckResult, ImportedAdapter } from '../../src/interface/index.ts'
import type { LedgerState } from '../../src/ledger/index.ts'
import type { CID } from 'multiformats/cid'

const base: BaseModel = {
  type: 'base',
  version: 1,
  name: 'tiny',
  licence: 'MIT',
  weights: rawCid(utf8('weights')),
  tokenizer: rawCid(utf8('tokenizer')),
  config: { dim: 8, hiddenDim: 16, layers: 1, heads: 2, kvHeads: 2, vocabularySize: 16, contextLength: 16, ropeTheta: 10_000, rmsNormEpsNano: 10_000, tied: true }
}
const shape = loraShape(base.config, { rank: 1, alpha: 2, targets: ['q_proj'] })
const theta = Float64Array.from({ length: shape.parameters }, (_, i) => i / 64)
const fileOf = (values: Float64Array): Uint8Array => thetaToPeft(shape, values).weights

interface Case {
  file?: Uint8Array
  record?: Partial<ImportedAdapter>
  state?: Partial<AdapterState>
  ledger?: LedgerState
  /** other blocks by CID */
  others?: Map<string, Uint8Array>
}

/** The results of one import by name, with everything in order unless the case says otherwise. */
async function check ({ file = fileOf(theta), record, state, ledger = new Network().state, others }: Case = {}): Promise<Record<string, CheckResult>> {
  const weights = rawCid(file)
  const payload: ImportedAdapter = {
    type: 'imported-adapter', version: 1, name: 'x', developer: alice.account, base: baseCid, licence: 'MIT', rank: 1, alpha: 2, targets: ['q_proj'], weights, metrics: [], pricePerThousandTokens: 1n, ...record
  }
  const bytes = signedCodec(importedAdapterCodec).encode(signRecord(domains.adapter, importedAdapterCodec, payload, alice))
  const subject = cidOf(bytes)
  const blocks = new Map([[subject.toString(), bytes], [baseCid.toString(), baseModelCodec.encode(base)], [weights.toString(), file], ...others ?? []])
  const get = async (link: CID): Promise<Uint8Array> => blocks.get(link.toString()) ?? expect.fail(`nobody has ${link.toString()}`)
  const entry: AdapterState = {
    developer: alice.account, base: baseCid, snapshot: null, contributions: [], deposit: 0n, status: 'pending', stakeFor: 0n, stakeAgainst: 0n, height: 1_000, earned: 0n, weights, ...state
  }

  return Object.fromEntries((await checkImported({ get, getFile: get }, subject, entry, ledger, {})).map(result => [result.name, result]))
}

const failed = (results: Record<string, CheckResult>): string[] => Object.values(results).filter(({ passed }) => !passed).map(({ name }) => name)

describe('checks of an imported adapter', () => {
  it('pass weights of the shape that the record says, on a base of the chain', async () => {
    const results = await check()

    expect(failed(results)).to.deep.equal([])
    expect(Object.keys(results)).to.deep.equal(['ledger', 'licence', 'weights', 'effect', 'duplicate'])
  })

  it('refuse a record that is not what the ledger ordered, before anything is fetched', async () => {
    const results = await check({ state: { base: cid('another base'), weights: rawCid(utf8('other')) } })

    expect(failed(results)).to.deep.equal(['ledger'])
    expect(results.ledger.detail).to.include('base, weights')
    expect(results).to.not.have.property('weights')
  })

  it('refuse somebody else\'s record', async () => {
    await expect(check({ state: { developer: bob.account } })).to.eventually.be.rejected().with.property('code', 'ERR_WRONG_AUTHOR')
  })

  it('refuse another shape, values that are not finite, and another file of the same values', async () => {
    const bad = fileOf(theta)
    // without PEFT's metadata
    const bare = writeSafetensors(parseSafetensors(fileOf(theta)))

    new DataView(bad.buffer, bad.byteOffset).setFloat32(bad.length - 4, Infinity, true)

    expect((await check({ record: { rank: 2 } })).weights.detail).to.match(/expected tensor .*lora_A/)
    expect((await check({ record: { targets: ['gate_proj', 'q_proj'] } })).weights.detail).to.match(/gate_proj/)
    expect((await check({ record: { targets: ['nothing'] } })).weights.detail).to.match(/expected targets/)
    expect((await check({ file: bad })).weights.detail).to.match(/finite .*offset/)
    expect(failed(await check({ file: bare }))).to.deep.equal(['weights'])
  })

  it('refuse weights that change nothing of the base', async () => {
    const idle = theta.map((value, i) => i < shape.factors[0].offsetB ? value : 0)

    expect(failed(await check({ file: fileOf(idle) }))).to.deep.equal(['effect'])
  })

  it('refuse the very weights of a trained adapter, but not those with one bit changed', async () => {
    const network = new Network()

    admitAdapter(network)

    const trained = signRecord(domains.adapter, adapterCodec, {
      type: 'adapter',
      version: 1,
      name: 'trained',
      developer: developer.account,
      base: baseCid,
      snapshot: cid('snapshot'),
      recipe: cid('recipe'),
      weights: rawCid(fileOf(theta)),
      checkpoints: [rawCid(utf8('end'))],
      lossMicro: [1],
      method: 'trajectory',
      influence: { form: 'reverse' },
      pricePerThousandTokens: 1n
    }, developer)
    const others = new Map([[trainedCid.toString(), signedCodec(adapterCodec).encode(trained)]])
    const results = await check({ ledger: network.state, others })

    expect(failed(results)).to.deep.equal(['duplicate'])
    expect(results.duplicate.detail).to.include(trainedCid.toString())
    expect(failed(await check({ ledger: network.state, others, file: fileOf(theta.map((value, i) => i === 0 ? value + 1 : value)) }))).to.deep.equal([])
    // nobody serves its record: it compares with nothing
    expect(failed(await check({ ledger: network.state }))).to.deep.equal([])
  })

  it('compare with no adapter that validators have not admitted: who sees an import could claim its weights first', async () => {
    const network = new Network()
    const claimed = cid('claimed')

    admitAdapter(network)
    network.must([bob, { kind: 'publish-adapter', adapter: claimed, base: baseCid, snapshot: cid('snapshot'), contributions: [] }])

    // a record that is none would fail the check of whoever reads it
    expect(failed(await check({ ledger: network.state, others: new Map([[claimed.toString(), utf8('no record')]]) }))).to.deep.equal([])
  })

  it('read the form of licences, not their meaning', () => {
    for (const text of ['MIT', 'CC-BY-SA-4.0', 'GPL-2.0+', 'GPL-2.0-only WITH Classpath-exception-2.0', '(MIT OR Apache-2.0) AND CC0-1.0', 'LicenseRef-ours', 'DocumentRef-a:LicenseRef-b']) {
      expect(isLicenceExpression(text), text).to.equal(true)
    }

    for (const text of ['', ' ', 'free for all', 'MIT AND', 'OR MIT', '(MIT', 'MIT)', ')MIT(', 'MIT, Apache-2.0', 'MIT () ', '()', 'MIT MIT', '-MIT', 'a'.repeat(10) + '\u{1f600}']) {
      expect(isLicenceExpression(text), text).to.equal(false)
    }
  })
})
