import { sigmoidFloat } from './reference-scalar.ts'
import type { Kernels } from './interface.ts'

type Fused = Pick<Kernels, 'rmsNorm' | 'rmsNormBack' | 'swiglu' | 'swigluBack' | 'addScaled'>

const round = Math.fround

/** The oracle of assembly/fused.ts: the primitives' roundings, one element after the other. */
export function referenceFused (f: Float32Array, { inverseRms, columnScale }: Pick<Kernels, 'inverseRms' | 'columnScale'>): Fused {
  return {
    rmsNorm (m, d, x, gain, eps, r, y) {
      inverseRms(m, d, x, eps, r)
      for (let i = 0; i < m * d; i++) {
        f[(y >>> 2) + i] = round(f[(x >>> 2) + i] * f[(r >>> 2) + Math.floor(i / d)]) * f[(gain >>> 2) + i % d]
      }
    },
    rmsNormBack (m, d, x, gain, r, dy, sum, y) {
      columnScale(m, d, dy, gain, y, false)
      for (let i = 0; i < m; i++) {
        const factor = f[(r >>> 2) + i]
        const slope = round(round(factor * round(factor * factor)) * round(-1 / d))
        const [from, to] = [(x >>> 2) + i * d, (y >>> 2) + i * d]
        const dots = new Float32Array(4)
        for (let j = 0; j < d; j++) {
          dots[j & 3] += round(f[to + j] * f[from + j])
        }
        const along = round(round(round(dots[0] + dots[1]) + round(dots[2] + dots[3])) * slope)
        for (let j = 0; j < d; j++) {
          const first = round(f[to + j] * factor)
          const before = sum === 0 ? first : round(f[(sum >>> 2) + i * d + j] + first)
          f[to + j] = before + round(f[from + j] * along)
        }
      }
    },
    swiglu (n, gate, up, s, y) {
      for (let i = 0; i < n; i++) {
        const value = f[(gate >>> 2) + i]
        f[(s >>> 2) + i] = sigmoidFloat(value)
        f[(y >>> 2) + i] = round(value * f[(s >>> 2) + i]) * f[(up >>> 2) + i]
      }
    },
    swigluBack (n, gate, up, s, dy, dGate, dUp) {
      for (let i = 0; i < n; i++) {
        const [value, part, slope] = [f[(gate >>> 2) + i], f[(s >>> 2) + i], f[(dy >>> 2) + i]]
        const d = round(slope * f[(up >>> 2) + i])
        f[(dUp >>> 2) + i] = slope * round(value * part)
        f[(dGate >>> 2) + i] = round(d * part) + round(round(part * round(1 - part)) * round(d * value))
      }
    },
    addScaled (n, a, b, factor, y) {
      for (let i = 0; i < n; i++) {
        f[(y >>> 2) + i] = f[(a >>> 2) + i] + round(f[(b >>> 2) + i] * round(factor))
      }
    }
  }
}
