import { SettingsError } from './errors.ts'
import { adamStep } from './optimiser.ts'
import type { AdamSettings, AdamState } from './optimiser.ts'

/** What one step of training does with the gradient of its batch. */
export interface StepSettings extends AdamSettings {
  /**
   * `sgd` is heavy-ball momentum: m ← β₁m + g, θ ← θ − η·m. It has neither second moment nor epsilon.
   *
   * @default 'adam'
   */
  optimiser?: 'adam' | 'sgd'
  /**
   * Longer gradients are scaled down to this Euclidean norm.
   *
   * @default no bound
   */
  clipNorm?: number
}

/** The Euclidean norm of a gradient and the factor that clipping gives it; 1 where it is short enough. */
export interface Clipping {
  norm: number
  factor: number
}

/** The norm is summed in index order, so that it has the same bits everywhere. */
export function clipping (gradient: Float64Array, clipNorm: number | undefined): Clipping {
  if (clipNorm === undefined) {
    return { norm: 0, factor: 1 }
  }

  if (!(clipNorm > 0)) {
    throw new SettingsError(`expected a norm above 0 to clip to but got ${clipNorm}`)
  }

  let sum = 0

  for (let i = 0; i < gradient.length; i++) {
    sum += gradient[i] * gradient[i]
  }

  const norm = Math.sqrt(sum)

  return { norm, factor: norm > clipNorm ? clipNorm / norm : 1 }
}

/** The gradient that the optimiser sees: itself, or a scaled copy. */
export function clipped (gradient: Float64Array, clipNorm: number | undefined): Float64Array {
  const { factor } = clipping(gradient, clipNorm)

  return factor === 1 ? gradient : gradient.map(value => value * factor)
}

/**
 * One step of training, in place: clipping, then Adam or momentum. The one way in which weights
 * change, for adapters and for the base.
 *
 * @param state - changed in place
 * @param gradient - of the batch, `state.theta.length` values; not changed
 */
export function optimiserStep (state: AdamState, gradient: Float64Array, settings: StepSettings): void {
  const step = clipped(gradient, settings.clipNorm)

  if (settings.optimiser === 'sgd') {
    momentumStep(state, step, settings)
  } else {
    adamStep(state, step, settings)
  }
}

function momentumStep (state: AdamState, gradient: Float64Array, settings: StepSettings): void {
  const { theta, m } = state
  const { learningRate, beta1, beta2 } = settings
  const keep = 1 - learningRate * (settings.weightDecay ?? 0)

  state.step++
  // kept so that a state of either optimiser reads the same
  state.beta1Power *= beta1
  state.beta2Power *= beta2

  for (let i = 0; i < theta.length; i++) {
    m[i] = beta1 * m[i] + gradient[i]
    theta[i] = keep * theta[i] - learningRate * m[i]
  }
}
