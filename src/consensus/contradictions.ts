import { equalBytes } from '../wire/index.ts'
import type { Statement } from './votes.ts'

/**
 * Whether no honest validator signs both: two blocks by one kind of vote in a view, or a view that is
 * nullified and finalized. Notarizing one block and finalizing another is no contradiction, nor is
 * notarizing and nullifying.
 */
export const contradicts = (first: Statement, second: Statement): boolean => {
  if (first.era !== second.era || first.view !== second.view) {
    return false
  }

  const kinds: string[] = [first.kind, second.kind]

  return first.kind === second.kind
    ? !equalBytes(first.blockHash, second.blockHash)
    : kinds.includes('nullify') && kinds.includes('finalize')
}

/** The first two statements that contradict each other. */
export const contradictionAmong = <T extends Statement>(statements: readonly T[]): [T, T] | undefined => {
  for (const [i, first] of statements.entries()) {
    const second = statements.slice(i + 1).find(other => contradicts(first, other))

    if (second !== undefined) {
      return [first, second]
    }
  }
}
