import type { AdamSettings, AdamState } from '../../models/index.ts'

/** First-order change of a training state along one direction, or the adjoint of one. */
export interface StateVector {
  theta: Float64Array
  m: Float64Array
  v: Float64Array
}

export function zeroStateVector (parameters: number): StateVector {
  return { theta: new Float64Array(parameters), m: new Float64Array(parameters), v: new Float64Array(parameters) }
}

/**
 * The derivative of `adamStep`, forward: given the change of state and gradient before the step,
 * `tangent` becomes the change of the state after it. With s = sqrt(v̂ + ε):
 *
 * ṁ ← β₁ṁ + (1−β₁)ġ, v̇ ← β₂v̇ + 2(1−β₂)gġ,
 * θ̇ ← (1−ηλ)θ̇ − η · ( (ṁ/c₁)/s − m̂·(v̇/c₂)/(2s³) )
 *
 * @param tangent - changed in place
 * @param after - the state after the step
 * @param gradient - the batch gradient of the step
 * @param change - and its change
 * @param settings - those of the step
 */
export function adamTangent (tangent: StateVector, after: AdamState, gradient: Float64Array, change: Float64Array, settings: AdamSettings): void {
  const { learningRate, beta1, beta2, epsilon } = settings
  const keep = 1 - learningRate * (settings.weightDecay ?? 0)
  const correction1 = 1 - after.beta1Power
  const correction2 = 1 - after.beta2Power
  const { theta, m, v } = tangent

  for (let i = 0; i < theta.length; i++) {
    const root = Math.sqrt(after.v[i] / correction2 + epsilon)
    const moment = after.m[i] / correction1

    m[i] = beta1 * m[i] + (1 - beta1) * change[i]
    v[i] = beta2 * v[i] + 2 * (1 - beta2) * gradient[i] * change[i]
    theta[i] = keep * theta[i] - learningRate * (m[i] / correction1 / root - moment * (v[i] / correction2) / (2 * root * root * root))
  }
}

/**
 * The derivative of `adamStep`, backward: `adjoint` belongs to the state after the step and becomes
 * that of the state before it, but for the part of theta that goes through the gradient. That part
 * is the Hessian times the returned adjoint of the batch gradient.
 *
 * @param adjoint - changed in place
 * @param after - moments and powers after the step
 * @param gradient - the batch gradient of the step
 * @param settings - those of the step
 * @param out - receives the adjoint of the batch gradient
 */
export function adamAdjoint (adjoint: StateVector, after: Pick<AdamState, 'm' | 'v' | 'beta1Power' | 'beta2Power'>, gradient: Float64Array, settings: AdamSettings, out: Float64Array): void {
  const { learningRate, beta1, beta2, epsilon } = settings
  const keep = 1 - learningRate * (settings.weightDecay ?? 0)
  const correction1 = 1 - after.beta1Power
  const correction2 = 1 - after.beta2Power
  const { theta, m, v } = adjoint

  for (let i = 0; i < theta.length; i++) {
    const root = Math.sqrt(after.v[i] / correction2 + epsilon)
    const moment = after.m[i] / correction1
    const pull = learningRate * theta[i]
    const first = m[i] - pull / root / correction1
    const second = v[i] + pull * moment / (2 * root * root * root) / correction2

    out[i] = (1 - beta1) * first + 2 * (1 - beta2) * gradient[i] * second
    theta[i] = keep * theta[i]
    m[i] = beta1 * first
    v[i] = beta2 * second
  }
}
