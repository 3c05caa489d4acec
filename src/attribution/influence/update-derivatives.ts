import { clipped, clipping } from '../../models/index.ts'
import { adamAdjoint, adamTangent } from './adam-derivatives.ts'
import { dot } from './vectors.ts'
import type { StateVector } from './adam-derivatives.ts'
import type { AdamState, StepSettings } from '../../models/index.ts'

/**
 * The derivative of `optimiserStep`, forward: clipping, then Adam or momentum.
 *
 * @param tangent - the change of the state before the step; becomes that after it
 * @param after - the state after the step
 * @param gradient - of the batch, before clipping
 * @param change - and its change; scratch afterwards
 * @param settings - those of the step
 */
export function stepTangent (tangent: StateVector, after: AdamState, gradient: Float64Array, change: Float64Array, settings: StepSettings): void {
  throughClipping(gradient, change, settings.clipNorm)

  if (settings.optimiser === 'sgd') {
    const { theta, m } = tangent
    const { learningRate, beta1 } = settings
    const keep = kept(settings)

    for (let i = 0; i < theta.length; i++) {
      m[i] = beta1 * m[i] + change[i]
      theta[i] = keep * theta[i] - learningRate * m[i]
    }
  } else {
    adamTangent(tangent, after, clipped(gradient, settings.clipNorm), change, settings)
  }
}

/**
 * The derivative of `optimiserStep`, backward: `adjoint` becomes that of the state before the step,
 * but for the part of theta that goes through the gradient.
 *
 * @param adjoint - changed in place
 * @param after - moments and powers after the step
 * @param gradient - of the batch, before clipping
 * @param settings - those of the step
 * @param out - receives the adjoint of the batch gradient before clipping
 */
export function stepAdjoint (adjoint: StateVector, after: Pick<AdamState, 'm' | 'v' | 'beta1Power' | 'beta2Power'>, gradient: Float64Array, settings: StepSettings, out: Float64Array): void {
  if (settings.optimiser === 'sgd') {
    const { theta, m } = adjoint
    const { learningRate, beta1 } = settings
    const keep = kept(settings)

    for (let i = 0; i < theta.length; i++) {
      out[i] = m[i] - learningRate * theta[i]
      m[i] = beta1 * out[i]
      theta[i] = keep * theta[i]
    }
  } else {
    adamAdjoint(adjoint, after, clipped(gradient, settings.clipNorm), settings, out)
  }

  throughClipping(gradient, out, settings.clipNorm)
}

function kept ({ learningRate, weightDecay = 0 }: StepSettings): number {
  return 1 - learningRate * weightDecay
}

/**
 * The Jacobian of g ↦ g·c/‖g‖ applied in place: x ← c/‖g‖ · (x − g·(g·x)/‖g‖²). It is symmetric, so
 * changes go forward and adjoints back by the same rule. A short gradient passes as it is; at the
 * bend itself, ‖g‖ = c, the derivative is that of the short side.
 */
function throughClipping (gradient: Float64Array, x: Float64Array, clipNorm: number | undefined): void {
  const { norm, factor } = clipping(gradient, clipNorm)

  if (factor === 1) {
    return
  }

  const along = dot(gradient, x) / norm / norm

  for (let i = 0; i < x.length; i++) {
    x[i] = factor * (x[i] - gradient[i] * along)
  }
}
