import { STACKS_MAX } from './constants.ts'
import { UnsupportedSchemaError } from './errors.ts'
import type { Grammar, Part } from './grammar.ts'

/** All that a text may go on with: the stacks of what is still to come. */
export interface State {
  /** numbers of stacks, ascending; the top of each is a byte class, or it is empty */
  readonly stacks: readonly number[]
  /** whether the text may end here */
  readonly final: boolean
  /** by kind of byte; null where the text cannot go on with it, or could in more ways than are followed */
  readonly next: Array<State | null | undefined>
  /** the tokens that are allowed here, once somebody asked */
  mask?: Uint32Array
}

/** The empty stack. */
const EMPTY = 0

/**
 * Reads a grammar byte by byte, all alternatives at once. Stacks are linked lists with shared tails
 * and a number each, so that equal ones are the same, and states that were met are known again.
 */
export class Automaton {
  readonly start: State
  readonly #grammar: Grammar
  /** top and tail of each stack */
  readonly #tops: Part[] = [0]
  readonly #tails: number[] = [EMPTY]
  readonly #numbers = new Map<string, number>()
  readonly #states = new Map<string, State>()
  /** the kind of each byte: those of one kind lead to the same states */
  readonly kinds: Uint8Array
  /** a byte of each kind */
  readonly #bytes: readonly number[]

  constructor (grammar: Grammar) {
    this.#grammar = grammar
    this.kinds = kindsOf(grammar)
    this.#bytes = Array.from({ length: Math.max(...this.kinds) + 1 }, (_, kind) => this.kinds.indexOf(kind))

    const stacks = this.#open([this.#push(grammar.start, EMPTY)])

    if (stacks === null) {
      throw new UnsupportedSchemaError('#', `expected at most ${STACKS_MAX} ways to begin`)
    }

    this.start = this.#state(stacks)
  }

  /** states that were met */
  get size (): number {
    return this.#states.size
  }

  get kindCount (): number {
    return this.#bytes.length
  }

  step (state: State, byte: number): State | null {
    return this.stepKind(state, this.kinds[byte])
  }

  stepKind (state: State, kind: number): State | null {
    const known = state.next[kind]

    if (known !== undefined) {
      return known
    }

    const byte = this.#bytes[kind]
    const tails = state.stacks.filter(stack => stack !== EMPTY && this.#takes(this.#tops[stack], byte)).map(stack => this.#tails[stack])
    const stacks = tails.length === 0 ? null : this.#open(tails)
    const next = stacks === null ? null : this.#state(stacks)

    state.next[kind] = next

    return next
  }

  #takes (part: Part, byte: number): boolean {
    return has(this.#grammar.classes[~part], byte)
  }

  /**
   * Replaces rules on top by their alternatives until every top is a byte class. Null if they are
   * more than STACKS_MAX: by the grammar alone, whatever was met before.
   */
  #open (stacks: number[]): number[] | null {
    const todo = [...stacks]
    const seen = new Set(todo)
    const opened: number[] = []

    for (let stack = todo.pop(); stack !== undefined; stack = todo.pop()) {
      const top = this.#tops[stack]

      if (stack === EMPTY || top < 0) {
        if (opened.push(stack) > STACKS_MAX) {
          return null
        }

        continue
      }

      for (const alternative of this.#grammar.rules[top]) {
        const pushed = alternative.reduceRight((tail, part) => this.#push(part, tail), this.#tails[stack])

        if (!seen.has(pushed)) {
          seen.add(pushed)
          todo.push(pushed)
        }
      }
    }

    return opened.sort((a, b) => a - b)
  }

  #push (part: Part, tail: number): number {
    const key = `${part} ${tail}`
    const known = this.#numbers.get(key)

    if (known !== undefined) {
      return known
    }

    this.#tails.push(tail)

    const number = this.#tops.push(part) - 1

    this.#numbers.set(key, number)

    return number
  }

  #state (stacks: number[]): State {
    const key = stacks.join(' ')
    const known = this.#states.get(key)

    if (known !== undefined) {
      return known
    }

    const state: State = { stacks, final: stacks[0] === EMPTY, next: [] }

    this.#states.set(key, state)

    return state
  }
}

/**
 * Bytes that every class has or lacks together are of one kind: a grammar has some tens of kinds, so that
 * a state asks a tenth of the questions that it would ask of 256 bytes.
 */
function kindsOf ({ classes }: Grammar): Uint8Array {
  const kinds = new Uint8Array(256)
  let count = 1

  for (const set of classes) {
    // those of a kind that the class has become a kind of their own, unless it has all of them
    const numbers = new Map<number, number>()
    const kept = new Set(kinds.filter((_, byte) => !has(set, byte)))

    for (let byte = 0; byte < kinds.length; byte++) {
      if (has(set, byte) && kept.has(kinds[byte])) {
        const number = numbers.get(kinds[byte]) ?? count++

        numbers.set(kinds[byte], number)
        kinds[byte] = number
      }
    }
  }

  return kinds
}

const has = (set: Uint32Array, byte: number): boolean => (set[byte >>> 5] >>> (byte & 31) & 1) === 1
