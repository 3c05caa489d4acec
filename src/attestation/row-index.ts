import { BANDS, BAND_VALUES, MINHASH_VALUES, NEAR_DUPLICATE_MATCHES_MIN } from './constants.ts'
import type { Fingerprint } from './fingerprint.ts'

/** Whether two fingerprints agree in enough values. */
export const isNear = (a: Uint32Array, b: Uint32Array): boolean => {
  let matches = 0
  for (let k = 0; k < MINHASH_VALUES; k++) {
    if (a[k] === b[k]) {
      matches++
    }
  }
  return matches >= NEAR_DUPLICATE_MATCHES_MIN
}

/** A key of one band, a small integer. Collisions cost time only: candidates are compared in full. */
const bandKey = (signature: Uint32Array, band: number): number => {
  let x = 0
  for (let i = 0; i < BAND_VALUES; i++) {
    x = Math.imul(x ^ (signature[band * BAND_VALUES + i] ?? 0), 0x9e3779b1)
    x ^= x >>> 15
  }
  return x & 0x3fffffff
}

interface Indexed {
  source: number
  signature: Uint32Array
}

/**
 * Rows of the contributions of one Datanet, findable by similarity. What a search finds depends on
 * the set of rows alone, not on the order in which they came. About 2.6 KB a row.
 */
export class RowIndex {
  private readonly sources = new Set<number>()
  /** sources of each exact text */
  private readonly texts = new Map<string, number[]>()
  /** most keys have one row, which stands without a list */
  private readonly bands = Array.from({ length: BANDS }, () => new Map<number, Indexed | Indexed[]>())

  /** Whether all rows of a contribution are in. */
  has (source: number): boolean {
    return this.sources.has(source)
  }

  /** Says that all rows of a contribution are in. */
  complete (source: number): void {
    this.sources.add(source)
  }

  /** @param source - what the row belongs to: the index of its contribution in the Datanet */
  add (source: number, { exact, signature }: Fingerprint): void {
    const sources = this.texts.get(exact)
    if (sources?.includes(source) === true) {
      return
    }
    if (sources === undefined) {
      this.texts.set(exact, [source])
    } else {
      sources.push(source)
    }
    const entry: Indexed = { source, signature }
    this.bands.forEach((band, index) => {
      const key = bandKey(signature, index)
      const bucket = band.get(key)
      if (bucket === undefined) {
        band.set(key, entry)
      } else if (Array.isArray(bucket)) {
        bucket.push(entry)
      } else {
        band.set(key, [bucket, entry])
      }
    })
  }

  /** Whether a row of an allowed contribution has the same text, or nearly the same. */
  find ({ exact, signature }: Fingerprint, allowed: (source: number) => boolean): 'exact' | 'near' | undefined {
    if (this.texts.get(exact)?.some(allowed) === true) {
      return 'exact'
    }
    const matches = (entry: Indexed): boolean => allowed(entry.source) && isNear(signature, entry.signature)
    const near = this.bands.some((band, index) => {
      const bucket = band.get(bandKey(signature, index))
      if (bucket === undefined) {
        return false
      }
      return Array.isArray(bucket) ? bucket.some(matches) : matches(bucket)
    })
    return near ? 'near' : undefined
  }
}
