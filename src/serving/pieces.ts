/** Hands over what one side makes at its pace to another that takes it at its own. */
export interface Pieces<T> extends AsyncIterable<T[]> {
  add (items: T[]): void
  /** nothing comes any more */
  end (): void
}

/**
 * What came since the last look is one piece: a slow reader gets fewer and larger ones. The writer
 * bounds how much there is in all.
 */
export function pieces<T> (): Pieces<T> {
  let waiting: T[] = []
  let ended = false
  let wake = Promise.withResolvers<void>()

  const tell = (): void => {
    wake.resolve()
    wake = Promise.withResolvers<void>()
  }

  return {
    add (items) {
      waiting.push(...items)
      tell()
    },
    end () {
      ended = true
      tell()
    },
    async * [Symbol.asyncIterator] () {
      for (;;) {
        if (waiting.length > 0) {
          const taken = waiting

          waiting = []
          yield taken
        } else if (ended) {
          return
        } else {
          await wake.promise
        }
      }
    }
  }
}
