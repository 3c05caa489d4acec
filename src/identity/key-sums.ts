/** A point of a group that is written additively. */
interface Addable<P> {
  add (other: P): P
  subtract (other: P): P
}

interface Sum<P> {
  keys: ReadonlySet<P>
  sum: P
}

/** Sets in use at once: that of the era, the one before it, and those of a second chain. */
const SUMS_MAX = 4

/**
 * Sums of public keys, each from the nearest of the last ones: certificates of one set differ by who
 * was late, so that a few additions and subtractions take the place of one for each signer.
 * Keys are told apart by identity: pass the points of a cache.
 *
 * @param zero - the neutral element
 */
export function keySums<P extends Addable<P>> (zero: P): (keys: readonly P[]) => P {
  let known: Array<Sum<P>> = []

  return keys => {
    const wanted = new Set(keys)

    if (wanted.size < keys.length) {
      // a key that signs twice counts twice
      return keys.reduce((total, key) => total.add(key), zero)
    }

    const nearest = known.map(from => ({ from, leave: [...from.keys].filter(key => !wanted.has(key)), join: keys.filter(key => !from.keys.has(key)) }))
      .sort((a, b) => a.leave.length + a.join.length - b.leave.length - b.join.length)[0]
    const isNear = nearest !== undefined && nearest.leave.length + nearest.join.length < keys.length
    const { sum: from, leave, join } = isNear ? { ...nearest, sum: nearest.from.sum } : { sum: zero, leave: [], join: keys }
    const sum = join.reduce((total, key) => total.add(key), leave.reduce((total, key) => total.subtract(key), from))

    // single keys are no sets: they would drive these out
    if (keys.length > 1) {
      known = [{ keys: wanted, sum }, ...known.filter(one => !isNear || one !== nearest.from)].slice(0, SUMS_MAX)
    }

    return sum
  }
}
