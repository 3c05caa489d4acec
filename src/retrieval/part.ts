import { termsOf } from './terms.ts'

/** The index of one contribution's texts. Never changes: neither does a contribution. */
export interface IndexPart {
  readonly texts: readonly string[]
  /** terms of each text */
  readonly lengths: readonly number[]
  /** of each term, row and count by turns, rows ascending */
  readonly postings: ReadonlyMap<string, readonly number[]>
  /** about as many as it takes in memory */
  readonly bytes: number
}

export interface PartBuilder {
  add (text: string): void
  end (): IndexPart
}

/** Indexes texts one by one. */
export function indexPart (): PartBuilder {
  const texts: string[] = []
  const lengths: number[] = []
  const postings = new Map<string, number[]>()
  let bytes = 0

  return {
    add (text) {
      const terms = termsOf(text)
      const counts = new Map<string, number>()

      for (const term of terms) {
        counts.set(term, (counts.get(term) ?? 0) + 1)
      }

      for (const [term, count] of counts) {
        const list = postings.get(term) ?? []

        // an entry of a map beside its key and its list
        bytes += list.length === 0 ? 100 + 2 * term.length : 0
        list.push(texts.length, count)
        postings.set(term, list)
      }

      bytes += 2 * text.length + 16 + 16 * counts.size
      lengths.push(terms.length)
      texts.push(text)
    },
    end: () => ({ texts, lengths, postings, bytes })
  }
}
