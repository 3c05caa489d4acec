import { certificateValid } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { decodeState } from '../ledger/index.ts'
import { DatanetError } from '../utils/index.ts'
import { bodyRoot, equalBytes, eraChangeCodec, headerHash, validatorsHash } from '../wire/index.ts'
import { manifestCodec, partRequestCodec, queryCodec } from './codecs.ts'
import { FETCH_TIMEOUT_MS, PART_BYTES, SNAPSHOT_OFFERS_MAX, SNAPSHOT_OFFER_MS, SYNC_TIMEOUT_MS } from './constants.ts'
import { InvalidSyncError, UnknownHeightError } from './errors.ts'
import { fetchParts, partHash } from './parts.ts'
import { queryProtocol } from './queries.ts'
import { fetchBlock } from './sync.ts'
import type { Manifest } from './codecs.ts'
import type { Era } from './eras.ts'
import type { ChainStore, Snapshot } from './store.ts'
import type { SyncProtocols } from './sync.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions, Block, CertifiedHeader, EraChange, Hash } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { PeerId } from '@libp2p/interface'

/** A final block with the state after it, all verified from a set that we trust. */
export interface Base {
  block: Block
  hash: Hash
  certified: CertifiedHeader
  state: LedgerState
  bytes: Uint8Array
  /** the validator sets on the way */
  changes: EraChange[]
}

function * partsOf (bytes: Uint8Array): IterableIterator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    yield bytes.subarray(at, at + PART_BYTES)
  }
}

interface Offer {
  snapshot: Snapshot
  manifest: Manifest
  askedAtMs: number
}

/**
 * Gives the newest snapshot away, part by part, and older ones to the end to whoever began with them:
 * a large one takes longer to fetch than the next takes to come. Register once.
 */
export function serveSnapshots (network: Network, protocols: SyncProtocols, store: Pick<ChainStore, 'snapshot' | 'snapshotHeight' | 'block'>): void {
  // read once for all who come; by height, the newest last
  const offers = new Map<number, Offer>()
  let timer: NodeJS.Timeout | undefined

  const forgetOld = (): void => {
    const heights = [...offers.keys()]

    for (const [height, { askedAtMs }] of offers) {
      if (performance.now() - askedAtMs > SNAPSHOT_OFFER_MS || heights.indexOf(height) < heights.length - SNAPSHOT_OFFERS_MAX) {
        offers.delete(height)
      }
    }
  }

  const asked = (offer: Offer): Offer => {
    offer.askedAtMs = performance.now()
    // nothing is held for peers that went away
    clearTimeout(timer)
    timer = setTimeout(forgetOld, SNAPSHOT_OFFER_MS + 1).unref()
    return offer
  }

  const newest = async (): Promise<Offer> => {
    const known = offers.get(await store.snapshotHeight() ?? 0)

    if (known !== undefined) {
      return known
    }

    const snapshot = await store.snapshot()
    const stored = snapshot === undefined ? undefined : await store.block(snapshot.height)

    if (snapshot === undefined || stored?.own?.kind !== 'finalize') {
      throw new UnknownHeightError('certified snapshot', snapshot?.height ?? 0, 'none was made yet')
    }
    const manifest: Manifest = { certified: { header: stored.block.header, certificate: stored.own }, parts: [...partsOf(snapshot.bytes)].map(partHash) }
    const offer = { snapshot, manifest, askedAtMs: performance.now() }
    offers.set(snapshot.height, offer)
    forgetOld()
    return offer
  }

  network.handle(protocols.snapshot, { requestBytesMax: 1, responseBytesMax: manifestCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS, concurrency: 4 }, async () => {
    return manifestCodec.encode(asked(await newest()).manifest)
  })
  network.handle(protocols.part, { requestBytesMax: partRequestCodec.bytesMax, responseBytesMax: PART_BYTES, timeoutMs: SYNC_TIMEOUT_MS, concurrency: 4 }, async (request) => {
    const { height, index } = partRequestCodec.decode(request)
    const { snapshot } = asked(offers.get(height) ?? await newest())

    if (snapshot.height !== height || index * PART_BYTES >= snapshot.bytes.length) {
      throw new UnknownHeightError('snapshot', height, `the newest is of ${snapshot.height}`)
    }
    return snapshot.bytes.slice(index * PART_BYTES, (index + 1) * PART_BYTES)
  })
}

/**
 * Asks a peer what snapshot it has. Nothing is verified yet.
 *
 * @throws {RequestFailedError | RemoteError | MalformedRecordError}
 */
export async function fetchManifest (network: Network, protocols: SyncProtocols, peer: PeerId, options?: AbortOptions): Promise<Manifest> {
  return manifestCodec.decode(await network.request(peer, protocols.snapshot, new Uint8Array(), { ...options, responseBytesMax: manifestCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS }))
}

/** Follows the validator sets from ours to that of the snapshot's header, then checks its certificate. */
async function certify (network: Network, chain: string, peer: PeerId, { header, certificate }: CertifiedHeader, from: Era, options?: AbortOptions): Promise<EraChange[]> {
  const changes: EraChange[] = []
  let { era, validators } = from

  while (era < header.era) {
    const answer = await network.request(peer, queryProtocol(chain), queryCodec.encode({ type: 'era', era: era + 1 }), { ...options, responseBytesMax: eraChangeCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS })
    const change = eraChangeCodec.decode(answer)

    if (change.last.header.era !== era || !final(change.last, validators, chain) || !equalBytes(change.last.header.validatorsHash, validatorsHash(change.validators))) {
      throw new InvalidSyncError(`the validators of era ${era + 1} are not those that era ${era} certified`)
    }
    changes.push(change)
    validators = change.validators
    era++
  }

  if (header.era !== era || !final({ header, certificate }, validators, chain)) {
    throw new InvalidSyncError(`the header of the snapshot of height ${header.height} is not final`)
  }
  return changes
}

const final = ({ header, certificate }: CertifiedHeader, validators: Era['validators'], chain: string): boolean =>
  header.chain === chain && certificate.kind === 'finalize' && certificate.view >= header.view &&
  certificateValid(certificate, validators, bls, chain)

/**
 * Fetches and verifies a snapshot: validator sets from ours on, certificate, parts, and at last that
 * they make the certified state. A peer whose snapshot does not hold is penalised.
 *
 * @throws {InvalidSyncError | SnapshotError | NoSourceError | RequestFailedError | RemoteError}
 */
export async function fetchBase (init: { network: Network, protocols: SyncProtocols, chain: string, from: Era, peers(): PeerId[] }, peer: PeerId, { certified, parts }: Manifest, options?: AbortOptions): Promise<Base> {
  const { network, protocols, chain } = init
  const { header } = certified
  const hashOf = headerHash(header)

  try {
    const changes = await certify(network, chain, peer, certified, init.from, options)
    // before the parts: while they come, peers may delete it
    const block = await fetchBlock(network, protocols, [peer, ...init.peers()], hashOf, options)
    const bytes = await fetchParts({ network, protocol: protocols.part, author: peer, peers: init.peers }, header.height, parts, options)
    const state = decodeState(bytes, header.stateRoot)

    if (!equalBytes(bodyRoot(block), header.bodyRoot) || state.height !== header.height) {
      throw new InvalidSyncError('the block of its snapshot is another one')
    }
    return { block, hash: hashOf, certified, state, bytes, changes }
  } catch (error) {
    if (error instanceof DatanetError && (error instanceof InvalidSyncError || error.code === 'ERR_STATE_SNAPSHOT')) {
      network.penalise(peer, error)
    }
    throw error
  }
}
