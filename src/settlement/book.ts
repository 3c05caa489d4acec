import { decodeState, encodeState, genesisState, historyGrowth, historyNodes, readChain } from '../ledger/index.ts'
import { bodyRoot, equalBytes, headerHash, toHex } from '../wire/index.ts'
import { CANDIDATES_MAX, PRUNED_AT_ONCE_MAX } from './constants.ts'
import { eraAfter } from './eras.ts'
import { CorruptStoreError, InvalidBlockError, UnknownBlockError } from './errors.ts'
import { build, execute } from './execution.ts'
import { genesisHeader } from './genesis.ts'
import type { Draft, Executed, Point } from './execution.ts'
import type { HistoryEntry } from './history.ts'
import type { Base } from './snapshots.ts'
import type { ChainStore } from './store.ts'
import type { Block, Certificate, FinalisedBlock, Genesis, Hash, Header } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { CID } from 'multiformats/cid'

export interface BookInit {
  genesis: Genesis
  snapshotBlocks: number
  statesKept: number
  /** epochs whose blocks are kept; all if undefined */
  keepEpochs?: number
}

/** The newest final block. */
export interface FinalBlock extends Point {
  /** finalizes this very block; null for genesis and for blocks that are final through a descendant */
  certificate: Certificate | null
}

/**
 * The blocks of a chain and the states after them: final ones on disk, candidates and recent
 * states in memory. Executes, checks and builds; knows no network.
 */
export interface Book {
  load (): Promise<void>
  readonly final: FinalBlock
  /** the newest final block with a finalize certificate of its own; genesis has none */
  readonly newestCertified: FinalBlock
  readonly genesisHash: Hash
  readonly genesisHeader: Header
  /**
   * Keeps a block that is not final under its hash.
   *
   * @throws {InvalidBlockError} if its transactions are not those of its header
   */
  hold (block: Block): { hash: Hash, known: boolean }
  drop (hash: Hash): void
  /** a block that is held */
  held (hash: Hash): Block | undefined
  heldBlocks (): Array<{ hash: Hash, block: Block }>
  /**
   * Executes a held block whose parent is final or was verified.
   *
   * @throws {InvalidBlockError | UnknownBlockError}
   */
  verify (hash: Hash): void
  /** Builds, executes and holds a block. `unincludable` are transactions that no block may hold, without those that only follow one of them. */
  build (draft: Draft): { block: Block, hash: Hash, unincludable: CID[] }
  /**
   * Makes a held block final and durable, with its own notarization if it is final through a descendant. Undefined if it was final already.
   *
   * @throws {InvalidBlockError}
   */
  finalise (hash: Hash, certificate: Certificate, notarization?: Certificate | null): Promise<FinalisedBlock | undefined>
  /**
   * Goes on from a block far above the newest final one, with its verified state; blocks between are never here.
   *
   * @returns false if we are there already
   */
  adopt (base: Base): Promise<boolean>
  /** After each final block, once it is announced: forgets old votes, and writes a snapshot if one is due. */
  tidy (): Promise<void>
  /** state after a final block, if it is kept */
  stateAt (height: number): LedgerState | undefined
  keptFrom (): number
}

/** What a final block adds to the history, which its successor's state commits to. */
function historyOf ({ hash, header, state }: Point): HistoryEntry {
  const { blocks, epochs, ended } = historyGrowth(state, hash)

  return { blocks, epochs, end: ended === null ? undefined : { epoch: ended, header } }
}

const finality = (own: Certificate | null): Certificate | null => own?.kind === 'finalize' ? own : null

/** What is final, in memory: the newest block and the states of recent ones. */
function finalPart (init: BookInit): { point: FinalBlock, certified: FinalBlock, recent: Map<number, LedgerState>, set (point: FinalBlock): void } {
  const state = genesisState(init.genesis)
  const header = genesisHeader(init.genesis, state.map.root)
  const part = {
    point: { hash: headerHash(header), header, state, certificate: null as Certificate | null },
    certified: { hash: headerHash(header), header, state, certificate: null as Certificate | null },
    recent: new Map([[0, state]]),
    set: (point: FinalBlock): void => {
      part.point = point
      part.certified = point.certificate === null ? part.certified : point
      part.recent.set(point.header.height, point.state)
      for (const height of part.recent.keys()) {
        if (height <= point.header.height - init.statesKept) {
          part.recent.delete(height)
        }
      }
    }
  }
  return part
}

export function book (init: BookInit, store: ChainStore): Book {
  const { genesis } = init
  const final = finalPart(init)
  const { hash: genesisHash, header: firstHeader } = final.point
  const held = new Map<string, Block>()
  const executed = new Map<string, Executed>()

  const pointOf = (hash: Hash): Point => {
    const point = equalBytes(hash, final.point.hash) ? final.point : executed.get(toHex(hash))

    if (point === undefined) {
      throw new UnknownBlockError(toHex(hash))
    }
    return point
  }

  const verified = (hash: Hash): Executed => {
    const key = toHex(hash)
    const known = executed.get(key)
    if (known !== undefined) {
      return known
    }

    const block = held.get(key)
    if (block === undefined) {
      throw new UnknownBlockError(key)
    }
    const result = execute(block, pointOf(block.header.parent), genesis)
    executed.set(key, result)
    return result
  }

  const forgetUpTo = (height: number): void => {
    for (const [key, block] of held) {
      if (block.header.height <= height) {
        held.delete(key)
        executed.delete(key)
      }
    }
  }

  const replay = async (): Promise<void> => {
    const tip = await store.tip()
    const snapshot = await store.snapshot()

    if (snapshot !== undefined && snapshot.height <= tip) {
      const base = await store.block(snapshot.height)
      if (base === undefined) {
        throw new CorruptStoreError(`block ${snapshot.height} is missing`)
      }
      const { header } = base.block
      final.set({ hash: base.hash, header, state: decodeState(snapshot.bytes, header.stateRoot), certificate: finality(base.own) })
    }

    for (let height = final.point.header.height + 1; height <= tip; height++) {
      const stored = await store.block(height)
      if (stored === undefined) {
        throw new CorruptStoreError(`block ${height} is missing`)
      }
      const { hash, header, state } = execute(stored.block, final.point, genesis)
      final.set({ hash, header, state, certificate: finality(stored.own) })
    }
  }

  return {
    genesisHash,
    genesisHeader: firstHeader,
    get final () {
      return final.point
    },
    get newestCertified () {
      return final.certified
    },
    load: async () => {
      try {
        await replay()
      } catch (error) {
        throw error instanceof CorruptStoreError ? error : new CorruptStoreError('its blocks do not execute', error)
      }
      (await store.candidates()).filter(block => block.header.height > final.point.header.height)
        .forEach(block => { held.set(toHex(headerHash(block.header)), block) })
    },
    hold: (block) => {
      const hash = headerHash(block.header)
      const key = toHex(hash)

      if (held.has(key)) {
        return { hash, known: true }
      }
      // otherwise somebody could put other transactions under a good header
      if (!equalBytes(bodyRoot(block), block.header.bodyRoot)) {
        throw new InvalidBlockError('its content is not that of its header')
      }
      held.set(key, block)

      if (held.size > CANDIDATES_MAX) {
        // the farthest view first: what is due now stays
        const [far] = [...held].sort(([, a], [, b]) => b.header.view - a.header.view)
        held.delete(far[0])
        executed.delete(far[0])
      }
      return { hash, known: false }
    },
    drop: (hash) => { held.delete(toHex(hash)) },
    held: (hash) => held.get(toHex(hash)),
    heldBlocks: () => [...held.values()].map(block => ({ hash: headerHash(block.header), block })),
    verify: (hash) => { verified(hash) },
    build: (draft) => {
      const { unincludable, ...built } = build(pointOf(draft.parent), draft, genesis.chain)
      held.set(toHex(built.hash), built.block)
      executed.set(toHex(built.hash), built)
      return { block: built.block, hash: built.hash, unincludable }
    },
    finalise: async (hash, certificate, notarization = null) => {
      const key = toHex(hash)
      const known = held.get(key) ?? executed.get(key)?.block

      if (known === undefined && await store.heightOf(hash) !== undefined) {
        return undefined
      }

      const { block, header, state, results, events } = verified(hash)
      if (!equalBytes(header.parent, final.point.hash)) {
        throw new InvalidBlockError(`height ${header.height} was to be final after height ${final.point.header.height}`)
      }

      const own = equalBytes(certificate.blockHash, hash) ? certificate : notarization ?? await store.notarization(hash, header.view)
      const after = eraAfter(state)
      const ends = after.era !== header.era

      // the light clients' way from one set to the next
      await store.putFinal({ block, hash, certificate, results, events, own }, historyOf(final.point), ends && own !== null ? { last: { header, certificate: own }, validators: after.validators } : undefined)
      final.set({ hash, header, state, certificate: finality(own) })
      forgetUpTo(header.height)
      return { block, hash, certificate, results, events }
    },
    tidy: async () => {
      const { header, state, certificate } = final.point
      await store.forget(header.view)

      // whoever fetches a snapshot needs a certificate of its very block
      if (certificate !== null && header.height >= (await store.snapshotHeight() ?? 0) + init.snapshotBlocks) {
        await store.putSnapshot({ height: header.height, bytes: encodeState(state) })
      }
      if (init.keepEpochs !== undefined) {
        const kept = init.keepEpochs * readChain(state).params.epochBlocks
        // the older of two snapshots needs its block
        await store.prune(header.height - Math.max(kept, init.snapshotBlocks * 3), PRUNED_AT_ONCE_MAX)
      }
    },
    adopt: async ({ block, hash, certified: { header, certificate }, state, bytes, changes }) => {
      if (header.height <= final.point.header.height) {
        return false
      }
      await store.putBase({ block, hash, certificate, results: [], events: [], own: certificate }, { height: header.height, bytes }, historyNodes(state), changes)
      final.set({ hash, header, state, certificate })
      forgetUpTo(header.height)
      return true
    },
    stateAt: (height) => final.recent.get(height),
    keptFrom: () => Math.min(...final.recent.keys())
  }
}
