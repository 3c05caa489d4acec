import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { blockCodec, certificateCodec, eraChangeCodec, headerCodec, signedTransactionCodec, toHex, transactionId } from '../wire/index.ts'
import { EVIDENCE_MAX } from './constants.ts'
import { CorruptStoreError } from './errors.ts'
import { decodeEvidence, encodeEvidence, evidenceKey } from './evidence.ts'
import { endKey, historyEntries, nodeKey } from './history.ts'
import { decodeOutcome, encodeOutcome } from './outcome.ts'
import { candidateKey, pad, voteStore } from './vote-store.ts'
import type { HistoryEntry, HistoryTree } from './history.ts'
import type { VoteStore } from './vote-store.ts'
import type { Evidence } from '../consensus/index.ts'
import type { Block, Certificate, EraChange, FinalisedBlock, Hash, Header, Signed, Transaction, TransactionResult } from '../interface/index.ts'
import type { RangeNode } from '../ledger/index.ts'
import type { Level } from 'level'

/**
 * A final block as it is stored. `own` is a certificate over this very block: a finalize
 * certificate (then it is also `certificate`), the notarization of a block that is final through
 * a descendant, or null if only the descendant's is known.
 */
export interface StoredBlock extends FinalisedBlock {
  own: Certificate | null
}

export interface Snapshot {
  height: number
  bytes: Uint8Array
}

/** What became of an own transaction in a block that is not here. */
export interface PassedTransaction extends TransactionResult {
  height: number
}

/** All that a chain keeps on disk. Each method is atomic; those that acknowledge something wait for the disk. */
export interface ChainStore extends VoteStore {
  tip (): Promise<number>
  block (height: number): Promise<StoredBlock | undefined>
  heightOf (hash: Hash): Promise<number | undefined>
  /** the newest height at or below `height` that has its own finalize certificate */
  certifiedAtOrBelow (height: number): Promise<number | undefined>
  /** where a transaction was executed */
  executedAt (id: CID): Promise<number | undefined>
  /** The block, its certificate and outcome, what becomes history, its transactions out of the journal, its candidate gone: all or nothing. */
  putFinal (block: StoredBlock, history: HistoryEntry, change?: EraChange): Promise<void>
  /** An own transaction in a block that is not here, out of the journal; durable when it returns. */
  putPassed (result: PassedTransaction): Promise<void>
  passed (id: CID): Promise<PassedTransaction | undefined>
  /** how the validator set of an era came about; never forgotten */
  eraChange (era: number): Promise<EraChange | undefined>
  putSnapshot (snapshot: Snapshot): Promise<void>
  /** height of the newest snapshot */
  snapshotHeight (): Promise<number | undefined>
  /** Begins anew at a block that was fetched with its state: blocks between are not here. All or nothing, durable. */
  putBase (block: StoredBlock, snapshot: Snapshot, history: HistoryEntry, changes: EraChange[]): Promise<void>
  /** a node of a tree of the history; never forgotten */
  historyNode (tree: HistoryTree, node: RangeNode): Promise<Hash | undefined>
  putHistory (entry: HistoryEntry): Promise<void>
  /** the last header of an epoch; never forgotten */
  epochEnd (epoch: number): Promise<Header | undefined>
  /** the last epoch before `below` whose last header is not here: each leap passes some over */
  missingEnd (below: number): Promise<number | undefined>
  /** the lowest height whose block is here; 0 without any */
  oldest (): Promise<number>
  /** whether all blocks from the first one on are here; reads every key */
  isComplete (): Promise<boolean>
  /**
   * Deletes the oldest blocks below a height, at most `limit`, with what points at them.
   *
   * @returns how many
   */
  prune (below: number, limit: number): Promise<number>
  /** the newest snapshot */
  snapshot (): Promise<Snapshot | undefined>
  candidates (): Promise<Block[]>
  /** proofs against validators, oldest first */
  evidence (): Promise<Evidence[]>
  /** Keeps a proof, of all at most `EVIDENCE_MAX`; durable when it returns. */
  putEvidence (evidence: Evidence): Promise<void>
  journal (signed: Signed<Transaction>): Promise<void>
  unjournal (id: CID): Promise<void>
  journaled (): Promise<Array<Signed<Transaction>>>
}

function encodeStored (stored: StoredBlock): Uint8Array {
  return dagCbor.encode([
    blockCodec.encode(stored.block), stored.hash, certificateCodec.encode(stored.certificate), stored.own === null ? null : certificateCodec.encode(stored.own),
    encodeOutcome({ results: stored.results, events: stored.events })
  ])
}

function decodeStored (bytes: Uint8Array): StoredBlock {
  const [block, hash, certificate, own, outcome]: unknown[] = dagCbor.decode(bytes)

  if (!(block instanceof Uint8Array && hash instanceof Uint8Array && certificate instanceof Uint8Array && outcome instanceof Uint8Array)) {
    throw new CorruptStoreError('a block')
  }

  return {
    block: blockCodec.decode(block),
    hash,
    certificate: certificateCodec.decode(certificate),
    own: own instanceof Uint8Array ? certificateCodec.decode(own) : null,
    ...decodeOutcome(outcome)
  }
}

async function collect<T> (values: AsyncIterable<Uint8Array>, decode: (bytes: Uint8Array) => T): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) {
    all.push(decode(value))
  }
  return all
}

/** Waiting for the disk costs the same for one as for many: all that come during one write share the next. */
function groupCommit<T> (write: (group: T[]) => Promise<void>): (item: T) => Promise<void> {
  let next: { items: T[], done: Promise<void> } | undefined
  let tail: Promise<void> = Promise.resolve()

  return async (item) => {
    if (next === undefined) {
      const group: T[] = []
      const done = tail.then(async () => {
        next = undefined
        return write(group)
      })
      next = { items: group, done }
      tail = done.catch(() => {})
    }
    next.items.push(item)
    return next.done
  }
}

/** @param db - open; the store uses the sublevels under `chain` */
export function chainStore (db: Level): ChainStore {
  const root = db.sublevel<string, Uint8Array>('chain', { valueEncoding: 'view' })
  const table = (name: string): ReturnType<typeof root.sublevel<string, Uint8Array>> => root.sublevel<string, Uint8Array>(name, { valueEncoding: 'view' })
  const blocks = table('blocks')
  const heights = table('heights')
  const certified = table('certified')
  const eras = table('eras')
  const history = table('history')
  const passed = table('passed')
  const executed = table('executed')
  const snapshots = table('snapshots')
  const candidates = table('candidates')
  const journal = table('journal')
  const proofs = table('evidence')

  const number = (bytes: Uint8Array | undefined): number | undefined => bytes === undefined ? undefined : Number(new TextDecoder().decode(bytes))
  const numeral = (value: number): Uint8Array => new TextEncoder().encode(value.toString())

  return {
    ...voteStore(root, candidates),
    tip: async () => {
      const [key] = await blocks.keys({ reverse: true, limit: 1 }).all()
      return key === undefined ? 0 : Number(key)
    },
    block: async (height) => {
      const bytes = await blocks.get(pad(height))
      return bytes === undefined ? undefined : decodeStored(bytes)
    },
    heightOf: async (hash) => number(await heights.get(toHex(hash))),
    certifiedAtOrBelow: async (height) => {
      const [key] = await certified.keys({ reverse: true, limit: 1, lte: pad(height) }).all()
      return key === undefined ? undefined : Number(key)
    },
    executedAt: async (id) => number(await executed.get(id.toString())),
    putPassed: async ({ height, ...result }) => {
      const id = result.id.toString()
      await root.batch()
        .put(id, dagCbor.encode([height, encodeOutcome({ results: [result], events: [] })]), { sublevel: passed })
        .del(id, { sublevel: journal })
        .write({ sync: true })
    },
    passed: async (id) => {
      const bytes = await passed.get(id.toString())

      if (bytes === undefined) {
        return undefined
      }

      const [height, outcome]: [number, Uint8Array] = dagCbor.decode(bytes)
      return { ...decodeOutcome(outcome).results[0], height }
    },
    eraChange: async (era) => {
      const bytes = await eras.get(pad(era))
      return bytes === undefined ? undefined : eraChangeCodec.decode(bytes)
    },
    putHistory: async (entry) => { await history.batch(historyEntries(entry).map(([key, value]) => ({ type: 'put', key, value }))) },
    historyNode: async (tree, node) => history.get(nodeKey(tree, node)),
    epochEnd: async (epoch) => {
      const bytes = await history.get(endKey(epoch))
      return bytes === undefined ? undefined : headerCodec.decode(bytes)
    },
    missingEnd: async (below) => {
      let epoch = below - 1
      for await (const key of history.keys({ gte: endKey(0), lt: endKey(below), reverse: true })) {
        if (key !== endKey(epoch)) {
          break
        }
        epoch--
      }
      return epoch < 0 ? undefined : epoch
    },
    oldest: async () => {
      const [key] = await blocks.keys({ limit: 1 }).all()
      return key === undefined ? 0 : Number(key)
    },
    isComplete: async () => {
      let height = 1
      for await (const key of blocks.keys()) {
        if (key !== pad(height++)) {
          return false
        }
      }
      return true
    },
    putFinal: async (stored, entry, change) => {
      const { height } = stored.block.header
      const ids = stored.block.transactions.map(transaction => transactionId(transaction).toString())
      const batch = root.batch()
        .put(pad(height), encodeStored(stored), { sublevel: blocks })
        .put(toHex(stored.hash), numeral(height), { sublevel: heights })
        .del(candidateKey(stored.block, stored.hash), { sublevel: candidates })

      if (stored.own?.kind === 'finalize') {
        batch.put(pad(height), numeral(height), { sublevel: certified })
      }
      if (change !== undefined) {
        batch.put(pad(change.last.header.era + 1), eraChangeCodec.encode(change), { sublevel: eras })
      }
      historyEntries(entry).forEach(([key, value]) => batch.put(key, value, { sublevel: history }))
      ids.forEach(id => {
        batch.put(id, numeral(height), { sublevel: executed }).del(id, { sublevel: journal })
      })
      await batch.write()
    },
    putSnapshot: async ({ height, bytes }) => {
      await snapshots.put(pad(height), bytes)
      // the one before stays, should this one turn out to be damaged
      const old = (await snapshots.keys().all()).slice(0, -2)
      await snapshots.batch(old.map(key => ({ type: 'del', key })))
    },
    snapshot: async () => {
      const [newest] = await snapshots.iterator({ reverse: true, limit: 1 }).all()
      return newest === undefined ? undefined : { height: Number(newest[0]), bytes: newest[1] }
    },
    snapshotHeight: async () => {
      const [key] = await snapshots.keys({ reverse: true, limit: 1 }).all()
      return key === undefined ? undefined : Number(key)
    },
    putBase: async (stored, snapshot, entry, changes) => {
      const { height } = stored.block.header
      const batch = root.batch()
        .put(pad(height), encodeStored(stored), { sublevel: blocks })
        .put(toHex(stored.hash), numeral(height), { sublevel: heights })
        .put(pad(height), numeral(height), { sublevel: certified })
        .put(pad(snapshot.height), snapshot.bytes, { sublevel: snapshots })

      historyEntries(entry).forEach(([key, value]) => batch.put(key, value, { sublevel: history }))
      changes.forEach(change => batch.put(pad(change.last.header.era + 1), eraChangeCodec.encode(change), { sublevel: eras }))
      await batch.write({ sync: true })
    },
    prune: async (below, limit) => {
      const old = await blocks.iterator({ lt: pad(below), limit }).all()
      const batch = root.batch()

      for (const [key, bytes] of old) {
        const { block, hash } = decodeStored(bytes)
        batch.del(key, { sublevel: blocks }).del(toHex(hash), { sublevel: heights }).del(key, { sublevel: certified })
        block.transactions.forEach(transaction => batch.del(transactionId(transaction).toString(), { sublevel: executed }))
      }
      await batch.write()
      return old.length
    },
    candidates: async () => collect(candidates.values(), blockCodec.decode),
    evidence: async () => {
      const all = await collect(proofs.values(), decodeEvidence)
      return all.sort((a, b) => a.first.era - b.first.era || a.first.view - b.first.view)
    },
    putEvidence: async evidence => {
      await root.batch().put(evidenceKey(evidence), encodeEvidence(evidence), { sublevel: proofs }).write({ sync: true })
      const old = (await proofs.keys().all()).slice(0, -EVIDENCE_MAX)
      await proofs.batch(old.map(key => ({ type: 'del', key })))
    },
    journal: groupCommit(async (group) => {
      const batch = root.batch()
      group.forEach(signed => batch.put(transactionId(signed).toString(), signedTransactionCodec.encode(signed), { sublevel: journal }))
      await batch.write({ sync: true })
    }),
    unjournal: async (id) => { await journal.del(id.toString()) },
    journaled: async () => collect(journal.values(), signedTransactionCodec.decode)
  }
}
