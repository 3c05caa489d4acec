import { CERTIFICATES_PER_ANSWER_MAX as CERTIFICATES_MAX, certificateValid } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { BLOCK_BYTES_MAX, blockCodec, equalBytes, headerHash } from '../wire/index.ts'
import { blockRequestCodec, certificatesCodec, certificatesRequestCodec, syncItemCodec, syncRequestCodec } from './codecs.ts'
import { FETCH_TIMEOUT_MS, PEERS_TRIED_MAX, SYNC_BLOCKS_MAX, SYNC_TIMEOUT_MS } from './constants.ts'
import { InvalidSyncError, NoSourceError, UnknownBlockError } from './errors.ts'
import type { SyncItem } from './codecs.ts'
import type { Era } from './eras.ts'
import type { ChainStore } from './store.ts'
import type { Network } from '../gossip/index.ts'
import type { Block, Certificate, Hash } from '../interface/index.ts'
import type { AbortOptions, PeerId } from '@libp2p/interface'

export interface SyncProtocols {
  block: string
  range: string
  certificates: string
  snapshot: string
  part: string
}

/** What others may fetch. */
export interface SyncServer {
  store: ChainStore
  held (hash: Hash): Block | undefined
  certificates (fromView: number): Certificate[]
  finalHeight (): number
}

/** A block and the certificate that makes it final: its own or that of a descendant in the same range. */
export interface CertifiedBlock {
  block: Block
  hash: Hash
  certificate: Certificate
  notarization: Certificate | null
}

const itemBytesMax = syncItemCodec.bytesMax

/** Answers requests for blocks, ranges and certificates. Register once. */
export function serveSync (network: Network, protocols: SyncProtocols, server: SyncServer): void {
  const { store } = server

  network.handle(protocols.block, { requestBytesMax: blockRequestCodec.bytesMax, responseBytesMax: BLOCK_BYTES_MAX, timeoutMs: FETCH_TIMEOUT_MS, concurrency: 16 }, async (request) => {
    const { hash } = blockRequestCodec.decode(request)
    const height = await store.heightOf(hash)
    const block = server.held(hash) ?? (height === undefined ? undefined : (await store.block(height))?.block)

    if (block === undefined) {
      throw new UnknownBlockError('asked for')
    }
    return blockCodec.encode(block)
  })

  network.handle(protocols.range, { requestBytesMax: syncRequestCodec.bytesMax, responseBytesMax: itemBytesMax, timeoutMs: SYNC_TIMEOUT_MS, concurrency: 8 }, (request) => {
    const { from, limit } = syncRequestCodec.decode(request)

    return (async function * () {
      for (let height = from; height < from + limit && height <= server.finalHeight(); height++) {
        const stored = await store.block(height)
        if (stored === undefined) {
          return
        }
        yield syncItemCodec.encode({ block: stored.block, certificate: stored.own })
      }
    })()
  })

  network.handle(protocols.certificates, { requestBytesMax: certificatesRequestCodec.bytesMax, responseBytesMax: certificatesCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS, concurrency: 16 }, async (request) => {
    const { fromView } = certificatesRequestCodec.decode(request)
    return certificatesCodec.encode({ certificates: server.certificates(fromView).slice(0, CERTIFICATES_MAX) })
  })
}

/**
 * Tries peers one after the other.
 *
 * @throws {NoSourceError}
 */
async function firstOf<T> (what: string, peers: PeerId[], ask: (peer: PeerId) => Promise<T>, options?: AbortOptions): Promise<T> {
  let last: unknown
  const tried = peers.slice(0, PEERS_TRIED_MAX)

  for (const peer of tried) {
    options?.signal?.throwIfAborted()
    try {
      return await ask(peer)
    } catch (error) {
      last = error
    }
  }
  throw new NoSourceError(what, tried.length, last)
}

/**
 * @throws {NoSourceError}
 */
export async function fetchBlock (network: Network, protocols: SyncProtocols, peers: PeerId[], hash: Hash, options?: AbortOptions): Promise<Block> {
  return firstOf('the block', peers, async peer => {
    const answer = await network.request(peer, protocols.block, blockRequestCodec.encode({ hash }), { ...options, responseBytesMax: BLOCK_BYTES_MAX, timeoutMs: FETCH_TIMEOUT_MS })
    const block = blockCodec.decode(answer)

    if (!equalBytes(headerHash(block.header), hash)) {
      const error = new InvalidSyncError('it is another block')
      network.penalise(peer, error)
      throw error
    }
    return block
  }, options)
}

/**
 * @throws {NoSourceError}
 */
export async function fetchCertificates (network: Network, protocols: SyncProtocols, peers: PeerId[], fromView: number, options?: AbortOptions): Promise<Certificate[]> {
  return firstOf('certificates', peers, async peer => {
    const answer = await network.request(peer, protocols.certificates, certificatesRequestCodec.encode({ fromView }), { ...options, responseBytesMax: certificatesCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS })
    return certificatesCodec.decode(answer).certificates
  }, options)
}

/**
 * The longest prefix of one era that a certificate makes final. Links from `tip` on, one signature check per
 * certificate; nothing is executed before.
 *
 * @throws {InvalidSyncError}
 */
export function certifiedPrefix (all: SyncItem[], tip: { hash: Hash, height: number }, chain: string, { era, validators, hash: set }: Era): CertifiedBlock[] {
  const hashes: Hash[] = []
  let parent = tip.hash

  // the next era's set is known when its predecessor's last block is executed
  const end = all.findIndex(({ block: { header } }) => !equalBytes(header.validatorsHash, set))
  const items = end < 0 ? all : all.slice(0, end + 1)

  items.forEach(({ block: { header } }, i) => {
    if (header.chain !== chain || header.era !== era || header.height !== tip.height + 1 + i || !equalBytes(header.parent, parent)) {
      throw new InvalidSyncError(`height ${header.height} does not follow`)
    }
    parent = headerHash(header)
    hashes.push(parent)
  })

  const certified: CertifiedBlock[] = []
  let certificate: Certificate | undefined

  for (let i = items.length - 1; i >= 0; i--) {
    const own = items[i].certificate

    if (own !== null && equalBytes(own.blockHash, hashes[i])) {
      if (own.era !== era || own.view < items[i].block.header.view || !certificateValid(own, validators, bls, chain)) {
        throw new InvalidSyncError(`the certificate of height ${items[i].block.header.height} does not hold`)
      }
      certificate = own.kind === 'finalize' ? own : certificate
    }
    if (certificate !== undefined) {
      certified.push({ block: items[i].block, hash: hashes[i], certificate, notarization: own?.kind === 'notarize' ? own : null })
    }
  }
  return certified.reverse()
}

/** What one peer gave of a range. */
export interface FetchedRange {
  blocks: CertifiedBlock[]
  /** it stopped in the middle, or never began */
  isSilent: boolean
}

/**
 * Asks one peer for the blocks after `tip`. It may send nothing for `silentMs`; of one that falls
 * silent, what came before counts.
 *
 * @throws {InvalidSyncError | RequestFailedError | RemoteError}
 */
export async function fetchRange (network: Network, protocols: SyncProtocols, peer: PeerId, tip: { hash: Hash, height: number }, chain: string, era: Era, { signal, silentMs }: AbortOptions & { silentMs: number }): Promise<FetchedRange> {
  const request = syncRequestCodec.encode({ from: tip.height + 1, limit: SYNC_BLOCKS_MAX })
  const items: SyncItem[] = []
  const silence = new AbortController()
  const timer = setTimeout(() => { silence.abort() }, silentMs)
  const bounded = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal])

  try {
    for await (const message of network.requestMany(peer, protocols.range, request, { signal: bounded, responseBytesMax: itemBytesMax, responsesMax: SYNC_BLOCKS_MAX, timeoutMs: SYNC_TIMEOUT_MS })) {
      timer.refresh()
      items.push(syncItemCodec.decode(message))
    }
  } catch (error) {
    signal?.throwIfAborted()

    if (!silence.signal.aborted) {
      throw error
    }
  } finally {
    clearTimeout(timer)
  }

  try {
    return { blocks: certifiedPrefix(items, tip, chain, era), isSilent: silence.signal.aborted }
  } catch (error) {
    if (error instanceof InvalidSyncError) {
      network.penalise(peer, error)
    }
    throw error
  }
}
