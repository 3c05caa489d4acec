import { Option } from 'commander'
import { decimal, integer } from './arguments.ts'
import { methods } from './choices.ts'
import type { AttributionMethod, RecipeChanges, TrainingEstimateView } from '../interface/index.ts'
import type { Command } from 'commander'

/** Options of `datanet train` that change its preset, and how its answers are attributed. */
export interface RecipeOptions {
  method?: AttributionMethod
  targets?: string[]
  batchSize?: number
  sequenceLength?: number
  learningRate?: number
  warmup?: number
  optimiser?: RecipeChanges['optimiser']
  schedule?: RecipeChanges['schedule']
  clip?: number
  weightDecay?: number
  examples?: RecipeChanges['examples']
  duplicates?: RecipeChanges['duplicates']
}

const NANO = 1e9
const MICRO = 1e6

/** Adds them to a command. */
export function recipeOptions (command: Command): Command {
  return command
    .option('--targets <names>', 'projections that get factors, e.g. q_proj,v_proj', (text: string) => text.split(',').map(name => name.trim()))
    .option('--batch-size <examples>', 'examples of one step', integer(1, 65_536))
    .option('--sequence-length <tokens>', 'the most that one example has', integer(16, 1_048_576))
    .option('--learning-rate <rate>', 'at its peak', decimal(0, 1))
    .option('--warmup <steps>', 'steps in which the rate rises', integer(0, 100_000))
    .addOption(new Option('--optimiser <name>', 'sgd has momentum').choices(['adam', 'sgd']))
    .addOption(new Option('--schedule <name>', 'of the rate after the warm-up').choices(['cosine', 'constant', 'linear']))
    .option('--clip <norm>', 'bound of the batch gradient\'s norm, 0 for none', decimal(0, 1_000_000))
    .option('--weight-decay <rate>', 'by which weights shrink, times the learning rate', decimal(0, 1))
    .addOption(new Option('--examples <kind>', 'rows joined and cut, each row alone, or conversations').choices(['windows', 'rows', 'chat']))
    .addOption(new Option('--method <name>', 'by which answers are attributed to contributions, and paid').choices(methods).default('trajectory'))
    .addOption(new Option('--duplicates <what>', 'near ones of earlier commitments: left out unless kept').choices(['drop', 'keep']))
}

/** In the units of the recipe's record; nothing for options that were not given. */
export function recipeChanges (options: RecipeOptions): RecipeChanges {
  const { targets, batchSize, sequenceLength, learningRate, warmup, optimiser, schedule, clip, weightDecay, examples, duplicates } = options

  return {
    targets,
    batchSize,
    sequenceLength,
    learningRateNano: scaled(learningRate, NANO),
    warmupSteps: warmup,
    optimiser,
    schedule,
    clipNormMicro: scaled(clip, MICRO),
    weightDecayNano: scaled(weightDecay, NANO),
    examples,
    duplicates
  }
}

function scaled (value: number | undefined, unit: number): number | undefined {
  return value == null ? undefined : Math.round(value * unit)
}

/** What a training would take, for people. */
export function describeEstimate (estimate: TrainingEstimateView): string[] {
  const { steps, tokens, parameters, contributions, influence, operations, seconds, influenceSeconds, tokensPerSecond, memoryBytes, storedBytes, method, methodMeaning, assessmentSeconds, assessmentBytes, methods } = estimate
  const columns = influence === 'forward' ? `, of which ${duration(influenceSeconds)} for the influence of ${contributions} contribution${contributions === 1 ? '' : 's'}` : ''

  return [
    `${steps} steps over ${tokens.toLocaleString('en')} tokens, ${parameters.toLocaleString('en')} weights: about ${duration(seconds)} at ${Math.round(tokensPerSecond).toLocaleString('en')} tokens/s${columns}`,
    `${(operations / 1e12).toPrecision(3)} tera-operations, up to ${bytes(memoryBytes)} of memory, ${bytes(storedBytes)} stored`,
    `attributed by ${method}: about ${duration(assessmentSeconds)} and up to ${bytes(assessmentBytes)} for the scores of a task`,
    `  ${methodMeaning}`,
    `  by others: ${methods.filter(other => other.method !== method).map(other => `${other.method} ${duration(other.seconds)}, ${bytes(other.bytes)}`).join('; ')}`
  ]
}

function duration (seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
}

function bytes (count: number): string {
  return count < 1e9 ? `${(count / 1e6).toPrecision(3)} MB` : `${(count / 1e9).toPrecision(3)} GB`
}
