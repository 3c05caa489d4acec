/**
 * Adam in f64, made of `+ - * /` and `sqrt` alone, so that every machine gives the same bits.
 *
 * Two deviations from Kingma & Ba 2015: epsilon is added under the square root, which keeps the
 * step differentiable where the second moment is zero, and the bias corrections come from running
 * products instead of powers, which engines compute differently.
 */
export interface AdamState {
  /** steps taken so far */
  step: number
  theta: Float64Array
  /** first moment, one value per parameter */
  m: Float64Array
  /** second moment */
  v: Float64Array
  /** beta1 to the power of `step` */
  beta1Power: number
  beta2Power: number
}

export interface AdamSettings {
  learningRate: number
  beta1: number
  beta2: number
  /** added under the square root */
  epsilon: number
  /**
   * Decoupled decay (AdamW): theta shrinks by `learningRate * weightDecay` before the step.
   *
   * @default 0
   */
  weightDecay?: number
}

/** The state before the first step. `theta` is taken over, not copied; a number makes zeros. */
export function adamState (theta: number | Float64Array): AdamState {
  const values = typeof theta === 'number' ? new Float64Array(theta) : theta

  return {
    step: 0,
    theta: values,
    m: new Float64Array(values.length),
    v: new Float64Array(values.length),
    beta1Power: 1,
    beta2Power: 1
  }
}

/** A copy that shares nothing with `state`. */
export function cloneAdamState (state: AdamState): AdamState {
  return { ...state, theta: state.theta.slice(), m: state.m.slice(), v: state.v.slice() }
}

/**
 * One step of Adam, in place.
 *
 * m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
 * θ ← θ − η · m̂ / sqrt(v̂ + ε)  with  m̂ = m / (1−β₁ᵗ),  v̂ = v / (1−β₂ᵗ)
 *
 * @param state - changed in place
 * @param gradient - `state.theta.length` values
 */
export function adamStep (state: AdamState, gradient: Float64Array, settings: AdamSettings): void {
  const { theta, m, v } = state
  const { learningRate, beta1, beta2, epsilon } = settings
  const keep = 1 - learningRate * (settings.weightDecay ?? 0)

  state.step++
  state.beta1Power *= beta1
  state.beta2Power *= beta2

  const correction1 = 1 - state.beta1Power
  const correction2 = 1 - state.beta2Power

  for (let i = 0; i < theta.length; i++) {
    const g = gradient[i]
    const first = beta1 * m[i] + (1 - beta1) * g
    const second = beta2 * v[i] + (1 - beta2) * g * g

    m[i] = first
    v[i] = second
    theta[i] = keep * theta[i] - learningRate * (first / correction1) / Math.sqrt(second / correction2 + epsilon)
  }
}
