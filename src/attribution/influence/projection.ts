import { prng } from '../../numeric/index.ts'
import { PROJECTION_COPIES } from './constants.ts'

/** A fixed random projection of gradients to fewer numbers that nearly keeps dot products. */
export interface Projection {
  features: number
  project (vector: ArrayLike<number>): Float64Array
  /** its transpose: the dot product of what comes back with a vector is that of these features with its projection */
  back (values: ArrayLike<number>): Float64Array
}

/**
 * The sparse Johnson-Lindenstrauss projection (Kane and Nelson 2014, in its block form): the
 * features are cut in four parts, and each parameter is added to one feature of each part with a
 * random sign. Costs four additions a parameter where a dense one costs one per feature.
 *
 * @param parameters - length of what is projected
 * @param features - a multiple of four
 * @param seed - the recipe's, so that everybody projects alike
 */
export function sparseProjection (parameters: number, features: number, seed: number): Projection {
  const random = prng(seed)
  const part = features / PROJECTION_COPIES
  const places = new Int32Array(parameters * PROJECTION_COPIES)
  const scale = 1 / Math.sqrt(PROJECTION_COPIES)

  for (let i = 0; i < places.length; i++) {
    const place = (i % PROJECTION_COPIES) * part + random.nextBelow(part)

    // a negative place says that the sign is minus
    places[i] = random.nextUint32() < 0x80000000 ? place : ~place
  }

  return {
    features,
    project (vector) {
      const out = new Float64Array(features)

      for (let i = 0; i < parameters; i++) {
        const value = vector[i] * scale

        for (let copy = 0; copy < PROJECTION_COPIES; copy++) {
          const place = places[i * PROJECTION_COPIES + copy]

          if (place >= 0) {
            out[place] += value
          } else {
            out[~place] -= value
          }
        }
      }

      return out
    },
    back (values) {
      return Float64Array.from({ length: parameters }, (_, i) => {
        let sum = 0

        for (let copy = 0; copy < PROJECTION_COPIES; copy++) {
          const place = places[i * PROJECTION_COPIES + copy]

          sum += place >= 0 ? values[place] : -values[~place]
        }

        return sum * scale
      })
    }
  }
}
