import { cos, prng } from '../numeric/index.ts'
import { SettingsError } from './errors.ts'
import type { StepSettings } from './update.ts'
import type { Recipe } from '../interface/index.ts'

/** Recipes write real numbers as integers in units of 10^-9 or 10^-6; the division is correctly rounded. */
const NANO = 1e9
const MICRO = 1e6

/** The learning rate ends at this share of its peak: a last step of nothing would be wasted. */
const FLOOR = 0.1

const PI = 3.141592653589793

/** The order of a run: which examples each step sees, and with which settings. */
export interface TrainingPlan {
  /** the indices of step t's examples, in the order in which they are added up */
  batches: Uint32Array[]
  /** per step */
  learningRates: Float64Array
  beta1: number
  beta2: number
  /** under the square root */
  epsilon: number
  /** @default 'adam' */
  optimiser?: 'adam' | 'sgd'
  /** @default no bound */
  clipNorm?: number
  /** @default 0 */
  weightDecay?: number
  /** a checkpoint is due after every this many steps and at the end */
  checkpointEverySteps: number
}

type PlanRecipe = Pick<Recipe, 'steps' | 'batchSize' | 'learningRateNano' | 'warmupSteps' | 'beta1Nano' | 'beta2Nano' | 'epsilonNano' | 'seed' | 'checkpointEverySteps' | 'optimiser' | 'schedule' | 'clipNormMicro' | 'weightDecayNano'>

/**
 * What a recipe means for `examples` examples. Passes over all examples follow each other, each in
 * its own seeded order without replacement; a batch may end one pass and begin the next. The
 * learning rate warms up linearly, then falls to a tenth of its peak along a cosine, or along a
 * line, or is held.
 */
export function trainingPlan (recipe: PlanRecipe, examples: number): TrainingPlan {
  const { steps, batchSize } = recipe
  const random = prng(recipe.seed)

  if (examples < 1) {
    throw new SettingsError('expected at least one example to plan a run for: add data')
  }

  const batches: Uint32Array[] = []
  const learningRates = new Float64Array(steps)
  const peak = recipe.learningRateNano / NANO
  let order = new Uint32Array(0)
  let position = 0

  for (let step = 0; step < steps; step++) {
    const batch = new Uint32Array(batchSize)

    for (let i = 0; i < batchSize; i++) {
      if (position === order.length) {
        order = Uint32Array.from(random.shuffle(examples))
        position = 0
      }

      batch[i] = order[position++]
    }

    batches.push(batch)
    learningRates[step] = peak * schedule(recipe, step)
  }

  return {
    batches,
    learningRates,
    beta1: recipe.beta1Nano / NANO,
    beta2: recipe.beta2Nano / NANO,
    epsilon: recipe.epsilonNano / NANO,
    checkpointEverySteps: recipe.checkpointEverySteps,
    ...(recipe.optimiser === undefined ? {} : { optimiser: recipe.optimiser }),
    ...(recipe.clipNormMicro === undefined ? {} : { clipNorm: recipe.clipNormMicro / MICRO }),
    ...(recipe.weightDecayNano === undefined ? {} : { weightDecay: recipe.weightDecayNano / NANO })
  }
}

/** The optimiser's settings at one step. */
export function adamSettings (plan: TrainingPlan, step: number): StepSettings {
  const { beta1, beta2, epsilon, optimiser, clipNorm, weightDecay } = plan

  return { learningRate: plan.learningRates[step], beta1, beta2, epsilon, optimiser, clipNorm, weightDecay }
}

/** The share of the peak rate at a step. */
function schedule ({ steps, warmupSteps, schedule }: Pick<Recipe, 'steps' | 'warmupSteps' | 'schedule'>, step: number): number {
  if (step < warmupSteps) {
    return (step + 1) / (warmupSteps + 1)
  }

  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps)

  switch (schedule) {
    case 'constant':
      return 1
    case 'linear':
      return FLOOR + (1 - FLOOR) * (1 - progress)
    default:
      return FLOOR + (1 - FLOOR) * 0.5 * (1 + cos(PI * progress))
  }
}
