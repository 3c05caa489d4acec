import { llamaShapes, trainTokenizer, writeSafetensors, writeTokenizer } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { baseModelCodec, cidOf, fromHex, rawCid, snapshotCodec } from '../../src/wire/index.ts'
import type { Adapter, BaseModel, ReceiptOpening, Recipe, Snapshot } from '../../src/interface/index.ts'
import type { Tensors } from '../../src/models/index.ts'
import type { FileSource } from '../../src/storage/index.ts'
import type { TrainingComponents, TrainingStore } from '../../src/training/index.ts'
import type { CID } from 'multiformats/cid'

const CONFIG: BaseModel['config'] = {
  dim: 16,
  hiddenDim: 24,
  layers: 2,
  heads: 2,
  kvHeads: 2,
  vocabularySize: 280,
  contextLength: 64,
  ropeTheta: 10_000,
  rmsNormEpsNano: 10_000,
  tied: true
}

const WORDS = 'the state of our union is strong and the people of these states have work to do in peace for their children'.split(' ')

/** Blocks and files in memory. */
export class MemoryStore implements TrainingStore {
  readonly blocks = new Map<string, Uint8Array>()

  async put (bytes: Uint8Array): Promise<CID> {
    return this.#keep(cidOf(bytes), bytes)
  }

  async putFile (bytes: Uint8Array): Promise<CID> {
    return this.#keep(rawCid(bytes), bytes)
  }

  async get (cid: CID): Promise<Uint8Array> {
    const bytes = this.blocks.get(cid.toString())

    if (bytes === undefined) {
      throw new RangeError(`no block ${cid}`)
    }

    return bytes
  }

  async getFile (cid: CID): Promise<Uint8Array> {
    return this.get(cid)
  }

  async openFile (cid: CID): Promise<FileSource> {
    const bytes = await this.get(cid)

    return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) }
  }

  #keep (cid: CID, bytes: Uint8Array): CID {
    this.blocks.set(cid.toString(), bytes)

    return cid
  }
}

export interface World {
  components: TrainingComponents
  storage: MemoryStore
  recipe: Recipe
  snapshot: Snapshot
}

/** A random base of 10,000 weights, a tokenizer and three contributions, all in memory. */
export async function world (overrides: Partial<Recipe> = {}): Promise<World> {
  const storage = new MemoryStore()
  const random = prng(11)
  const weights: Tensors = new Map()

  for (const [name, shape] of llamaShapes(CONFIG)) {
    const size = shape.length === 1 ? shape[0] : shape[0] * shape[1]

    weights.set(name, { shape, data: Float32Array.from({ length: size }, () => shape.length === 1 ? 1 : 0.3 * random.nextNormal()) })
  }

  const sentence = (): string => Array.from({ length: 12 }, () => WORDS[random.nextUint32() % WORDS.length]).join(' ')
  const texts = Array.from({ length: 3 }, () => Array.from({ length: 6 }, sentence))
  const tokenizer = trainTokenizer(texts.flat(), CONFIG.vocabularySize)
  const base: BaseModel = {
    type: 'base',
    version: 1,
    name: 'tiny',
    licence: 'CC0-1.0',
    config: { ...CONFIG, vocabularySize: tokenizer.tokens.length },
    weights: await storage.putFile(writeSafetensors(weights)),
    tokenizer: await storage.putFile(writeTokenizer(tokenizer))
  }
  const contributions = texts.map((_, i) => cidOf(Uint8Array.of(i))).sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  const snapshot: Snapshot = { type: 'snapshot', version: 1, datanets: [cidOf(Uint8Array.of(99))], contributions }

  return {
    components: { storage, dataset: { texts: contribution => texts[contributions.findIndex(cid => cid.equals(contribution))] } },
    storage,
    snapshot,
    recipe: {
      type: 'recipe',
      version: 1,
      base: await storage.put(baseModelCodec.encode(base)),
      snapshot: await storage.put(snapshotCodec.encode(snapshot)),
      engine: 'datanet-engine/1',
      rank: 2,
      alpha: 4,
      targets: ['q_proj', 'v_proj'],
      steps: 6,
      batchSize: 6,
      sequenceLength: 24,
      learningRateNano: 5_000_000,
      warmupSteps: 0,
      beta1Nano: 900_000_000,
      beta2Nano: 950_000_000,
      epsilonNano: 1_000,
      seed: 1,
      checkpointEverySteps: 2,
      // there is no ledger here, and texts of so few words look alike
      duplicates: 'keep',
      ...overrides
    }
  }
}

/** An opening as a gateway would deliver it; signatures are the caller's business, not training's. */
export function opening (adapter: CID, fields: { prompt: number[], output: number[], sequence: number, fee: bigint, channel?: number }): ReceiptOpening {
  const { prompt, output, sequence, fee, channel = 1 } = fields
  const filled = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value)

  return {
    salt: filled(sequence + channel),
    prompt,
    output,
    receipt: {
      payload: {
        type: 'receipt',
        version: 1,
        chain: 'datanet-test',
        adapter,
        gateway: filled(2),
        payer: filled(3),
        channel: filled(channel),
        sequence,
        promptHash: filled(4),
        outputHash: filled(5),
        promptTokens: prompt.length,
        outputTokens: output.length,
        sampler: { temperatureMilli: 0, topK: 0, seed: 0 },
        fee,
        cumulative: fee
      },
      gatewaySignature: filled(6, 64),
      payerSignature: filled(7, 64)
    }
  }
}

export const DEVELOPER = fromHex('11'.repeat(32))

/** The adapter with one file replaced by other bytes. */
export async function tampered (storage: MemoryStore, adapter: Adapter, cid: CID, change: (bytes: Uint8Array) => void): Promise<CID> {
  const bytes = (await storage.get(cid)).slice()

  change(bytes)

  return storage.putFile(bytes)
}
