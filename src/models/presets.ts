import { ENGINE } from './constants.ts'
import { SettingsError } from './errors.ts'
import type { Preset } from './interface.ts'
import type { Recipe } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * Recipes for people. Both are smooth (large batch, small learning rate, large epsilon under
 * Adam's root): the derivative of training is then a good forecast of retraining.
 */
export const presets: Readonly<Record<string, Preset>> = {
  quick: {
    title: 'Quick',
    description: 'A small adapter in well under a minute. Picks up the tone of the data; good for a first look and for exact attribution.',
    rank: 4,
    alpha: 8,
    targets: ['q_proj', 'v_proj'],
    steps: 16,
    batchSize: 32,
    sequenceLength: 64,
    learningRateNano: 5_000_000,
    warmupSteps: 0,
    beta1Nano: 900_000_000,
    beta2Nano: 950_000_000,
    epsilonNano: 1_000,
    checkpointEverySteps: 8
  },
  careful: {
    title: 'Careful',
    description: 'A larger adapter on all projections with more steps. Follows the data more closely and takes some minutes.',
    rank: 8,
    alpha: 16,
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    steps: 48,
    batchSize: 40,
    sequenceLength: 64,
    learningRateNano: 3_000_000,
    warmupSteps: 4,
    beta1Nano: 900_000_000,
    beta2Nano: 950_000_000,
    epsilonNano: 1_000,
    checkpointEverySteps: 8
  }
}

/**
 * A recipe from a preset's name. Targets are sorted, as the record wants them.
 *
 * @throws {SettingsError} if there is no such preset
 */
export function recipeOf (preset: string, base: CID, snapshot: CID, overrides: Partial<Omit<Recipe, 'type' | 'version' | 'base' | 'snapshot' | 'engine'>> = {}): Recipe {
  if (!Object.hasOwn(presets, preset)) {
    throw new SettingsError(`expected a preset among ${Object.keys(presets).join(', ')} but got ${preset}`)
  }
  const { title, description, ...settings } = presets[preset]
  const recipe: Recipe = { type: 'recipe', version: 1, base, snapshot, engine: ENGINE, seed: 0, ...settings, ...overrides }
  return { ...recipe, targets: [...recipe.targets].sort() }
}
