import { PAGE_TOKENS } from '../numeric/index.ts'
import { Pages } from './pages.ts'
import type { Sequence } from './sequence.ts'

/** Keys and values of all sequences, and what they share. */
export class Cache {
  readonly pages: Pages
  readonly #begin: number
  readonly #pageBytes: number
  readonly #sharePrefixes: boolean

  constructor (init: { begin: number, pageBytes: number, count: number, sharePrefixes: boolean }) {
    this.pages = new Pages(init.count)
    this.#begin = init.begin
    this.#pageBytes = init.pageBytes
    this.#sharePrefixes = init.sharePrefixes
  }

  addressOf (page: number): number {
    return this.#begin + page * this.#pageBytes
  }

  /** Begins a sequence behind what is known of it. At least its last token is left to compute. */
  begin (sequence: Sequence): void {
    // what is private to a tenant must not show in how fast another is answered
    const root = JSON.stringify([this.#sharePrefixes ? null : sequence.tenant, sequence.combination])
    const { pages, chain } = this.pages.reuse(root, sequence.tokens, sequence.tokens.length - 1)
    sequence.pages = pages
    sequence.chain = chain
    sequence.remembered = pages.length
    sequence.computed = pages.length * PAGE_TOKENS
  }

  /** Whether there is room for `length` tokens of the sequence, taking it; all or nothing is not needed. */
  grow (sequence: Sequence, length: number): boolean {
    while (sequence.pages.length * PAGE_TOKENS < length) {
      const page = this.pages.take()
      if (page == null) {
        return false
      }
      sequence.pages.push(page)
    }
    return true
  }

  /** Notes that the sequence's keys and values are there up to `computed`, and remembers full pages. */
  advance (sequence: Sequence, computed: number): void {
    sequence.computed = computed
    while ((sequence.remembered + 1) * PAGE_TOKENS <= computed) {
      const index = sequence.remembered++
      sequence.chain = this.pages.remember(sequence.chain, sequence.tokens, index, sequence.pages[index])
    }
  }

  end (sequence: Sequence): void {
    this.pages.release(sequence.pages)
    sequence.pages = []
    sequence.computed = 0
    sequence.remembered = 0
  }
}
