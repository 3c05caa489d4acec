import { DatanetError } from '../utils/index.ts'
import { columnsPartCodec, columnsRequestCodec, signedColumnCodec, verifyColumn } from './column-record.ts'
import { COLUMNS_PROTOCOL, COLUMNS_TIMEOUT_MS, COLUMN_MESSAGES_MAX, COLUMN_PEERS_ASKED, COLUMN_STATEMENTS_PER_MESSAGE, COLUMN_STATEMENT_BYTES_MAX } from './constants.ts'
import { ColumnKnownError, ColumnNotDrawnError } from './errors.ts'
import type { ColumnStatement } from './column-record.ts'
import type { Network, Topic } from '../gossip/index.ts'
import type { AbortOptions, Signed } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What of gossip is needed for columns. */
export type ColumnsNetwork = Pick<Network, 'topic' | 'handle' | 'requestMany' | 'peers'>

export interface ColumnExchangeInit {
  chain: string
  network: ColumnsNetwork
  /** whether the ledger says that the author may speak of this column */
  isDrawn (statement: ColumnStatement): boolean
  /** whether `onStatement` has a use for it; asked before its signature is verified */
  isNews (statement: ColumnStatement): boolean
  /** takes a statement that was found right */
  onStatement (signed: Signed<ColumnStatement>): void
  /** what we know of an adapter */
  statements (adapter: CID): Array<Signed<ColumnStatement>>
}

/** Statements between nodes: told to all when they are made, given to whoever asks later. */
export class ColumnExchange {
  private readonly init: ColumnExchangeInit
  private readonly topic: Topic<Signed<ColumnStatement>>

  constructor (init: ColumnExchangeInit) {
    this.init = init
    this.topic = init.network.topic({
      name: `/datanet/${init.chain}/columns/1`,
      codec: signedColumnCodec,
      bytesMax: COLUMN_STATEMENT_BYTES_MAX,
      validate: signed => {
        // a node that is behind the ledger cannot tell, so its sender is not to blame
        if (!init.isDrawn(signed.payload)) {
          return { verdict: 'ignore', reason: new ColumnNotDrawnError(signed.payload.adapter, signed.payload.column) }
        }
        // whoever has it could have everybody verify it and pass it on, again and again
        if (!init.isNews(signed.payload)) {
          return { verdict: 'ignore', reason: new ColumnKnownError(signed.payload.adapter, signed.payload.column) }
        }

        verifyColumn(signed)

        return 'accept'
      }
    })
    this.topic.subscribe(signed => { init.onStatement(signed) })
    init.network.handle(COLUMNS_PROTOCOL, {
      requestBytesMax: columnsRequestCodec.bytesMax,
      responseBytesMax: columnsPartCodec.bytesMax,
      timeoutMs: COLUMNS_TIMEOUT_MS
    }, request => this.answer(request))
  }

  async publish (signed: Signed<ColumnStatement>): Promise<void> {
    await this.topic.publish(signed)
  }

  /** Asks a few peers what they heard of an adapter. Whoever does not answer has nothing to say. */
  async ask (adapter: CID, { signal }: AbortOptions = {}): Promise<void> {
    const { network } = this.init

    await Promise.all(network.peers().slice(0, COLUMN_PEERS_ASKED).map(async ({ peer }) => {
      try {
        const parts = network.requestMany(peer, COLUMNS_PROTOCOL, columnsRequestCodec.encode({ type: 'columns-request', adapter }), {
          signal, timeoutMs: COLUMNS_TIMEOUT_MS, responsesMax: COLUMN_MESSAGES_MAX, responseBytesMax: columnsPartCodec.bytesMax
        })

        for await (const part of parts) {
          columnsPartCodec.decode(part).statements.forEach(signed => { this.take(adapter, signed) })
        }
      } catch (err) {
        signal?.throwIfAborted()
        // a peer of another version, a slow one, a liar: the others may know
        if (!(err instanceof DatanetError)) {
          throw err
        }
      }
    }))
  }

  private take (adapter: CID, signed: Signed<ColumnStatement>): void {
    // peers tell each other mostly what both know
    if (signed.payload.adapter.equals(adapter) && this.init.isNews(signed.payload) && this.init.isDrawn(signed.payload)) {
      verifyColumn(signed)
      this.init.onStatement(signed)
    }
  }

  private async * answer (request: Uint8Array): AsyncGenerator<Uint8Array> {
    const statements = this.init.statements(columnsRequestCodec.decode(request).adapter)
    const messages = Math.min(COLUMN_MESSAGES_MAX, Math.ceil(statements.length / COLUMN_STATEMENTS_PER_MESSAGE))

    for (let i = 0; i < messages; i++) {
      yield columnsPartCodec.encode({ type: 'columns-part', statements: statements.slice(i * COLUMN_STATEMENTS_PER_MESSAGE, (i + 1) * COLUMN_STATEMENTS_PER_MESSAGE) })
    }
  }
}
