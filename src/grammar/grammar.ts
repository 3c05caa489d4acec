import { RULES_MAX } from './constants.ts'
import { UnsupportedSchemaError } from './errors.ts'

/** A rule's number, or the complement (`~`) of a byte class's number. */
export type Part = number

/** A context-free grammar over bytes. No rule may begin with itself. */
export interface Grammar {
  /** alternatives of each rule, each a sequence */
  rules: ReadonlyArray<ReadonlyArray<readonly Part[]>>
  /** bit b of class c: whether it has the byte b; eight words each */
  classes: readonly Uint32Array[]
  start: Part
}

/** Collects rules and byte classes. */
export class GrammarBuilder {
  readonly #rules: Part[][][] = []
  readonly #classes: Uint32Array[] = []
  readonly #known = new Map<string, Part>()

  /** One byte out of ranges, both ends included. */
  bytes (...ranges: ReadonlyArray<readonly [number, number]>): Part {
    const key = ranges.join(' ')
    const known = this.#known.get(key)

    if (known !== undefined) {
      return known
    }

    const set = new Uint32Array(8)

    for (const [from, to] of ranges) {
      for (let byte = from; byte <= to; byte++) {
        set[byte >>> 5] |= 1 << (byte & 31)
      }
    }

    const part = ~(this.#classes.push(set) - 1)

    this.#known.set(key, part)

    return part
  }

  /** The bytes of a text, one after the other. */
  text (text: string): Part[] {
    return Array.from(new TextEncoder().encode(text), byte => this.bytes([byte, byte]))
  }

  /** One of some sequences. */
  rule (...alternatives: Part[][]): Part {
    if (this.#rules.length === RULES_MAX) {
      throw new UnsupportedSchemaError('#', `expected one that comes to at most ${RULES_MAX} rules`)
    }

    return this.#rules.push(alternatives) - 1
  }

  /**
   * A part `min` to `max` times, each but the first behind `separator`; without `max` any number of times.
   *
   * @param part - what is repeated; it takes at least one byte
   * @param min - 0 or more
   * @param max - at least min
   * @param separator - parts between two
   */
  repeat (part: Part, min: number, max?: number, separator: Part[] = []): Part {
    let rest: Part

    if (max === undefined) {
      rest = this.rule([])
      this.#rules[rest].push([...separator, part, rest])
    } else {
      rest = this.rule([])

      for (let more = Math.max(1, min); more < max; more++) {
        rest = this.rule([], [...separator, part, rest])
      }
    }

    for (let i = 1; i < min; i++) {
      rest = this.rule([...separator, part, rest])
    }

    if (max === 0) {
      return this.rule([])
    }

    return min === 0 ? this.rule([], [part, rest]) : this.rule([part, rest])
  }

  build (start: Part): Grammar {
    return { rules: this.#rules, classes: this.#classes, start }
  }
}
