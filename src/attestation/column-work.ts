import { readAdapter } from '../ledger/index.ts'
import { equalBytes } from '../wire/index.ts'
import { readAdapterRecords } from './adapter-checks.ts'
import { signColumn } from './column-record.ts'
import { COLUMN_TIMEOUT_MS } from './constants.ts'
import type { ColumnLines } from './column-line.ts'
import type { ColumnStatement } from './column-record.ts'
import type { ColumnComputer } from './interface.ts'
import type { Signer } from '../identity/index.ts'
import type { Account, Adapter, Signed } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

/** What computes columns needs to know and to reach. */
export interface ColumnWorkInit {
  lines: ColumnLines
  state (): LedgerState
  storage: Pick<Storage, 'get' | 'pin'>
  compute: ColumnComputer
  signer: Signer
  /** columns of one adapter that this node computes at most */
  columnsMax: number
  /** statements on a column so far, our own among them */
  statements (adapter: CID, column: number): Array<Signed<ColumnStatement>>
  isAgreed (adapter: CID, column: number): boolean
}

/** The columns of an adapter that it is this node's turn to compute and has not spoken of, the surest turns first. */
export function columnsDue ({ lines, state, signer, columnsMax, statements, isAgreed }: Omit<ColumnWorkInit, 'compute' | 'storage'>, adapter: CID): number[] {
  const known = readAdapter(state(), adapter)

  // a merge has no run of its own: its parents have the columns
  if (known?.status !== 'admitted' || known.parents !== undefined) {
    return []
  }

  const turns = known.contributions
    .map((_, column) => ({ column, turn: lines.turn(adapter, column, signer.account, isAgreed(adapter, column)), spoken: hasSpoken(statements(adapter, column), signer.account) }))
  const spoken = turns.filter(one => one.spoken).length

  return turns
    .filter(one => one.turn >= 0 && !one.spoken)
    .sort((a, b) => a.turn - b.turn || a.column - b.column)
    .slice(0, Math.max(0, columnsMax - spoken))
    .map(({ column }) => column)
}

/** Computes columns of one adapter, keeps them and says so. */
export async function workColumns (init: ColumnWorkInit, adapter: CID, columns: number[], signal: AbortSignal): Promise<Array<Signed<ColumnStatement>>> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(COLUMN_TIMEOUT_MS)])
  const record = await recordOf(init, adapter, bounded)

  if (record === undefined) {
    return []
  }

  const files = await init.compute.columns(record.adapter, columns, { signal: bounded })

  for (const file of files) {
    await init.storage.pin(file, { signal: bounded })
  }

  return files.map((file, i) => signColumn({ adapter, column: columns[i], file, engine: record.engine }, init.signer))
}

async function recordOf ({ storage, state }: ColumnWorkInit, adapter: CID, signal: AbortSignal): Promise<{ adapter: Adapter, engine: string } | undefined> {
  const known = readAdapter(state(), adapter)

  if (known === undefined) {
    return undefined
  }

  const records = await readAdapterRecords(storage, adapter, known, { signal })

  return { adapter: records.adapter, engine: records.recipe.engine }
}

const hasSpoken = (statements: Array<Signed<ColumnStatement>>, account: Account): boolean => statements.some(({ payload }) => equalBytes(payload.computer, account))
