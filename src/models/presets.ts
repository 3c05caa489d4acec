import { projectionName } from './architecture.ts'
import { ENGINE } from './constants.ts'
import { SettingsError } from './errors.ts'
import { llamaShapes } from './llama.ts'
import type { Preset } from './interface.ts'
import type { LlamaConfig, PresetName, Recipe } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * Recipes for people. Both are meant to be smooth (small steps, large epsilon under Adam's root), so
 * that the derivative of training forecasts retraining.
 */
export const presets: Readonly<Record<string, Preset>> = {
  // many small steps at one rate: 14 steps of 32 that begin at 1e-2 and fall along a cosine cost as much, learn less and
  // forecast worse (docs/attribution.md has the figures); q and v alone learn a third of it
  quick: {
    title: 'Quick',
    description: 'A small adapter in well under a minute. Picks up the tone of the data; good for a first look and for exact attribution.',
    rank: 4,
    alpha: 8,
    targets: ['gate_proj', 'up_proj', 'down_proj'],
    steps: 40,
    batchSize: 11,
    sequenceLength: 64,
    learningRateNano: 2_000_000,
    schedule: 'constant',
    warmupSteps: 0,
    beta1Nano: 900_000_000,
    beta2Nano: 950_000_000,
    epsilonNano: 1_000,
    checkpointEverySteps: 20
  },
  // 1e-2 on all projections was measured at rank 4 over 24 steps of 16 only; of this run neither loss nor forecast is measured
  careful: {
    title: 'Careful',
    description: 'A larger adapter on all projections with more steps. Follows the data more closely and takes some minutes.',
    rank: 8,
    alpha: 16,
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    steps: 48,
    batchSize: 40,
    sequenceLength: 64,
    learningRateNano: 10_000_000,
    warmupSteps: 4,
    beta1Nano: 900_000_000,
    beta2Nano: 950_000_000,
    epsilonNano: 1_000,
    checkpointEverySteps: 8
  }
} satisfies Record<PresetName, Preset>

/**
 * A recipe from a preset's name. Targets are sorted, as the record wants them.
 *
 * @param preset - its name
 * @param base - CID of the base's record
 * @param snapshot - CID of the snapshot's record
 * @param overrides - instead of what the preset says
 * @param config - of the base: targets of the preset that it lacks are left out and examples are no longer than its
 * context, with one token more to predict; those of `overrides` stay
 * @throws {SettingsError} if there is no such preset, or examples are to be longer than the base sees
 */
export function recipeOf (preset: string, base: CID, snapshot: CID, overrides: Partial<Omit<Recipe, 'type' | 'version' | 'base' | 'snapshot' | 'engine'>> = {}, config?: LlamaConfig): Recipe {
  if (!Object.hasOwn(presets, preset)) {
    throw new SettingsError(`expected a preset among ${Object.keys(presets).join(', ')} but got ${preset}`)
  }
  const { title, description, ...settings } = presets[preset]
  const shapes = config === undefined ? undefined : llamaShapes(config)
  // GPT-2 has no gate
  const targets = settings.targets.filter(target => shapes?.has(projectionName(0, target)) !== false)
  const longest = config === undefined ? Infinity : config.contextLength + 1
  if (overrides.sequenceLength !== undefined && overrides.sequenceLength > longest) {
    throw new SettingsError(`expected examples of at most ${longest} tokens, the ${longest - 1} that the base sees and one to predict, but got a sequence length of ${overrides.sequenceLength}`)
  }
  const recipe: Recipe = { type: 'recipe', version: 1, base, snapshot, engine: ENGINE, seed: 0, ...settings, sequenceLength: Math.min(settings.sequenceLength, longest), targets, ...overrides }
  const { schedule, ...rest } = recipe
  // the record writes the cosine by absence
  return { ...rest, ...(schedule === undefined ? {} : { schedule }), targets: [...recipe.targets].sort() }
}
