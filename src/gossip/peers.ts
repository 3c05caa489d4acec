import * as dagCbor from '@ipld/dag-cbor'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { DatanetError } from '../utils/index.ts'
import {
  ADDRESS_BYTES_MAX, CONNECTIONS_WANTED, DIAL_TIMEOUT_MS, EXCHANGE_PEERS_MAX, KNOWN_PEERS_MAX, REDIAL_BACKOFF_MS_MAX,
  REDIAL_INTERVAL_MS
} from './constants.ts'
import { MalformedResponseError } from './errors.ts'
import type { NodeLibp2p } from './interface.ts'
import type { Requests } from './requests.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { IdentifyResult, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

const PROTOCOL = '/datanet/peers/1'
/** Somebody who is not pinned is forgotten after so many failures in a row. */
const FAILURES_MAX = 6
/** Every so many rounds one peer is asked for others. */
const EXCHANGE_ROUNDS = 10
const DIALS_MAX = 8
/** A configured peer is missed: knock at least every five seconds. */
const PINNED_BACKOFF_MS_MAX = 5_000

interface Target {
  address: Multiaddr
  peer?: string
  pinned: boolean
  failures: number
  notBeforeMs: number
  dialling: boolean
}

export interface Peers {
  connect (address: string, options?: AbortOptions): Promise<PeerId>
  start (libp2p: NodeLibp2p): void
  stop (): void
}

function peerOf (address: Multiaddr): string | undefined {
  return address.getComponents().findLast(component => component.name === 'p2p')?.value
}

/**
 * @throws {MalformedResponseError}
 */
export function decodeAddresses (bytes: Uint8Array): Multiaddr[] {
  const list: unknown = dagCbor.decode(bytes)

  if (!Array.isArray(list) || list.length > EXCHANGE_PEERS_MAX) {
    throw new MalformedResponseError(PROTOCOL, `expected at most ${EXCHANGE_PEERS_MAX} addresses`)
  }

  return list.map((item: unknown) => {
    if (!(item instanceof Uint8Array) || item.byteLength > ADDRESS_BYTES_MAX) {
      throw new MalformedResponseError(PROTOCOL, `an address has at most ${ADDRESS_BYTES_MAX} bytes`)
    }
    try {
      return multiaddr(item)
    } catch (error) {
      throw new MalformedResponseError(PROTOCOL, String(error))
    }
  })
}

/**
 * Keeps a node connected: redials what was configured for as long as the node runs, and gets to
 * know more peers from those it has, up to `CONNECTIONS_WANTED`.
 */
export function peerKeeper (init: { bootstrap: string[], exchange: boolean }, requests: Requests, onRound: () => void): Peers {
  const targets = new Map<string, Target>()
  /** what connected peers say about where they listen */
  const listening = new Map<string, Multiaddr>()
  let libp2p: NodeLibp2p | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  let stopped = new AbortController()
  let round = 0

  const target = (address: Multiaddr, pinned: boolean): Target | undefined => {
    const peer = peerOf(address)
    const key = peer ?? address.toString()
    const known = targets.get(key)

    if (known !== undefined) {
      known.pinned ||= pinned
      known.address = known.pinned && !pinned ? known.address : address
      return known
    }
    if (peer === libp2p?.peerId.toString() || (!pinned && targets.size >= KNOWN_PEERS_MAX)) {
      return undefined
    }

    const created: Target = { address, peer, pinned, failures: 0, notBeforeMs: 0, dialling: false }
    targets.set(key, created)
    return created
  }

  const connected = (candidate: Target): boolean => {
    return candidate.peer !== undefined && (libp2p?.getConnections(peerIdFromString(candidate.peer)).length ?? 0) > 0
  }

  const dial = async (candidate: Target, options: AbortOptions = {}): Promise<PeerId | undefined> => {
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS), ...(options.signal === undefined ? [] : [options.signal])])
    candidate.dialling = true
    try {
      const connection = await libp2p?.dial(candidate.address, { signal })
      candidate.failures = 0
      candidate.peer = connection?.remotePeer.toString()
      return connection?.remotePeer
    } catch (error) {
      candidate.failures++
      const backoffMs = Math.min(REDIAL_INTERVAL_MS * 2 ** Math.min(candidate.failures - 1, 10), candidate.pinned ? PINNED_BACKOFF_MS_MAX : REDIAL_BACKOFF_MS_MAX)
      candidate.notBeforeMs = Date.now() + backoffMs
      throw error
    } finally {
      candidate.dialling = false
    }
  }

  const ask = async (peer: PeerId): Promise<void> => {
    const answer = await requests.request(peer, PROTOCOL, new Uint8Array(0), { signal: stopped.signal, responseBytesMax: EXCHANGE_PEERS_MAX * (ADDRESS_BYTES_MAX + 8) })
    decodeAddresses(answer).filter(address => peerOf(address) !== undefined).forEach(address => target(address, false))
  }

  const tick = (): void => {
    if (libp2p === undefined) {
      return
    }

    const nowMs = Date.now()
    const peers = libp2p.getPeers()
    let dials = [...targets.values()].filter(candidate => candidate.dialling).length

    for (const [key, candidate] of targets) {
      if (!candidate.pinned && candidate.failures > FAILURES_MAX) {
        targets.delete(key)
      } else if (!candidate.dialling && !connected(candidate) && nowMs >= candidate.notBeforeMs &&
        dials < DIALS_MAX && (candidate.pinned || peers.length < CONNECTIONS_WANTED)) {
        dials++
        // the failure is in the target's counters
        dial(candidate).catch(() => {})
      }
    }

    if (init.exchange && peers.length > 0 && ++round % EXCHANGE_ROUNDS === 0) {
      ask(peers[(round / EXCHANGE_ROUNDS) % peers.length]).catch(() => {})
    }
    onRound()
  }

  const onIdentify = (event: CustomEvent<IdentifyResult>): void => {
    const peer = event.detail.peerId.toString()
    const address = event.detail.listenAddrs[0]

    if (address !== undefined && listening.size < KNOWN_PEERS_MAX) {
      const full = peerOf(address) === undefined ? address.encapsulate(`/p2p/${peer}`) : address
      listening.set(peer, full)
      target(full, false)
    }
    if (init.exchange && (libp2p?.getPeers().length ?? 0) < CONNECTIONS_WANTED) {
      ask(event.detail.peerId).then(tick, () => {})
    }
  }

  const onDisconnect = (event: CustomEvent<PeerId>): void => {
    listening.delete(event.detail.toString())
  }

  if (init.exchange) {
    requests.handle(PROTOCOL, { requestBytesMax: 1, responseBytesMax: EXCHANGE_PEERS_MAX * (ADDRESS_BYTES_MAX + 8), timeoutMs: DIAL_TIMEOUT_MS }, async (_, { peer }) => {
      const others = [...listening].filter(([id]) => id !== peer.toString()).map(([, address]) => address.bytes)
      return dagCbor.encode(others.filter(bytes => bytes.byteLength <= ADDRESS_BYTES_MAX).slice(-EXCHANGE_PEERS_MAX))
    })
  }

  return {
    connect: async (address, options) => {
      const candidate = target(multiaddr(address), true)
      const peer = candidate === undefined ? undefined : await dial(candidate, options)

      if (peer === undefined) {
        throw new DatanetError('ERR_DIAL_SELF', `expected the address of another peer but ${address} is our own, or the network is stopped`)
      }
      return peer
    },
    start: (node) => {
      libp2p = node
      stopped = new AbortController()
      init.bootstrap.forEach(address => target(multiaddr(address), true))
      node.addEventListener('peer:identify', onIdentify)
      node.addEventListener('peer:disconnect', onDisconnect)
      timer = setInterval(tick, REDIAL_INTERVAL_MS)
      tick()
    },
    stop: () => {
      clearInterval(timer)
      stopped.abort()
      libp2p?.removeEventListener('peer:identify', onIdentify)
      libp2p?.removeEventListener('peer:disconnect', onDisconnect)
      listening.clear()
      libp2p = undefined
    }
  }
}
