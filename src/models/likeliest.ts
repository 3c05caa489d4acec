/** Up to so many, keeping the best in order beats sorting all. */
const INSERTION_MAX = 64

const floats = new Float32Array(1)
const words = new Uint32Array(floats.buffer)

/** Ids of the `count` greatest logits, greatest first; ties go to the lower id. */
export function likeliest (logits: Float32Array, count: number): Uint32Array {
  return count <= INSERTION_MAX && count < logits.length ? best(logits, count) : sorted(logits).subarray(0, count)
}

/** One pass; most logits are below the least of the best and cost one comparison. */
function best (logits: Float32Array, count: number): Uint32Array {
  const ids = new Uint32Array(count)
  let length = 0
  for (let id = 0; id < logits.length; id++) {
    const value = logits[id]
    if (length === count && !(value > logits[ids[count - 1]])) {
      continue
    }
    let at = length < count ? length++ : count - 1
    for (; at > 0 && value > logits[ids[at - 1]]; at--) {
      ids[at] = ids[at - 1]
    }
    ids[at] = id
  }
  return ids
}

/**
 * Keys of 32 + 18 bits that order as (logit descending, id ascending) do, so that the engine's
 * sort of numbers does it without a comparison function.
 */
function sorted (logits: Float32Array): Uint32Array {
  const keys = new Float64Array(logits.length)
  for (let id = 0; id < keys.length; id++) {
    floats[0] = logits[id] + 0 // −0 is 0
    const word = words[0]
    const ascending = word >>> 31 === 1 ? ~word >>> 0 : (word | 0x8000_0000) >>> 0
    keys[id] = (0xffff_ffff - ascending) * 262_144 + id
  }
  keys.sort()
  return Uint32Array.from(keys, key => key % 262_144)
}
