import { useCallback, useState } from 'react'

export interface Action<A extends unknown[], T> {
  run (...args: A): Promise<T | undefined>
  busy: boolean
  error: Error | undefined
  clear (): void
}

/** Something that a person asked the node for: whether it runs and how it failed. */
export function useAction<A extends unknown[], T> (work: (...args: A) => Promise<T>): Action<A, T> {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()

  const run = async (...args: A): Promise<T | undefined> => {
    setBusy(true)
    setError(undefined)

    try {
      return await work(...args)
    } catch (err) {
      setError(err instanceof Error ? err : new TypeError(String(err)))

      return undefined
    } finally {
      setBusy(false)
    }
  }

  return { run, busy, error, clear: useCallback(() => { setError(undefined) }, []) }
}
