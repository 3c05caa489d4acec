/**
 * What an answer's attribution adds to the answer: scores of the whole by one gradient, scores of
 * each token by directions, on the project's base with the default preset's rank and eight
 * contributions. Columns and weights are noise: the time does not depend on their values.
 */
import { encodeFloats } from '../../src/attribution/index.ts'
import { deriveSeed, ed25519Signer, signRecord } from '../../src/identity/index.ts'
import { answerGradient, generate, loraShape, recipeOf, thetaToPeft, verifiedGradient, verifyGeneration } from '../../src/models/index.ts'
import { shippedBase } from '../../src/node/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { attributeAnswer, modelLibrary } from '../../src/serving/index.ts'
import { adapterCodec, baseModelCodec, cidOf, domains, rawCid, recipeCodec, signedCodec, snapshotCodec } from '../../src/wire/index.ts'
import { processorMs } from './serving-load.ts'
import type { BenchResult } from './interface.ts'
import type { Adapter, Snapshot } from '../../src/interface/index.ts'
import type { LoadedAdapter, ModelLibrary } from '../../src/serving/index.ts'
import type { CID } from 'multiformats/cid'

const CONTRIBUTIONS = 8
const TOKENS = 32

const percentile = (values: number[], share: number): number => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))]

/** Blocks in memory, and a library over them. */
function memory (): { keep (bytes: Uint8Array, cid?: CID): CID, library: ModelLibrary } {
  const blocks = new Map<string, Uint8Array>()
  const get = async (cid: CID): Promise<Uint8Array> => blocks.get(cid.toString()) ?? Promise.reject(new RangeError(`no block ${cid.toString()}`))

  return {
    keep (bytes, cid = cidOf(bytes)) {
      blocks.set(cid.toString(), bytes)

      return cid
    },
    library: modelLibrary()({
      storage: {
        get,
        getFile: get,
        openFile: async cid => {
          const bytes = await get(cid)

          return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) }
        }
      }
    })
  }
}

async function adapter (): Promise<LoadedAdapter> {
  const { keep, library } = memory()
  const base = await shippedBase()
  const random = prng(5)
  const file = (bytes: Uint8Array): CID => keep(bytes, rawCid(bytes))
  const contributions = Array.from({ length: CONTRIBUTIONS }, (_, i) => cidOf(Uint8Array.of(i))).sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  const snapshot: Snapshot = { type: 'snapshot', version: 1, datanets: [cidOf(Uint8Array.of(99))], contributions }

  keep(base.weights, base.record.weights)
  keep(base.tokenizer, base.record.tokenizer)

  const recipe = recipeOf('quick', keep(baseModelCodec.encode(base.record)), keep(snapshotCodec.encode(snapshot)))
  const shape = loraShape(base.record.config, recipe)
  const noise = (scale: number): Float64Array => Float64Array.from({ length: shape.parameters }, () => scale * random.nextNormal())
  const signer = ed25519Signer(deriveSeed('bench', 'developer'))
  const record: Adapter = {
    type: 'adapter',
    version: 1,
    name: 'bench',
    developer: signer.account,
    base: recipe.base,
    snapshot: recipe.snapshot,
    recipe: keep(recipeCodec.encode(recipe)),
    weights: file(thetaToPeft(shape, noise(0.02)).weights),
    checkpoints: [file(Uint8Array.of(1))],
    lossMicro: [1],
    method: 'trajectory',
    influence: { form: 'forward', columns: contributions.map(() => file(encodeFloats(recipe.steps, noise(1e-3)))) },
    pricePerThousandTokens: 1n
  }

  return library.adapter(keep(signedCodec(adapterCodec).encode(signRecord(domains.adapter, adapterCodec, record, signer))))
}

export async function attributionLatency (rounds: number): Promise<BenchResult[]> {
  const loaded = await adapter()
  const { base: { model, tokenizer }, lora } = loaded
  const sampler = { temperatureMilli: 900, topK: 0, seed: 0 }
  const times = { decoded: [] as number[], verified: [] as number[], checked: [] as number[], gradient: [] as number[], all: [] as number[], processor: [] as number[] }
  const timed = <T>(list: number[], work: () => T): T => {
    const start = performance.now()
    const result = work()

    list.push(performance.now() - start)

    return result
  }

  // the first round packs weights and compiles
  for (let seed = 0; seed <= rounds; seed++) {
    const kept: typeof times = seed === 0 ? { decoded: [], verified: [], checked: [], gradient: [], all: [], processor: [] } : times
    const prompt = [tokenizer.bos, ...tokenizer.encode('The people of these States have in their hands')]
    const settings = { ...sampler, seed, tokensMin: TOKENS }
    const output = timed(kept.decoded, () => [...generate(model, { prompt, maxTokens: TOKENS, sampler: settings, lora })])

    timed(kept.verified, () => verifyGeneration(model, { prompt, output, sampler: settings, lora }))
    // what a payer does instead, whose check brings the gradient
    timed(kept.checked, () => verifiedGradient(model, { prompt, output, sampler: settings, lora }))
    timed(kept.gradient, () => answerGradient(model, lora.shape, lora.theta, prompt, output))

    const before = processorMs()

    timed(kept.all, () => attributeAnswer(loaded, { prompt, output }))
    kept.processor.push(processorMs() - before)
  }

  const median = (values: number[]): number => percentile(values, 0.5)
  const [decoded, verified, checked, gradient, all] = [times.decoded, times.verified, times.checked, times.gradient, times.all].map(median)
  const answer = decoded + verified
  const share = (added: number): number => added / (answer + added)
  const about = `${rounds} answers of ${TOKENS} tokens, ${CONTRIBUTIONS} contributions, medians`

  return [
    { name: 'attributionAfterAnswerMs', value: all, unit: 'ms', peer: '200 ms asked', detail: `${about}, every token's scores too, by passes of their own; p95 ${percentile(times.all, 0.95).toFixed(0)} ms, ${median(times.processor).toFixed(0)} ms of a processor, the whole answer's alone ${gradient.toFixed(0)} ms` },
    { name: 'attributionShareOfAnswer', value: share(checked - verified), unit: 'of the time', peer: '0.20 asked', detail: `what the whole answer's scores add to decoding alone (${decoded.toFixed(1)} ms) and checking (${verified.toFixed(1)} ms), which brings the gradient; with every token's ${share(checked - verified + all - gradient).toFixed(2)}` }
  ]
}
