import { RemoteError, RequestFailedError } from '../gossip/index.ts'
import { concatBytes, equalBytes, hash } from '../wire/index.ts'
import { partRequestCodec } from './codecs.ts'
import { PART_BYTES, PEERS_TRIED_MAX, SNAPSHOT_DOMAIN, SYNC_SILENT_MS } from './constants.ts'
import { InvalidSyncError, NoSourceError } from './errors.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions, Hash } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'

export const partHash = (part: Uint8Array): Hash => hash(SNAPSHOT_DOMAIN, part)

export interface PartsInit {
  network: Network
  protocol: string
  /** whose manifest names the parts: what it sends has to be them */
  author: PeerId
  /** who else may have the same snapshot; asked anew when all were tried */
  peers (): PeerId[]
}

/**
 * Fetches a snapshot part by part, from whoever gives them: a peer that falls silent costs one short
 * wait, and whoever gave a part is asked for the next.
 *
 * @throws {InvalidSyncError} if the author sends another part than it announced
 * @throws {NoSourceError} if nobody gives a part in the longest wait
 */
export async function fetchParts (init: PartsInit, height: number, hashes: Hash[], options: AbortOptions = {}): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let giver = init.author
  let round = 0

  for (const [index, expected] of hashes.entries()) {
    const found = await fetchPart(init, giver, round, { height, index }, expected, options)

    parts.push(found.part)
    giver = found.peer
    // a line that was too slow for a short wait is so for the next part as well
    round = found.round
  }
  return concatBytes(...parts)
}

interface Found { part: Uint8Array, peer: PeerId, round: number }

async function fetchPart ({ network, protocol, author, peers }: PartsInit, first: PeerId, from: number, place: { height: number, index: number }, expected: Hash, options: AbortOptions): Promise<Found> {
  const useless = new Set<string>()
  const silent = new Set<string>()
  let last: unknown

  for (let round = from; round < SYNC_SILENT_MS.length; round++) {
    const known = new Map([first, author, ...peers()].map(peer => [peer.toString(), peer]))
    const open = [...known].filter(([name]) => !useless.has(name))
    // whoever was not asked yet comes before those that said nothing
    const inTurn = [...open.filter(([name]) => !silent.has(name)), ...open.filter(([name]) => silent.has(name))]

    for (const [name, peer] of inTurn.slice(0, PEERS_TRIED_MAX)) {
      options.signal?.throwIfAborted()
      try {
        const part = await network.request(peer, protocol, partRequestCodec.encode(place), { ...options, responseBytesMax: PART_BYTES, timeoutMs: SYNC_SILENT_MS[round] })

        if (equalBytes(partHash(part), expected)) {
          return { part, peer, round }
        }
        last = new InvalidSyncError(`part ${place.index} of its snapshot is not the one that was announced`)
      } catch (error) {
        last = error
      }
      if (last instanceof InvalidSyncError && peer.equals(author)) {
        throw last
      }
      const others = isPassing(last) ? silent : useless
      others.add(name)
    }
  }
  throw new NoSourceError(`part ${place.index} of a snapshot`, silent.size + useless.size, last)
}

/** Whether a peer may give it to who waits longer. */
const isPassing = (error: unknown): boolean => error instanceof RequestFailedError || (error instanceof RemoteError && error.remoteCode === 'ERR_BUSY')
