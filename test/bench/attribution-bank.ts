/**
 * The counterfactual bank: adapters trained by one recipe without some of its examples, on disk by
 * what they were trained on, so that a run that was stopped goes on where it was.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { evaluator, influenceMethod, lockstep, loraBlocks, reverseReplay, train } from '../../src/attribution/index.ts'
import { ENGINE, initialTheta, loraObjective, loraShape, trainingPlan } from '../../src/models/index.ts'
import { batchedOutcomes } from './attribution-outcomes.ts'
import type { Base, Data, Sequence } from './attribution-data.ts'
import type { CheckpointWeights, Evaluator } from '../../src/attribution/index.ts'
import type { AttributionMethod, Objective } from '../../src/interface/index.ts'
import type { LoraShape, Preset, TrainingPlan } from '../../src/models/index.ts'

export type Recipe = Preset & { seed: number }

/** Adapters that are evaluated together; their weights fit beside the base. */
const ADAPTERS_TOGETHER = 32

/** Replays that share a pass; more would keep more of the run in memory. */
const LOCKSTEP = 8

export interface Bank {
  shape: LoraShape
  /** log-likelihood of each query, in nats per token, after training without these examples */
  outcome (dropped: ReadonlySet<number>): Promise<Float64Array>
  /** the same for many adapters, which are evaluated together: the same bits */
  outcomes (dropped: ReadonlyArray<ReadonlySet<number>>): Promise<Float64Array[]>
  /** scores by a method: per query, per example */
  scores (method: AttributionMethod): Promise<Float64Array[]>
  /**
   * Scores per example for how much likelier the right labels of all queries are than the wrong ones:
   * what makes any label likelier, as an answer in the right form, does not count.
   */
  marginScores (method: AttributionMethod): Promise<Float64Array>
  /** share of queries whose right label is likelier than the wrong one */
  accuracy (): Promise<number>
  /** bytes of one adapter and how many this run had to train */
  readonly trained: number
}

export function openBank (folder: string, base: Base, data: Data, recipe: Recipe): Bank {
  const shape = loraShape(base.model.config, recipe)
  const plan = trainingPlan(recipe, data.examples.length)
  const theta0 = initialTheta(shape, recipe.seed)
  const objective = objectiveOf(base, shape, data.examples)
  const examples = evaluator(objective)
  const runFolder = join(folder, digest([ENGINE, base.digest, recipe, data.examples]))
  const queriesName = digest([data.queries]).slice(0, 12)
  const judge = batchedOutcomes(base.model, shape)
  let trained = 0

  mkdirSync(runFolder, { recursive: true })

  const adapter = async (dropped: ReadonlySet<number>): Promise<Float64Array> => cached(join(runFolder, `${nameOf(dropped)}.theta`), async () => {
    let theta = theta0

    trained++

    for await (const { state } of train(without(examples, dropped), plan, { theta0 })) {
      theta = state.theta
    }

    return theta
  })

  return {
    shape,
    get trained () { return trained },
    async outcome (dropped) {
      return (await outcomesOf([dropped]))[0]
    },
    outcomes: outcomesOf,
    async scores (method) {
      const flat = await cached(join(runFolder, `scores-${method}.${queriesName}`), async () => {
        const rows = await scoresOf(method, gradientsOf(objectiveOf(base, shape, data.queries), await adapter(new Set())))

        return Float64Array.from(rows.flatMap(row => Array.from(row)))
      })

      return data.queries.map((_, q) => flat.subarray(q * data.examples.length, (q + 1) * data.examples.length))
    },
    async marginScores (method) {
      return cached(join(runFolder, `margin-${method}.${queriesName}`), async () => {
        const theta = await adapter(new Set())
        const [right, wrong] = [data.queries, data.wrong ?? []].map(sequences => gradientsOf(objectiveOf(base, shape, sequences), theta).map((row, q) => row.map(value => value * counted(sequences[q]))))
        const [scores] = await scoresOf(method, [theta.map((_, i) => right.reduce((sum, row, q) => sum + row[i] - wrong[q][i], 0))])

        return scores
      })
    },
    async accuracy () {
      const [right, wrong] = [data.queries, data.wrong ?? []].map(async sequences => judge([await adapter(new Set())], sequences)[0].map((value, q) => value * counted(sequences[q])))
      const likelier = await right

      return (await wrong).filter((value, q) => value < likelier[q]).length / data.queries.length
    }
  }

  async function outcomesOf (dropped: ReadonlyArray<ReadonlySet<number>>): Promise<Float64Array[]> {
    const fileOf = (set: ReadonlySet<number>): string => join(runFolder, `${nameOf(set)}.${queriesName}`)
    const missing = [...new Map(dropped.filter(set => !existsSync(fileOf(set))).map(set => [nameOf(set), set])).values()]

    for (let from = 0; from < missing.length; from += ADAPTERS_TOGETHER) {
      const part = missing.slice(from, from + ADAPTERS_TOGETHER)
      const thetas: Float64Array[] = []

      for (const set of part) {
        thetas.push(await adapter(set))
      }

      const judged = judge(thetas, data.queries)

      part.forEach((set, i) => { writeFloats(fileOf(set), judged[i]) })
    }

    return dropped.map(set => readFloats(fileOf(set)))
  }

  async function scoresOf (method: AttributionMethod, cotangents: Float64Array[]): Promise<Float64Array[]> {
    return method === 'trajectory'
      ? exactScores(examples, plan, theta0, cotangents)
      : estimates(method, { examples, plan, theta0, theta: await adapter(new Set()), checkpoints: await checkpointsOf(examples, plan, theta0), blocks: loraBlocks(shape), seed: recipe.seed }, cotangents)
  }
}

export function objectiveOf (base: Base, shape: LoraShape, sequences: Sequence[]): Objective {
  return loraObjective({
    model: base.model,
    shape,
    examples: sequences.map(({ tokens }) => tokens),
    lossMasks: sequences.map(({ tokens, mask }) => mask ?? new Uint8Array(tokens.length).fill(1))
  })()
}

/** Tokens of which the log-likelihood is the mean. */
function counted ({ tokens, mask }: Sequence): number {
  return mask === undefined ? tokens.length - 1 : mask.subarray(1).reduce((sum, one) => sum + one, 0)
}

/** Gradients of the log-likelihoods of all sequences. */
export function gradientsOf (objective: Objective, theta: Float64Array): Float64Array[] {
  const gradient = new Float32Array(objective.parameters)

  return Array.from({ length: objective.examples }, (_, i) => {
    objective.gradient(theta, i, gradient)

    return Float64Array.from(gradient, value => -value)
  })
}

/** Training with weight zero for some examples, without paying for them. */
function without (examples: Evaluator, dropped: ReadonlySet<number>): Evaluator {
  const zero = new Float32Array(examples.parameters)

  return {
    ...examples,
    async gradients (theta, batch, visit, options) {
      const kept = batch.filter(example => !dropped.has(example))
      let next = 0
      const skip = (): void => {
        while (next < batch.length && dropped.has(batch[next])) {
          visit(next++, 0, zero)
        }
      }

      await examples.gradients(theta, kept, (_, loss, gradient) => {
        skip()
        visit(next++, loss, gradient)
      }, options)
      skip()
    }
  }
}

async function exactScores (examples: Evaluator, plan: TrainingPlan, theta0: Float64Array, cotangents: Float64Array[]): Promise<Float64Array[]> {
  const rows: Float64Array[] = []

  for (let from = 0; from < cotangents.length; from += LOCKSTEP) {
    const part = cotangents.slice(from, from + LOCKSTEP)
    const scores = await lockstep(examples, part.length, async (shared, i) => reverseReplay(shared, plan, { theta0, cotangent: part[i] }))

    rows.push(...scores.map(({ exampleScores }) => exampleScores))
  }

  return rows
}

async function estimates (method: AttributionMethod, run: Parameters<typeof influenceMethod>[1], cotangents: Float64Array[]): Promise<Float64Array[]> {
  const estimate = influenceMethod(method, { ...run, examples: remembering(run.examples) })
  const rows: Float64Array[] = []

  for (const cotangent of cotangents) {
    rows.push((await estimate.scores(cotangent)).exampleScores)
  }

  return rows
}

/** Gradients of all examples at the last weights: fifty queries ask GradDot for the same ones. */
function remembering (examples: Evaluator): Evaluator {
  const known = new Map<Float64Array, Map<number, { loss: number, gradient: Float32Array }>>()

  return {
    ...examples,
    async gradients (theta, batch, visit, options) {
      const rows = known.get(theta) ?? new Map<number, { loss: number, gradient: Float32Array }>()

      known.set(theta, rows)

      const missing = batch.filter(example => !rows.has(example))

      await examples.gradients(theta, missing, (position, loss, gradient) => { rows.set(missing[position], { loss, gradient: gradient.slice() }) }, options)
      batch.forEach((example, position) => {
        const row = rows.get(example)

        if (row !== undefined) {
          visit(position, row.loss, row.gradient)
        }
      })
    }
  }
}

async function checkpointsOf (examples: Evaluator, plan: TrainingPlan, theta0: Float64Array): Promise<CheckpointWeights[]> {
  const checkpoints: CheckpointWeights[] = []
  const steps = plan.batches.length

  for await (const { state } of train(examples, plan, { theta0 })) {
    if (state.step % plan.checkpointEverySteps === 0 || state.step === steps) {
      checkpoints.push({ step: state.step, theta: state.theta.slice() })
    }
  }

  return checkpoints
}

const nameOf = (dropped: ReadonlySet<number>): string => dropped.size === 0 ? 'all' : digest([[...dropped].sort((a, b) => a - b)]).slice(0, 24)

export function digest (values: unknown[]): string {
  const hash = createHash('sha256')

  for (const value of values) {
    hash.update(JSON.stringify(value, (_, part) => ArrayBuffer.isView(part) ? Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('hex') : part))
  }

  return hash.digest('hex')
}

/** Floats from a file, or computed and written whole. */
async function cached (file: string, compute: () => Promise<Float64Array>): Promise<Float64Array> {
  if (existsSync(file)) {
    return readFloats(file)
  }

  const values = await compute()

  writeFloats(file, values)

  return values.slice()
}

function readFloats (file: string): Float64Array {
  const bytes = readFileSync(file)

  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

function writeFloats (file: string, values: Float64Array): void {
  writeFileSync(`${file}.${process.pid}`, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  renameSync(`${file}.${process.pid}`, file)
}
