import { compareBytes, equalBytes } from '../wire/index.ts'
import { COLUMN_QUORUM, COLUMN_STATEMENTS_MAX, COLUMN_VOICES_MAX } from './constants.ts'
import type { ColumnStatement } from './column-record.ts'
import type { Account, Signed } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What is said of one column: each file with who named it. */
export interface ColumnAgreement {
  column: number
  /** what most named, if at least COLUMN_QUORUM did and no other file has as many voices; else null */
  agreed: CID | null
  /** every file that was named, most voices first; more than one is a disagreement that names both sides */
  files: Array<{ file: CID, voices: Account[] }>
}

/** One voice: who says which file. */
export interface ColumnVoice {
  account: Account
  file: CID
}

/**
 * Counts voices on a column. An account that named two files is heard in both and counted in
 * neither. Pure, and the same for any order of voices.
 */
export function countVoices (column: number, voices: readonly ColumnVoice[]): ColumnAgreement {
  const files = new Map<string, { file: CID, voices: Account[] }>()

  for (const { account, file } of voices) {
    const named = files.get(file.toString()) ?? { file, voices: [] }

    if (!named.voices.some(one => equalBytes(one, account))) {
      named.voices.push(account)
      named.voices.sort(compareBytes)
    }

    files.set(file.toString(), named)
  }

  const counted = (one: { voices: Account[] }): number => one.voices.filter(account =>
    [...files.values()].filter(other => other.voices.some(voice => equalBytes(voice, account))).length === 1).length
  const sorted = [...files.values()].sort((a, b) => counted(b) - counted(a) || compareBytes(a.file.bytes, b.file.bytes))
  const [first, second] = sorted.map(counted)
  const agreed = first !== undefined && first >= COLUMN_QUORUM && first > (second ?? 0) ? sorted[0].file : null

  return { column, agreed, files: sorted }
}

type Statements = Array<Signed<ColumnStatement>>

/** Statements on columns in bounded memory; those of the adapter that was longest not heard of go first. */
export class ColumnTally {
  private readonly adapters = new Map<string, Map<number, Statements>>()
  private size = 0

  /**
   * Takes a verified statement.
   *
   * @returns whether it is new; not if it repeats, or its author said two things already
   */
  add (signed: Signed<ColumnStatement>): boolean {
    const { adapter, column } = signed.payload

    if (!this.isNews(signed.payload)) {
      return false
    }

    const columns = this.of(adapter)
    const statements = columns.get(column) ?? []

    columns.set(column, [...statements, signed])
    this.size++
    this.evict(adapter)

    return true
  }

  /** Whether `add` would take such a statement: what it would not is not worth a look at its signature. */
  isNews ({ adapter, column, computer, file }: ColumnStatement): boolean {
    const statements = this.statements(adapter, column)
    const own = statements.filter(({ payload }) => equalBytes(payload.computer, computer))

    return own.length < 2 && !own.some(({ payload }) => payload.file.equals(file)) && statements.length < 2 * COLUMN_VOICES_MAX
  }

  /** All that is known of an adapter's columns, or of one. */
  statements (adapter: CID, column?: number): Statements {
    const columns = this.adapters.get(adapter.toString())

    return column === undefined ? [...columns?.values() ?? []].flat() : columns?.get(column) ?? []
  }

  private of (adapter: CID): Map<number, Statements> {
    const key = adapter.toString()
    const columns = this.adapters.get(key) ?? new Map<number, Statements>()

    // last in the map is most recently used
    this.adapters.delete(key)
    this.adapters.set(key, columns)

    return columns
  }

  private evict (keep: CID): void {
    for (const [key, columns] of this.adapters) {
      if (this.size <= COLUMN_STATEMENTS_MAX || key === keep.toString()) {
        return
      }

      this.adapters.delete(key)
      columns.forEach(statements => { this.size -= statements.length })
    }
  }
}
