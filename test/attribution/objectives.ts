import type { Objective } from '../../src/interface/index.ts'

export interface Dataset {
  inputs: Float64Array[]
  /** +1 or −1 */
  labels: number[]
}

/**
 * Logistic regression through a rank-R product, f(x) = Σᵣ bᵣ(aᵣ·x), the smallest relative of LoRA:
 * not convex, with a Hessian that depends on theta. Loss log(1 + exp(−y f)). Theta is A [R,D], b [R].
 */
export function productObjective ({ inputs, labels }: Dataset, rank: number): Objective {
  const width = inputs[0].length
  const parameters = rank * width + rank
  const run = (theta: Float64Array, example: number): { loss: number, slope: number, curve: number, hidden: number[] } => {
    const x = inputs[example]
    const hidden = Array.from({ length: rank }, (_, r) => x.reduce((sum, value, d) => sum + theta[r * width + d] * value, 0))
    const f = hidden.reduce((sum, h, r) => sum + theta[rank * width + r] * h, 0)
    const p = 1 / (1 + Math.exp(labels[example] * f))

    return { loss: Math.log1p(Math.exp(-labels[example] * f)), slope: -labels[example] * p, curve: p * (1 - p), hidden }
  }

  const gradient: Objective['gradient'] = (theta, example, out) => {
    const { loss, slope, hidden } = run(theta, example)

    hidden.forEach((h, r) => {
      inputs[example].forEach((value, d) => { out[r * width + d] = slope * theta[rank * width + r] * value })
      out[rank * width + r] = slope * h
    })

    return loss
  }

  return {
    parameters,
    examples: inputs.length,
    gradient,
    dual (theta, example, tangents, out, hvps) {
      const x = inputs[example]
      const { slope, curve, hidden } = run(theta, example)
      const derivatives = tangents.map((tangent, k) => {
        const moved = hidden.map((_, r) => x.reduce((sum, value, d) => sum + tangent[r * width + d] * value, 0))
        const change = hidden.reduce((sum, h, r) => sum + tangent[rank * width + r] * h + theta[rank * width + r] * moved[r], 0)

        hidden.forEach((h, r) => {
          const b = rank * width + r
          x.forEach((value, d) => { hvps[k][r * width + d] = (curve * change * theta[b] + slope * tangent[b]) * value })
          hvps[k][b] = curve * change * h + slope * moved[r]
        })

        return slope * change
      })

      return { loss: gradient(theta, example, out), derivatives: Float64Array.from(derivatives) }
    }
  }
}

/** A small fixed dataset and start. */
export function fixture (): { objective: Objective, theta0: Float64Array, groups: Uint32Array, contributions: number } {
  let seed = 7
  const random = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0

    return seed / 2 ** 31 - 1
  }
  const truth = Float64Array.from({ length: 5 }, random)
  const inputs = Array.from({ length: 24 }, () => Float64Array.from({ length: 5 }, random))
  const labels = inputs.map(x => x.reduce((sum, value, d) => sum + value * truth[d], 0) + 0.3 * random() > 0 ? 1 : -1)
  const objective = productObjective({ inputs, labels }, 3)

  return {
    objective,
    theta0: Float64Array.from({ length: objective.parameters }, () => random() * 0.5),
    groups: Uint32Array.from(inputs, (_, i) => i % 4),
    contributions: 4
  }
}

export const RECIPE = {
  steps: 20,
  batchSize: 8,
  learningRateNano: 20_000_000,
  warmupSteps: 2,
  beta1Nano: 900_000_000,
  beta2Nano: 950_000_000,
  epsilonNano: 1_000,
  seed: 5,
  checkpointEverySteps: 4
}
