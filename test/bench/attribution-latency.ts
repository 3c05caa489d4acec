/**
 * What an answer's attribution adds to the answer: scores of the whole by one gradient, scores of
 * each token by directions, on the project's base with the default preset's rank and eight
 * contributions. Columns and weights are noise: the time does not depend on their values.
 */
import { encodeFloats } from '../../src/attribution/index.ts'
import { deriveSeed, ed25519Signer, signRecord } from '../../src/identity/index.ts'
import { answerGradient, generate, loraShape, recipeOf, thetaToPeft, verifyGeneration } from '../../src/models/index.ts'
import { shippedBase } from '../../src/node/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { attributeAnswer, modelLibrary } from '../../src/serving/index.ts'
import { adapterCodec, baseModelCodec, cidOf, domains, rawCid, recipeCodec, signedCodec, snapshotCodec } from '../../src/wire/index.ts'
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
  const times = { answer: [] as number[], whole: [] as number[], all: [] as number[] }
  const timed = <T>(list: number[], work: () => T): T => {
    const start = performance.now()
    const result = work()

    list.push(performance.now() - start)

    return result
  }

  // the first round packs weights and compiles
  for (let seed = 0; seed <= rounds; seed++) {
    const kept = seed === 0 ? { answer: [], whole: [], all: [] } : times
    const prompt = [tokenizer.bos, ...tokenizer.encode('The people of these States have in their hands')]
    const settings = { ...sampler, seed, tokensMin: TOKENS }
    const output = timed(kept.answer, () => {
      const output = [...generate(model, { prompt, maxTokens: TOKENS, sampler: settings, lora })]

      // the payer's part of every answer
      verifyGeneration(model, { prompt, output, sampler: settings, lora })

      return output
    })

    timed(kept.whole, () => answerGradient(model, lora.shape, lora.theta, prompt, output))
    timed(kept.all, () => attributeAnswer(loaded, { prompt, output }))
  }

  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
  const share = (part: number[]): number => sum(part) / (sum(part) + sum(times.answer))
  const about = `${rounds} answers of ${TOKENS} tokens, ${CONTRIBUTIONS} contributions`

  return [
    { name: 'attributionAfterAnswerMs', value: percentile(times.all, 0.5), unit: 'ms', peer: '200 ms asked', detail: `${about}, every token's scores too; p95 ${percentile(times.all, 0.95).toFixed(0)} ms, the whole answer's alone ${percentile(times.whole, 0.5).toFixed(0)} ms` },
    { name: 'attributionShareOfAnswer', value: share(times.whole), unit: 'of the time', peer: '0.20 asked', detail: `whole answer's scores, of decoding, verification and these; with every token's ${share(times.all).toFixed(2)}` }
  ]
}
