import { log } from './math.ts'
import { expFloat, geluFloat, sigmoidFloat } from './reference-scalar.ts'
import type { Kernels } from './interface.ts'

const round = Math.fround

type Elementwise = Pick<Kernels, 'add' | 'mul' | 'scale' | 'exp' | 'log' | 'sigmoid' | 'sigmoidSlope' | 'sigmoidBend' |
  'gelu' | 'geluSlope' | 'geluBend' | 'gather' | 'scatter' | 'allFinite' | 'rope'>

/** Functions of one element at a time, and moves of whole rows. `f` and `ids` view one memory. */
export function referenceElementwise (f: Float32Array, ids: Int32Array): Elementwise {
  function map (n: number, x: number, y: number, each: (value: number) => number): void {
    for (let i = 0; i < n; i++) {
      f[(y >>> 2) + i] = each(f[(x >>> 2) + i])
    }
  }
  return {
    add (n, a, b, y) {
      for (let i = 0; i < n; i++) {
        f[(y >>> 2) + i] = f[(a >>> 2) + i] + f[(b >>> 2) + i]
      }
    },
    mul (n, a, b, y, accumulate) {
      for (let i = 0; i < n; i++) {
        const product = round(f[(a >>> 2) + i] * f[(b >>> 2) + i])
        f[(y >>> 2) + i] = accumulate ? f[(y >>> 2) + i] + product : product
      }
    },
    scale (n, x, factor, y) {
      map(n, x, y, value => value * round(factor))
    },
    exp (n, x, y) {
      map(n, x, y, expFloat)
    },
    log (n, x, y) {
      map(n, x, y, log)
    },
    sigmoid (n, x, y) {
      map(n, x, y, sigmoidFloat)
    },
    sigmoidSlope (n, s, d, y, accumulate) {
      for (let i = 0; i < n; i++) {
        const value = f[(s >>> 2) + i]
        const product = round(round(value * round(1 - value)) * f[(d >>> 2) + i])
        f[(y >>> 2) + i] = accumulate ? f[(y >>> 2) + i] + product : product
      }
    },
    sigmoidBend (n, s, t, d, y) {
      for (let i = 0; i < n; i++) {
        const bend = round(round(1 - round(2 * f[(s >>> 2) + i])) * f[(t >>> 2) + i])
        f[(y >>> 2) + i] += round(bend * f[(d >>> 2) + i])
      }
    },
    gelu (n, x, y) {
      map(n, x, y, value => geluFloat(value).value)
    },
    geluSlope (n, x, d, y, accumulate) {
      for (let i = 0; i < n; i++) {
        const product = round(geluFloat(f[(x >>> 2) + i]).slope * f[(d >>> 2) + i])
        f[(y >>> 2) + i] = accumulate ? f[(y >>> 2) + i] + product : product
      }
    },
    geluBend (n, x, t, d, y) {
      for (let i = 0; i < n; i++) {
        f[(y >>> 2) + i] += round(round(geluFloat(f[(x >>> 2) + i]).bend * f[(t >>> 2) + i]) * f[(d >>> 2) + i])
      }
    },
    gather (count, d, id, x, y) {
      for (let i = 0; i < count; i++) {
        const from = (x >>> 2) + ids[(id >>> 2) + i] * d
        f.copyWithin((y >>> 2) + i * d, from, from + d)
      }
    },
    scatter (count, d, id, x, y) {
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < d; j++) {
          f[(y >>> 2) + ids[(id >>> 2) + i] * d + j] += f[(x >>> 2) + i * d + j]
        }
      }
    },
    allFinite (n, x) {
      for (let i = 0; i < n; i++) {
        if (!Number.isFinite(f[(x >>> 2) + i])) {
          return false
        }
      }
      return true
    },
    rope (m, heads, headDim, x, cosines, sines, y, interleaved, inverse) {
      const half = headDim / 2
      for (let row = 0; row < m; row++) {
        for (let i = 0; i < heads * half; i++) {
          const pair = i % half
          const c = f[(cosines >>> 2) + row * half + pair]
          const s = f[(sines >>> 2) + row * half + pair] * (inverse ? -1 : 1)
          const first = row * heads * headDim + (i - pair) * 2 + (interleaved ? 2 * pair : pair)
          const second = first + (interleaved ? 1 : half)
          const x0 = f[(x >>> 2) + first]
          const x1 = f[(x >>> 2) + second]
          f[(y >>> 2) + first] = round(x0 * c) - round(x1 * s)
          f[(y >>> 2) + second] = round(x0 * s) + round(x1 * c)
        }
      }
    }
  }
}
