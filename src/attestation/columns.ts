import { TypedEventEmitter } from 'main-event'
import { isPassing } from '../datanets/index.ts'
import { listAdapters, readAdapter } from '../ledger/index.ts'
import { toError } from '../utils/index.ts'
import { ColumnExchange } from './column-exchange.ts'
import { ColumnLines } from './column-line.ts'
import { signedColumnCodec } from './column-record.ts'
import { ColumnTally, countVoices } from './column-tally.ts'
import { columnsDue, workColumns } from './column-work.ts'
import { COLUMNS_PER_ADAPTER, COLUMNS_PER_ADAPTER_MAX, COLUMN_ADAPTERS_MAX, COLUMN_ATTEMPTS_MAX, COLUMN_RETRY_BLOCKS, COLUMN_TAKEOVER_BLOCKS } from './constants.ts'
import type { ColumnStatement } from './column-record.ts'
import type { ColumnAgreement, ColumnVoice } from './column-tally.ts'
import type { ColumnWorkInit } from './column-work.ts'
import type { Columns, ColumnsComponents, ColumnsEvents, ColumnsInit } from './interface.ts'
import type { AbortOptions, Adapter, FinalisedBlock, Signed } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** An adapter that waits for columns of ours. */
interface Waiting {
  adapter: CID
  attempts: number
  /** first height at which it is tried */
  height: number
}

export class ColumnsService extends TypedEventEmitter<ColumnsEvents> implements Columns {
  private readonly components: ColumnsComponents
  private readonly tally = new ColumnTally()
  private readonly lines: ColumnLines
  private readonly exchange: ColumnExchange
  private readonly work?: ColumnWorkInit
  private readonly waiting = new Map<string, Waiting>()
  private readonly store
  private running?: AbortController
  private working?: Promise<void>

  constructor (init: ColumnsInit, components: ColumnsComponents) {
    super()
    const { chain, network, storage, db, compute, signer } = components
    this.components = components
    this.store = db.sublevel<string, Uint8Array>('columns', { valueEncoding: 'view' })
    this.lines = new ColumnLines(() => chain.state())
    this.exchange = new ColumnExchange({
      chain: chain.id,
      network,
      isDrawn: statement => this.lines.hears(statement),
      isNews: statement => this.tally.isNews(statement),
      onStatement: signed => { this.hear(signed) },
      statements: adapter => this.tally.statements(adapter)
    })
    if (compute !== undefined && signer !== undefined) {
      this.work = {
        lines: this.lines,
        state: () => chain.state(),
        storage,
        compute,
        signer,
        columnsMax: Math.min(init.columnsMax ?? COLUMNS_PER_ADAPTER, COLUMNS_PER_ADAPTER_MAX),
        statements: (adapter, column) => this.tally.statements(adapter, column),
        isAgreed: (adapter, column) => this.count(adapter, column).agreed !== null
      }
    }
  }

  async start (): Promise<void> {
    if (this.running !== undefined) {
      return
    }
    this.running = new AbortController()
    // what we said before: nobody else may have it any more
    for (const bytes of await this.store.values().all()) {
      this.tally.add(signedColumnCodec.decode(bytes))
    }
    this.components.chain.addEventListener('block', this.onBlock)
    this.components.chain.addEventListener('leap', this.onLeap)
    this.onLeap()
  }

  async stop (): Promise<void> {
    this.running?.abort()
    this.running = undefined
    this.components.chain.removeEventListener('block', this.onBlock)
    this.components.chain.removeEventListener('leap', this.onLeap)
    await this.working
    this.waiting.clear()
  }

  agreement (adapter: CID, record?: Pick<Adapter, 'developer' | 'influence'>): ColumnAgreement[] {
    const contributions = readAdapter(this.components.chain.state(), adapter)?.contributions ?? []

    return contributions.map((_, column) => this.count(adapter, column, record))
  }

  proof (adapter: CID, column: number): Array<Signed<ColumnStatement>> {
    return this.tally.statements(adapter, column)
  }

  async refresh (adapter: CID, options?: AbortOptions): Promise<void> {
    await this.exchange.ask(adapter, options)
  }

  private count (adapter: CID, column: number, record?: Pick<Adapter, 'developer' | 'influence'>): ColumnAgreement {
    const heard = this.tally.statements(adapter, column).map(({ payload: { computer, file } }): ColumnVoice => ({ account: computer, file }))
    const published = record?.influence.form === 'forward' ? record.influence.columns[column] : undefined

    return countVoices(column, published === undefined || record === undefined ? heard : [{ account: record.developer, file: published }, ...heard])
  }

  private readonly onBlock = ({ detail }: CustomEvent<FinalisedBlock>): void => {
    for (const event of detail.events) {
      if (event.type === 'adapter' && event.status === 'admitted') {
        this.await(event.adapter)
      }
    }
    this.next()
  }

  /** All that is admitted, the newest first: at the start, and after blocks that were never here. */
  private readonly onLeap = (): void => {
    const admitted = [...listAdapters(this.components.chain.state())].filter(({ state }) => state.status === 'admitted')
    admitted.sort((a, b) => b.state.height - a.state.height).forEach(({ adapter }) => { this.await(adapter) })
    this.next()
  }

  private await (adapter: CID): void {
    const key = adapter.toString()

    if (this.work !== undefined && this.work.columnsMax > 0 && this.waiting.size < COLUMN_ADAPTERS_MAX && !this.waiting.has(key)) {
      this.waiting.set(key, { adapter, attempts: 0, height: 0 })
    }
  }

  /** One adapter after the other; called with each block, so that nothing needs a clock. */
  private next (): void {
    const { work, running } = this
    if (work === undefined || running === undefined || this.working !== undefined) {
      return
    }
    const due = this.due(work)

    if (due !== undefined) {
      this.working = this.attempt(work, due.waiting, due.columns, running.signal).finally(() => {
        this.working = undefined
        this.next()
      })
    }
  }

  private due (work: ColumnWorkInit): { waiting: Waiting, columns: number[] } | undefined {
    const { height } = this.components.chain.state()

    for (const [key, waiting] of this.waiting) {
      const columns = waiting.height > height ? [] : columnsDue(work, waiting.adapter)

      if (columns.length > 0) {
        return { waiting, columns }
      }
      // all is said, or others have the first turn: our place in the line is looked at again when it may have moved
      if (waiting.height <= height && this.lines.isOver(waiting.adapter)) {
        this.waiting.delete(key)
      } else if (waiting.height <= height) {
        waiting.height = height + COLUMN_TAKEOVER_BLOCKS
      }
    }
  }

  private async attempt (work: ColumnWorkInit, one: Waiting, columns: number[], signal: AbortSignal): Promise<void> {
    try {
      const statements = await workColumns(work, one.adapter, columns, signal)

      for (const signed of statements) {
        await this.say(signed)
      }

      if (statements.length === 0) {
        this.waiting.delete(one.adapter.toString())
      }
    } catch (err) {
      if (signal.aborted) {
        return
      }

      const { height } = this.components.chain.state()
      const error = toError(err)

      // other work came first, which is no failure of this one
      if ('code' in error && error.code === 'ERR_PREEMPTED') {
        one.height = height + COLUMN_RETRY_BLOCKS
        return
      }
      one.height = height + COLUMN_RETRY_BLOCKS * 2 ** one.attempts++
      // what can be fetched and is wrong stays wrong
      if (one.attempts >= COLUMN_ATTEMPTS_MAX || !isPassing(err)) {
        this.waiting.delete(one.adapter.toString())
      }
      this.safeDispatchEvent('failed', { detail: { adapter: one.adapter, error } })
    }
  }

  /** On disk before anybody hears it, so that we say the same after a crash. */
  private async say (signed: Signed<ColumnStatement>): Promise<void> {
    const { adapter, column } = signed.payload

    await this.store.put(`${adapter.toString()}/${column}`, signedColumnCodec.encode(signed))
    this.hear(signed)
    await this.exchange.publish(signed)
  }

  private hear (signed: Signed<ColumnStatement>): void {
    if (this.tally.add(signed)) {
      this.safeDispatchEvent('statement', { detail: signed.payload })
    }
  }
}
