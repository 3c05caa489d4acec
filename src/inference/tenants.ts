import { QUANTUM_TOKENS } from './constants.ts'

interface Turn<T> {
  queue: T[]
  deficit: number
}

/**
 * Deficit round robin (Shreedhar and Varghese 1995): tenants take turns, each turn adds a quantum, and
 * a tenant's next item goes when it has saved its cost. Who asks for more gets no more than its share.
 */
export class Tenants<T> {
  readonly #cost: (item: T) => number
  /** first has its turn */
  readonly #turns = new Map<string, Turn<T>>()
  size = 0

  constructor (cost: (item: T) => number) {
    this.#cost = cost
  }

  add (tenant: string, item: T): void {
    const turn = this.#turns.get(tenant)
    if (turn == null) {
      this.#turns.set(tenant, { queue: [item], deficit: 0 })
    } else {
      turn.queue.push(item)
    }
    this.size++
  }

  /** Whose turn it is; turns pass until somebody has saved enough. */
  next (): T | undefined {
    for (;;) {
      const [first] = this.#turns
      if (first == null) {
        return undefined
      }
      const [tenant, turn] = first
      if (turn.deficit >= this.#cost(turn.queue[0])) {
        return turn.queue[0]
      }
      turn.deficit += QUANTUM_TOKENS
      if (turn.deficit < this.#cost(turn.queue[0])) {
        this.#turns.delete(tenant)
        this.#turns.set(tenant, turn)
      }
    }
  }

  /** Takes what `next` named. */
  take (): void {
    const [first] = this.#turns
    if (first != null) {
      const [tenant, turn] = first
      const [item] = turn.queue.splice(0, 1)
      turn.deficit -= this.#cost(item)
      this.size--
      // the rest of a turn is for the others' sake not saved by who has nothing to spend it on
      this.#turns.delete(tenant)
      if (turn.queue.length > 0) {
        this.#turns.set(tenant, turn)
      }
    }
  }

  /** Removes the first item that fits. */
  remove (fits: (item: T) => boolean): boolean {
    for (const [tenant, turn] of this.#turns) {
      const index = turn.queue.findIndex(fits)
      if (index !== -1) {
        turn.queue.splice(index, 1)
        this.size--
        if (turn.queue.length === 0) {
          this.#turns.delete(tenant)
        }
        return true
      }
    }
    return false
  }
}
