import { PAGE_TOKENS } from '../numeric/index.ts'

/** Full pages of a prefix that were there already, and how to go on from them. */
export interface Prefix {
  pages: number[]
  /** the chain's end, to be given to `remember` */
  chain: string
}

/**
 * Pages of keys and values, counted by reference. A full page is remembered by what it follows from
 * (adapters and all tokens up to its end), so that later sequences with this prefix begin behind it.
 * Shared pages are full and never written again, hence nothing is ever copied on writing.
 */
export class Pages {
  readonly count: number
  readonly #references: Int32Array
  readonly #free: number[]
  /** pages by chain and tokens */
  readonly #known = new Map<string, number>()
  readonly #keys = new Map<number, string>()
  /** remembered pages that nobody holds; first is least recently used */
  readonly #idle = new Set<number>()
  /** tells a page's successive contents apart */
  readonly #serials: Float64Array
  #serial = 0

  constructor (count: number) {
    this.count = count
    this.#references = new Int32Array(count)
    this.#serials = new Float64Array(count)
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i)
  }

  /** Pages that could be taken now. */
  get available (): number {
    return this.#free.length + this.#idle.size
  }

  /** One page for the caller alone; undefined if all are held. */
  take (): number | undefined {
    const page = this.#free.pop() ?? this.#forget()
    if (page != null) {
      this.#references[page] = 1
    }
    return page
  }

  /** Ends one hold of each page. What is remembered stays until its room is needed, ends of chains first. */
  release (pages: readonly number[]): void {
    for (const page of pages.toReversed()) {
      if (--this.#references[page] === 0) {
        if (this.#keys.has(page)) {
          this.#idle.add(page)
        } else {
          this.#free.push(page)
        }
      }
    }
  }

  /** Takes hold of the remembered pages of a prefix: of at most `tokensMax` tokens. */
  reuse (root: string, tokens: ArrayLike<number>, tokensMax: number): Prefix {
    const pages: number[] = []
    let chain = root
    while ((pages.length + 1) * PAGE_TOKENS <= tokensMax) {
      const page = this.#known.get(pageKey(chain, tokens, pages.length))
      if (page == null) {
        break
      }
      this.#references[page]++
      this.#idle.delete(page)
      pages.push(page)
      chain = String(this.#serials[page])
    }
    return { pages, chain }
  }

  /** Remembers a full page by the chain before it; gives the chain behind it. */
  remember (chain: string, tokens: ArrayLike<number>, index: number, page: number): string {
    const key = pageKey(chain, tokens, index)
    const known = this.#known.get(key)
    if (known != null) {
      return String(this.#serials[known])
    }
    this.#known.set(key, page)
    this.#keys.set(page, key)
    this.#serials[page] = ++this.#serial
    return String(this.#serial)
  }

  #forget (): number | undefined {
    const [page] = this.#idle
    if (page != null) {
      this.#idle.delete(page)
      this.#known.delete(this.#keys.get(page) ?? '')
      this.#keys.delete(page)
    }
    return page
  }
}

/** Exact, not a digest: two prefixes are never confused. */
function pageKey (chain: string, tokens: ArrayLike<number>, index: number): string {
  let key = chain
  for (let i = index * PAGE_TOKENS; i < (index + 1) * PAGE_TOKENS; i++) {
    key += `,${tokens[i]}`
  }
  return key
}
