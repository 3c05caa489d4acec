import { ALIGN_BYTES, MEMORY_BASE_BYTES, MEMORY_BYTES_MAX } from './constants.ts'
import { InferenceSettingsError } from './errors.ts'

/** Addresses for good, one after the other. */
export interface Region {
  take (bytes: number): number
  readonly end: number
}

/** @throws {InferenceSettingsError} from `take`, beyond what a wasm memory holds */
export function region (): Region {
  let end = MEMORY_BASE_BYTES
  return {
    take (bytes) {
      const at = end
      end += Math.ceil(bytes / ALIGN_BYTES) * ALIGN_BYTES
      if (end > MEMORY_BYTES_MAX) {
        throw new InferenceSettingsError(`expected weights, cache and adapters of less than ${MEMORY_BYTES_MAX} bytes in all but they need ${end}: lower cacheBytesMax or adapterBytesMax, or quantise the base`)
      }
      return at
    },
    get end () {
      return end
    }
  }
}

/** Blocks of any size within [begin, begin + bytes), first fit, neighbours joined when freed. */
export class Heap {
  readonly #free: Array<{ at: number, bytes: number }>

  constructor (begin: number, bytes: number) {
    this.#free = [{ at: begin, bytes }]
  }

  /** An address, or undefined if no gap is large enough. */
  take (bytes: number): number | undefined {
    const index = this.#free.findIndex(gap => gap.bytes >= bytes)
    if (index === -1) {
      return undefined
    }
    const gap = this.#free[index]
    const { at } = gap
    gap.at += bytes
    gap.bytes -= bytes
    if (gap.bytes === 0) {
      this.#free.splice(index, 1)
    }
    return at
  }

  give (at: number, bytes: number): void {
    let index = this.#free.findIndex(gap => gap.at > at)
    index = index === -1 ? this.#free.length : index
    const before = this.#free.at(index - 1)
    const after = this.#free[index]
    if (index > 0 && before != null && before.at + before.bytes === at) {
      before.bytes += bytes
      if (after != null && after.at === at + bytes) {
        before.bytes += after.bytes
        this.#free.splice(index, 1)
      }
    } else if (after != null && after.at === at + bytes) {
      after.at = at
      after.bytes += bytes
    } else {
      this.#free.splice(index, 0, { at, bytes })
    }
  }
}
