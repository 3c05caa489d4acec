import { listAssessors, readAdapter, readChain, readValidators } from '../ledger/index.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import { drawAccounts, drawComputers } from './column-draw.ts'
import { COLUMN_COMPUTERS, COLUMN_STAKES_BLOCKS, COLUMN_TAKEOVER_BLOCKS, COLUMN_VOICES_MAX } from './constants.ts'
import type { ColumnStatement } from './column-record.ts'
import type { Account } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { CID } from 'multiformats/cid'

/** Lines of one adapter that are remembered at once. */
const ADAPTERS_REMEMBERED = 64

/**
 * Who computes which column, by the ledger: validators and assessors with the stake of a seat. The
 * developer is left out: what it published is its word already.
 */
export class ColumnLines {
  private readonly state: () => LedgerState
  private accounts: { until: number, staked: Account[] } = { until: -1, staked: [] }
  private readonly drawn = new Map<string, { staked: Account[], accounts: Account[], lines: Map<number, Account[]> }>()

  constructor (state: () => LedgerState) {
    this.state = state
  }

  /** The line of a column, the first first; empty for what is no column of an admitted adapter. */
  line (adapter: CID, column: number): Account[] {
    const known = readAdapter(this.state(), adapter)

    if (known?.status !== 'admitted' || column >= known.contributions.length) {
      return []
    }

    const staked = this.staked()
    const key = adapter.toString()
    const before = this.drawn.get(key)
    const entry = before?.staked === staked
      ? before
      : { staked, accounts: drawAccounts(adapter, staked.filter(account => !equalBytes(account, known.developer))), lines: new Map<number, Account[]>() }
    const line = entry.lines.get(column) ?? drawComputers(adapter, column, entry.accounts).slice(0, COLUMN_VOICES_MAX)

    entry.lines.set(column, line)
    this.remember(key, entry)

    return line
  }

  /** Whether an account's word on a column is heard. */
  hears ({ adapter, column, computer }: ColumnStatement): boolean {
    return this.line(adapter, column).some(account => equalBytes(account, computer))
  }

  /**
   * Place of an account among those who compute a column now, -1 if it is none of them. Whoever
   * stands next in line comes in only while the column is not agreed, and after a while.
   */
  turn (adapter: CID, column: number, account: Account, isAgreed: boolean): number {
    const place = this.line(adapter, column).findIndex(one => equalBytes(one, account))
    const since = readAdapter(this.state(), adapter)?.height ?? 0
    const late = isAgreed ? 0 : Math.floor((this.state().height - since) / COLUMN_TAKEOVER_BLOCKS)

    return place < COLUMN_COMPUTERS + Math.min(late, COLUMN_COMPUTERS) ? place : -1
  }

  /** Whether the last that may come in are in. */
  isOver (adapter: CID): boolean {
    return this.state().height - (readAdapter(this.state(), adapter)?.height ?? 0) >= COLUMN_COMPUTERS * COLUMN_TAKEOVER_BLOCKS
  }

  /** Read again every few blocks: a scan of all who staked. */
  private staked (): Account[] {
    const state = this.state()

    if (state.height >= this.accounts.until) {
      const { params: { assessorStakeMin } } = readChain(state)
      const assessors = [...listAssessors(state)].filter(({ staked }) => staked >= assessorStakeMin)
      const all = new Map([...readValidators(state), ...assessors].map(({ account }) => [toHex(account), account]))

      this.accounts = { until: state.height + COLUMN_STAKES_BLOCKS, staked: [...all.values()] }
    }

    return this.accounts.staked
  }

  private remember (key: string, entry: { staked: Account[], accounts: Account[], lines: Map<number, Account[]> }): void {
    this.drawn.delete(key)
    this.drawn.set(key, entry)

    const [oldest] = this.drawn.keys()

    if (this.drawn.size > ADAPTERS_REMEMBERED) {
      this.drawn.delete(oldest)
    }
  }
}
