import { memoryUsage } from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'aegir/chai'
import { mergedEffects } from '../../src/attribution/index.ts'
import { deriveSeed, ed25519Signer, signRecord } from '../../src/identity/index.ts'
import { answerProbabilities, generate, loadBase, loraShape, peftToTheta, thetaToPeft } from '../../src/models/index.ts'
import { MERGED_TOTAL, resultStep, scoreTree } from '../../src/scoring/index.ts'
import { training } from '../../src/training/index.ts'
import { adapterCodec, baseModelCodec, cidOf, compareBytes, domains, importedAdapterCodec, signedCodec, snapshotCodec } from '../../src/wire/index.ts'
import { opening, world } from './fixtures.ts'
import type { World } from './fixtures.ts'
import type { Adapter, ImportedAdapter, MergedAdapter, ReceiptOpening, Recipe } from '../../src/interface/index.ts'
import type { WeightedLora } from '../../src/models/index.ts'
import type { Assessment, Training } from '../../src/training/index.ts'
import type { CID } from 'multiformats/cid'

const developer = ed25519Signer(deriveSeed('test', 'merger'))
const sampler = { temperatureMilli: 0, topK: 0, seed: 0 }
const id = cidOf(Uint8Array.of(43))
const FEES = [5n * 10n ** 15n, 3n * 10n ** 15n, 10n ** 15n]

describe('an assessment of merged adapters', function () {
  this.timeout(120_000)

  let here: World
  let two: Training
  let first: CID
  let second: CID
  let imported: CID
  let merge: MergedAdapter
  let openings: ReceiptOpening[]
  let mine: Assessment

  async function publish (recipe: Partial<Recipe>): Promise<CID> {
    const { adapter } = await two.train({ name: 'parent', recipe: { ...here.recipe, ...recipe }, developer: developer.account, pricePerThousandTokens: 10n ** 15n, influence: 'reverse' })

    return here.storage.put(signedCodec(adapterCodec).encode(signRecord(domains.adapter, adapterCodec, adapter, developer)))
  }

  const record = async (cid: CID): Promise<Adapter> => signedCodec(adapterCodec).decode(await here.storage.get(cid)).payload
  const mergeOf = (...parents: Array<[CID, number]>): MergedAdapter => ({
    type: 'merged-adapter',
    version: 1,
    name: 'both',
    developer: developer.account,
    base: here.recipe.base,
    parents: parents.map(([adapter, weightMilli]) => ({ adapter, weightMilli })).sort((a, b) => compareBytes(a.adapter.bytes, b.adapter.bytes)),
    pricePerThousandTokens: 10n ** 15n
  })

  async function loras ({ parents }: MergedAdapter): Promise<{ base: ReturnType<typeof loadBase>, lora: WeightedLora[] }> {
    const baseRecord = baseModelCodec.decode(await here.storage.get(here.recipe.base))
    const base = loadBase(baseRecord, await here.storage.get(baseRecord.weights), await here.storage.get(baseRecord.tokenizer))
    const shape = loraShape(baseRecord.config, here.recipe)

    return { base, lora: await Promise.all(parents.map(async ({ adapter, weightMilli }) => ({ lora: { shape, theta: peftToTheta(shape, await here.storage.get((await record(adapter)).weights)) }, weightMilli }))) }
  }

  async function answered (merge: MergedAdapter): Promise<ReceiptOpening[]> {
    const { base: { model, tokenizer }, lora } = await loras(merge)

    return ['the state of', 'people have', 'work in peace'].map((text, sequence) => {
      const prompt = [tokenizer.bos, ...tokenizer.encode(text)]

      return opening(id, { prompt, output: [...generate(model, { prompt, maxTokens: 8, sampler, lora })], sequence, fee: FEES[sequence] })
    })
  }

  const scoreOf = ({ table }: Assessment, cid: CID): bigint => table.entries.find(({ contribution }) => contribution.equals(cid))?.score ?? expect.fail('no entry')

  before(async () => {
    here = await world({ learningRateNano: 50_000_000, steps: 4 })
    two = training({ threads: 2 })(here.components)
    first = await publish({ snapshot: await here.storage.put(snapshotCodec.encode({ ...here.snapshot, contributions: here.snapshot.contributions.slice(0, 2) })) })
    second = await publish({ seed: 2, snapshot: await here.storage.put(snapshotCodec.encode({ ...here.snapshot, contributions: here.snapshot.contributions.slice(1) })) })

    // the same values as somebody's import of them
    const shape = loraShape(baseModelCodec.decode(await here.storage.get(here.recipe.base)).config, here.recipe)
    const theta = peftToTheta(shape, await here.storage.get((await record(second)).weights))
    const weights: ImportedAdapter = {
      type: 'imported-adapter', version: 1, name: 'elsewhere', developer: developer.account, base: here.recipe.base, licence: 'CC0-1.0', rank: shape.rank, alpha: shape.alpha, targets: [...shape.targets].sort(), weights: await here.storage.putFile(thetaToPeft(shape, theta).weights), metrics: [], pricePerThousandTokens: 10n ** 15n
    }

    imported = await here.storage.put(signedCodec(importedAdapterCodec).encode(signRecord(domains.adapter, importedAdapterCodec, weights, developer)))
    merge = mergeOf([first, 700], [second, 1500])
    openings = await answered(merge)
    mine = await two.assess(id, merge, openings)
  })

  after(async () => { await two.stop() })

  it('gives every assessor the same bits, whatever threads and order, and divides all of the effect', async () => {
    const one = training({ threads: 1 })(here.components)
    const other = await one.assess(id, merge, openings.toReversed())

    await one.stop()
    expect(other).to.deep.equal(mine)
    expect(mine.refused).to.be.empty()
    expect(mine.table.method).to.equal('merged')
    expect(mine.table.entries.map(({ contribution }) => contribution.toString()).toSorted()).to.deep.equal([...here.snapshot.contributions, first, second].map(String).toSorted())
    expect(scoreOf(mine, first) + scoreOf(mine, second)).to.equal(MERGED_TOTAL)
    expect(scoreTree(mine.table).total <= 2n * MERGED_TOTAL).to.equal(true)
    // receipts, and each parent's run with its way back
    expect(mine.trace).to.have.length(3 + 2 * (2 * 4 + 1))
  })

  it('gives the same bits where gradients are too many to be kept, and holds none of them', async () => {
    setFlagsFromString('--expose-gc')

    const collect: () => void = runInNewContext('gc')
    const one = training({ threads: 1, gradientsBytesMax: 0 })(here.components)
    const { shape: { parameters } } = (await loras(merge)).lora[0].lora
    const many = Array.from({ length: 60 }, (_, i) => openings[i % 3])
    const held: Record<'early' | 'late', number[]> = { early: [], late: [] }
    let passes = 0

    expect(await one.assess(id, merge, openings)).to.deep.equal(mine)
    await one.assess(id, merge, many, {
      onProgress (event) {
        if (event.type === 'training:receipt') {
          passes += Number(event.done === many.length)

          if ((event.done > 5 && event.done <= 10) || event.done > 55) {
            collect()
            held[event.done <= 10 ? 'early' : 'late'].push(memoryUsage().arrayBuffers)
          }
        }
      }
    })
    await one.stop()
    // once to divide them, once to add them up
    expect(passes).to.equal(2)
    expect(held.late).to.have.length(10)
    // buffers are freed in the background: the least of some moments is what is held
    expect(Math.min(...held.late) - Math.min(...held.early)).to.be.lessThan(20 * 2 * 8 * parameters)
  })

  it('divides among parents as their effect on each answer is, weighted by fees', async () => {
    const { base: { model }, lora } = await loras(merge)
    const shares = openings.map(({ prompt, output }) => mergedEffects(model, { prompt, output, adapters: lora }).map(({ sharePpm }) => BigInt(sharePpm)))
    const [whole, ofFirst] = [FEES.reduce((sum, fee) => sum + fee, 0n) * 1_000_000n, shares.reduce((sum, share, i) => sum + share[0] * FEES[i], 0n)]
    const score = scoreOf(mine, merge.parents[0].adapter)

    // at most what rounding leaves
    expect(Number(score - MERGED_TOTAL * ofFirst / whole)).to.be.within(0, 1)
    expect(shares.some(share => share[0] > 0n && share[1] > 0n)).to.equal(true)
  })

  it('gives contributions of a parent what is that parent\'s, and those of both of each', async () => {
    const [a, , c] = here.snapshot.contributions
    const [ofFirst, ofSecond] = [scoreOf(mine, first), scoreOf(mine, second)]
    const data = here.snapshot.contributions.map(one => scoreOf(mine, one))

    expect(data.reduce((sum, score) => sum + score, 0n) > MERGED_TOTAL - 8n).to.equal(true)
    expect(scoreOf(mine, a) <= ofFirst && scoreOf(mine, c) <= ofSecond).to.equal(true)
  })

  it('agrees with the scores of an adapter that has all of the effect', async () => {
    // a weight that does next to nothing beside one as it was trained
    const lopsided = mergeOf([first, 1000], [second, 1])
    const answers = await answered(lopsided)
    const assessment = await two.assess(id, lopsided, answers)
    const alone = scoreTree((await two.assess(id, await record(first), answers)).table)
    const [a] = here.snapshot.contributions
    const merged = Number(scoreOf(assessment, a)) / Number(scoreOf(assessment, first))
    const single = Number(alone.claim(0).score) / Number(alone.total)

    expect(alone.claim(0).contribution.equals(a)).to.equal(true)
    expect(merged).to.be.closeTo(single, 0.02)
  })

  it('gives each step of the trace alone, and the result that follows from all', async () => {
    const { root, total } = scoreTree(mine.table)

    for (const [index, step] of [[1, mine.trace[1]], [12, mine.trace[12]], [mine.trace.length, resultStep(root, total)]] as const) {
      expect(await two.step(id, merge, openings.toReversed(), index)).to.deep.equal(step)
    }
  })

  it('refuses answers of other weights, of a parent alone and of the base', async () => {
    const { base: { model, tokenizer }, lora } = await loras(merge)
    const prompt = [tokenizer.bos, ...tokenizer.encode('the state of our union is')]
    const answer = (lora: WeightedLora[]): ReceiptOpening => opening(id, { prompt, output: [...generate(model, { prompt, maxTokens: 24, sampler, lora })], sequence: 5, fee: 10n ** 15n })
    const honest = answer(lora)

    const false_ = [lora.map(one => ({ ...one, weightMilli: -9000 })), lora.slice(0, 1), []].map(answer)

    expect(false_.every(({ output }) => output.join(' ') !== honest.output.join(' '))).to.equal(true)
    expect((await two.assess(id, merge, [honest, ...false_])).refused).to.have.length(3)
  })

  it('gives nobody\'s data what an imported parent did', async () => {
    const mixed = mergeOf([first, 700], [imported, 1500])
    const assessment = await two.assess(id, mixed, openings)
    const data = here.snapshot.contributions.slice(0, 2).map(one => scoreOf(assessment, one)).reduce((sum, score) => sum + score, 0n)

    // same weights as `merge`, perhaps in the other order
    expect(assessment.refused).to.be.empty()
    expect(assessment.table.entries).to.have.length(4)
    expect(scoreOf(assessment, imported) > 0n).to.equal(true)
    expect(data <= scoreOf(assessment, first)).to.equal(true)
    expect(data > 0n).to.equal(true)
  })

  it('refuses parents that are merged themselves or stand on another base', async () => {
    await expect(two.assess(id, { ...merge, base: (await here.storage.put(baseModelCodec.encode({ ...baseModelCodec.decode(await here.storage.get(here.recipe.base)), name: 'another' }))) }, openings))
      .to.eventually.be.rejected.with.property('code', 'ERR_ADAPTER_MISMATCH')
  })

  it('answers with all parents at once', async () => {
    const { base: { model }, lora } = await loras(merge)
    const [{ prompt, output }] = openings
    const sum = (some: WeightedLora[]): number => answerProbabilities(model, { prompt, output, lora: some }, 1).reduce((sum, { logProbability }) => sum + logProbability, 0)
    const effects = mergedEffects(model, { prompt, output, adapters: lora }).reduce((sum, { effect }) => sum + effect, 0)

    expect(effects).to.be.closeTo(sum(lora) - sum([]), 1e-4)
  })
})
