import { raceSignal } from 'race-signal'
import { spansIndex } from '../attribution/index.ts'
import { readContribution } from '../ledger/index.ts'
import { byCommitment } from '../training/index.ts'
import { CITATIONS_TIMEOUT_MS, SPAN_BUILD_TIMEOUT_MS, SPAN_TAKE_TIMEOUT_MS } from './constants.ts'
import { dataset } from './dataset.ts'
import { askForSpans, serveSpans, takeLevels } from './span-exchange.ts'
import { buildLevels } from './span-levels.ts'
import { contributionsDigest, spanStore } from './span-store.ts'
import type { SpansNetwork } from './span-exchange.ts'
import type { SpanBuild } from './span-levels.ts'
import type { OpenLevel } from './span-store.ts'
import type { SpansIndex } from '../attribution/index.ts'
import type { Datanets } from '../datanets/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { LoadedBase } from '../models/index.ts'
import type { Chain } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Level } from 'level'
import type { CID } from 'multiformats/cid'

export interface SpanIndexesComponents {
  db: Level
  storage: Pick<Storage, 'putFile' | 'getFile' | 'has' | 'pin' | 'unpin'>
  datanets: Pick<Datanets, 'record' | 'manifest' | 'rows'>
  chain: Pick<Chain, 'state' | 'id'>
  network: SpansNetwork
}

/** The index over the data of a snapshot. */
export interface SnapshotSpans {
  index: SpansIndex
  /** files of it, a few for each Datanet */
  files: CID[]
}

/** Indexes of snapshots, merged for each Datanet, kept as files by CID. See protocols/spans. */
export interface SpanIndexes {
  /**
   * Takes what is on disk, asks peers for an index of a Datanet that was never indexed here, and
   * builds the rest.
   *
   * @throws {TimeoutError} when an answer should not wait any longer; the work goes on
   */
  of (base: Pick<LoadedBase, 'record' | 'tokenizer'>, contributions: readonly CID[], options?: AbortOptions): Promise<SnapshotSpans>
  /** Answers peers; once. */
  serve (): void
}

/**
 * @param components - of a node
 * @param components.db - where files are found again
 * @param components.storage - where they are
 * @param components.datanets - rows
 * @param components.chain - in whose order contributions are indexed
 * @param components.network - peers that may have an index already
 * @param init - limits
 * @param init.takeTimeoutMs - default: SPAN_TAKE_TIMEOUT_MS
 */
export function spanIndexes ({ db, storage, datanets, chain, network }: SpanIndexesComponents, { takeTimeoutMs = SPAN_TAKE_TIMEOUT_MS }: { takeTimeoutMs?: number } = {}): SpanIndexes {
  const store = spanStore({ db, storage })
  const texts = dataset(datanets)
  const building = new Map<string, Promise<OpenLevel[]>>()

  async function find (build: SpanBuild, contributions: readonly CID[]): Promise<OpenLevel[] | undefined> {
    const { tokenizer } = build.base.record
    const sizes = await Promise.all(contributions.map(async contribution => store.sizes(tokenizer, contribution)))

    // a contribution more is indexed sooner than all others are checked
    if (sizes.some(known => known != null)) {
      return undefined
    }

    const taking = { ...build, storage, signal: AbortSignal.any([build.signal, AbortSignal.timeout(takeTimeoutMs)]) }
    const files = await askForSpans(network, chain.id, tokenizer, contributions, taking)

    return files == null ? undefined : takeLevels(taking, contributions, files)
  }

  async function load (base: SpanBuild['base'], contributions: readonly CID[]): Promise<OpenLevel[]> {
    const build: SpanBuild = { store, storage, texts, base, signal: AbortSignal.timeout(SPAN_BUILD_TIMEOUT_MS) }
    const digest = contributionsDigest(contributions)
    const known = await store.openAll(base.record.tokenizer, digest, build)

    if (known != null) {
      return known
    }

    // what a peer has is taken only if it is true, and missed by nobody
    const levels = await find(build, contributions).catch(() => undefined) ?? await buildLevels(build, contributions)

    await store.setFiles(base.record.tokenizer, digest, levels.map(({ file }) => file))

    return levels
  }

  /** Of contributions of one Datanet; the same work for all who wait for it. */
  async function levelsOf (base: SpanBuild['base'], contributions: readonly CID[], signal: AbortSignal): Promise<OpenLevel[]> {
    const key = `${base.record.tokenizer.toString()}/${contributionsDigest(contributions).toString()}`
    const work = building.get(key) ?? load(base, contributions).finally(() => { building.delete(key) })

    building.set(key, work)

    // the work goes on when all who wait have left
    work.catch(() => {})

    return raceSignal(work, signal)
  }

  return {
    async of (base, contributions, { signal } = {}) {
      const patience = AbortSignal.timeout(CITATIONS_TIMEOUT_MS)
      const levels: OpenLevel[] = []

      for (const group of byDatanet(chain, contributions)) {
        levels.push(...await levelsOf(base, group, signal == null ? patience : AbortSignal.any([signal, patience])))
      }

      return { index: spansIndex(levels.map(({ part }) => part), contributions), files: levels.map(({ file }) => file) }
    },
    serve () { serveSpans(network, chain.id, store) }
  }
}

/** Contributions in the order of the ledger, so that what comes is at the end; for each Datanet. */
function byDatanet (chain: Pick<Chain, 'state'>, contributions: readonly CID[]): CID[][] {
  const state = chain.state()
  const groups = new Map<string, CID[]>()

  for (const place of byCommitment(contributions, cid => readContribution(state, cid))) {
    const contribution = contributions[place]
    const datanet = readContribution(state, contribution)?.datanet.toString() ?? ''

    groups.set(datanet, [...groups.get(datanet) ?? [], contribution])
  }

  return [...groups.values()]
}
