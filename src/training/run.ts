import { ENGINE, initialTheta, loraShape, parameterCount } from '../models/index.ts'
import { baseModelCodec, recipeCodec, snapshotCodec } from '../wire/index.ts'
import { EXAMPLES_MAX, FILE_BYTES_MAX, FLOPS_PER_WEIGHT_AND_TOKEN, RECORD_BYTES_MAX, SHARED_READ_BYTES, TEXT_BYTES_MAX } from './constants.ts'
import { TrainingInputError } from './errors.ts'
import { planOf } from './players.ts'
import { Pool } from './pool.ts'
import type { TrainingComponents } from './interface.ts'
import type { AbortOptions, BaseModel, Recipe, Snapshot } from '../interface/index.ts'
import type { LoraShape, TrainingPlan } from '../models/index.ts'
import type { CID } from 'multiformats/cid'

/** The small records of a run. */
export interface RunRecords {
  recipe: Recipe
  base: BaseModel
  snapshot: Snapshot
  shape: LoraShape
  /** of one gradient */
  flopsPerToken: number
}

/** A run with its data on the threads, ready for any step. */
export interface Run extends RunRecords {
  pool: Pool
  plan: TrainingPlan
  theta0: Float64Array
  /** the contribution of each example, as an index into the snapshot */
  groups: Uint32Array
  /** examples that the plan leaves out as near duplicates; they score nothing */
  dropped: ReadonlySet<number>
  /** and how many they are */
  tokens: Uint32Array
}

export interface RunSettings {
  threads: number
  stallTimeoutMs: number
  gradientsBytesMax?: number
}

export async function readRecipe ({ storage }: TrainingComponents, recipe: CID, options: AbortOptions): Promise<Recipe> {
  return recipeCodec.decode(await storage.get(recipe, { signal: options.signal, bytesMax: RECORD_BYTES_MAX }))
}

/**
 * @throws {TrainingInputError} when the recipe is for another engine
 */
export async function readRecords ({ storage }: TrainingComponents, recipe: Recipe, { signal }: AbortOptions): Promise<RunRecords> {
  if (recipe.engine !== ENGINE) {
    throw new TrainingInputError(`this node trains by ${ENGINE} but the recipe asks for ${recipe.engine}: use a version of the software that has it`)
  }

  const base = baseModelCodec.decode(await storage.get(recipe.base, { signal, bytesMax: RECORD_BYTES_MAX }))
  const snapshot = snapshotCodec.decode(await storage.get(recipe.snapshot, { signal, bytesMax: RECORD_BYTES_MAX }))

  return { recipe, base, snapshot, shape: loraShape(base.config, recipe), flopsPerToken: FLOPS_PER_WEIGHT_AND_TOKEN * parameterCount(base.config) }
}

/**
 * Fetches base and texts, starts threads, hands the run to `use` and stops the threads again.
 */
export async function withRun<T> (components: TrainingComponents, settings: RunSettings, recipe: Recipe, options: AbortOptions, use: (run: Run) => Promise<T>): Promise<T> {
  const records = await readRecords(components, recipe, options)
  const { snapshot, shape } = records
  const texts = await readTexts(components, snapshot, options)

  return withPool(components, settings, records, options, async pool => {
    const cut = await pool.cut(texts, recipe, options)
    const { examples, contributionOf } = cut

    if (examples.length === 0 || examples.length > EXAMPLES_MAX) {
      throw new TrainingInputError(`a run needs 1 to ${EXAMPLES_MAX} examples but its data make ${examples.length}: ${recipe.examples === 'chat' ? 'rows must be conversations, a JSON list of { "role", "content" } in which the assistant speaks' : 'choose other Datanets or another sequence length'}`)
    }

    await pool.load(cut, options)

    return use({
      ...records,
      pool,
      ...await planOf(recipe, { snapshot, pool }, components, options),
      theta0: initialTheta(shape, recipe.seed),
      groups: contributionOf,
      tokens: Uint32Array.from(examples, ({ length }) => length)
    })
  })
}

/** Threads with the base on them, for as long as `use` takes. */
export async function withPool<T> ({ storage }: TrainingComponents, { threads, stallTimeoutMs }: RunSettings, { base, shape }: Pick<RunRecords, 'base' | 'shape'>, options: AbortOptions, use: (pool: Pool) => Promise<T>): Promise<T> {
  const { signal } = options
  const weights = await sharedBytes(await storage.openFile(base.weights, { signal }), signal)
  const tokenizer = await storage.getFile(base.tokenizer, { signal, bytesMax: FILE_BYTES_MAX })
  const chatTemplate = base.chatTemplate == null ? undefined : await storage.getFile(base.chatTemplate, { signal, bytesMax: FILE_BYTES_MAX })
  const { config, format, tokenizerKind, special } = base
  const pool = new Pool(threads, stallTimeoutMs, shape.parameters)

  try {
    await pool.setup({ base: { config, format, tokenizerKind, special }, weights, tokenizer, chatTemplate, shape }, options)

    return await use(pool)
  } finally {
    await pool.close()
  }
}

/** A file in memory that all threads see: none has a copy of its own. */
async function sharedBytes (file: { size: number, read (offset: number, length: number): Promise<Uint8Array> }, signal?: AbortSignal): Promise<Uint8Array> {
  const bytes = new Uint8Array(new SharedArrayBuffer(file.size))

  for (let at = 0; at < file.size; at += SHARED_READ_BYTES) {
    signal?.throwIfAborted()
    bytes.set(await file.read(at, Math.min(SHARED_READ_BYTES, file.size - at)), at)
  }

  return bytes
}

/** Steps after which a checkpoint is due, ascending; the last step is always one. */
export function checkpointSteps ({ steps, checkpointEverySteps }: Pick<Recipe, 'steps' | 'checkpointEverySteps'>): number[] {
  const due: number[] = []

  for (let step = checkpointEverySteps; step < steps; step += checkpointEverySteps) {
    due.push(step)
  }

  return [...due, steps]
}

async function readTexts ({ dataset }: TrainingComponents, snapshot: Snapshot, options: AbortOptions): Promise<string[][]> {
  const texts: string[][] = []
  let characters = 0

  for (const contribution of snapshot.contributions) {
    const rows: string[] = []

    for await (const text of dataset.texts(contribution, options)) {
      options.signal?.throwIfAborted()
      characters += text.length

      if (characters > TEXT_BYTES_MAX) {
        throw new TrainingInputError(`the texts of one run may have ${TEXT_BYTES_MAX} characters but these have more: choose fewer Datanets`)
      }

      rows.push(text)
    }

    texts.push(rows)
  }

  return texts
}
