import PQueue from 'p-queue'
import { FREE_ANSWERS_AT_ONCE, FREE_ANSWERS_PER_ACCOUNT_MAX, FREE_QUEUE_MAX } from './constants.ts'
import { BusyError } from './errors.ts'

/**
 * Turns of answers that nobody pays for. They fill a quarter of a gateway's places at most, and one
 * account as many of these as an honest payer asks for at once; whoever has fewer goes first. So
 * whoever wants to keep others from a base alone needs many accounts, each with deposits.
 */
export class FreeTurns {
  readonly #queue = new PQueue({ concurrency: FREE_ANSWERS_AT_ONCE })
  /** answers of each account that wait or are made */
  readonly #held = new Map<string, number>()

  /** @throws {BusyError} */
  async run<T> (account: string, work: () => Promise<T>): Promise<T> {
    const held = this.#held.get(account) ?? 0

    if (held >= FREE_ANSWERS_PER_ACCOUNT_MAX || this.#queue.size >= FREE_QUEUE_MAX) {
      throw new BusyError(Math.max(held, this.#queue.size))
    }

    this.#held.set(account, held + 1)

    try {
      return await this.#queue.add(work, { priority: -held })
    } finally {
      this.#release(account)
    }
  }

  #release (account: string): void {
    const held = (this.#held.get(account) ?? 0) - 1

    if (held > 0) {
      this.#held.set(account, held)
    } else {
      this.#held.delete(account)
    }
  }
}
