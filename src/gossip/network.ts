import { TypedEventEmitter } from 'main-event'
import { channelRegistry } from './channels.ts'
import { PENALISED_PEERS_MAX, PENALTY_DECAY, PENALTY_WEIGHT } from './constants.ts'
import { NetworkNotStartedError } from './errors.ts'
import { composeLibp2p } from './libp2p.ts'
import { muteKeeper } from './mutes.ts'
import { peerKeeper } from './peers.ts'
import { requestRegistry } from './requests.ts'
import { topicRegistry } from './topics.ts'
import type { Channels } from './channels.ts'
import type {
  Channel, ChannelOptions, ConnectedPeer, HandlerOptions, Network, NetworkComponents, NetworkEvents, NetworkInit,
  NodeLibp2p, RefusedMessage, RequestHandler, RequestOptions, Topic, TopicInit, TopicStats
} from './interface.ts'
import type { Peers } from './peers.ts'
import type { Requests } from './requests.ts'
import type { Topics } from './topics.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { DatanetError } from '../utils/index.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

class NetworkService extends TypedEventEmitter<NetworkEvents> implements Network {
  readonly #init: NetworkInit
  readonly #components: NetworkComponents
  readonly #topics: Topics
  readonly #requests: Requests
  readonly #channels: Channels
  readonly #peers: Peers
  readonly #mutes = muteKeeper()
  readonly #penalties = new Map<string, number>()
  #libp2p?: NodeLibp2p
  #starting?: Promise<void>

  constructor (init: NetworkInit, components: NetworkComponents) {
    super()
    this.#init = init
    this.#components = components
    this.#topics = topicRegistry(detail => { this.safeDispatchEvent('gossip:refused', { detail }) })
    this.#requests = requestRegistry(() => this.libp2p)
    this.#channels = channelRegistry()
    this.#peers = peerKeeper({ bootstrap: init.bootstrap ?? [], exchange: init.exchange ?? true }, this.#requests, () => { this.#round() })
  }

  async start (): Promise<void> {
    this.#starting ??= this.#start()
    await this.#starting
  }

  async #start (): Promise<void> {
    const libp2p = await composeLibp2p(this.#init, this.#components, {
      topics: this.#topics.names,
      penalty: (peer) => -PENALTY_WEIGHT * (this.#penalties.get(peer) ?? 0)
    })

    libp2p.addEventListener('peer:connect', event => { this.safeDispatchEvent('peer:connect', { detail: event.detail }) })
    libp2p.addEventListener('peer:disconnect', event => {
      this.#channels.drop(event.detail)
      this.safeDispatchEvent('peer:disconnect', { detail: event.detail })
    })
    await this.#requests.attach(libp2p)
    await this.#channels.attach(libp2p)
    await libp2p.start()
    this.#libp2p = libp2p
    this.#topics.attach(libp2p.services.pubsub)
    this.#peers.start(libp2p)
  }

  async stop (): Promise<void> {
    await this.#starting?.catch(() => {})
    this.#starting = undefined
    this.#peers.stop()
    this.#topics.detach()
    this.#requests.detach()
    this.#channels.detach()
    const libp2p = this.#libp2p
    this.#libp2p = undefined
    await libp2p?.stop()
  }

  get libp2p (): NodeLibp2p {
    if (this.#libp2p === undefined) {
      throw new NetworkNotStartedError()
    }

    return this.#libp2p
  }

  get peerId (): PeerId {
    return this.libp2p.peerId
  }

  addresses (): Multiaddr[] {
    return this.libp2p.getMultiaddrs()
  }

  peers (): ConnectedPeer[] {
    const seen = new Map<string, ConnectedPeer>()

    for (const connection of this.libp2p.getConnections()) {
      const peer = connection.remotePeer
      seen.set(peer.toString(), { peer, address: connection.remoteAddr.toString(), score: this.score(peer) })
    }

    return [...seen.values()]
  }

  score (peer: PeerId): number {
    return this.libp2p.services.pubsub.getScore(peer.toString())
  }

  penalise (peer: PeerId, reason: DatanetError): void {
    const key = peer.toString()
    this.safeDispatchEvent('peer:penalise', { detail: { peer, code: reason.code, message: reason.message } })

    if (this.#penalties.has(key) || this.#penalties.size < PENALISED_PEERS_MAX) {
      this.#penalties.set(key, (this.#penalties.get(key) ?? 0) + 1)
    }
  }

  #round (): void {
    this.#forgive()

    if (this.#libp2p !== undefined) {
      this.#mutes.round(this.#libp2p)
    }
  }

  #forgive (): void {
    for (const [peer, penalty] of this.#penalties) {
      if (penalty < 0.05) {
        this.#penalties.delete(peer)
      } else {
        this.#penalties.set(peer, penalty * PENALTY_DECAY)
      }
    }
  }

  async connect (address: string, options?: AbortOptions): Promise<PeerId> {
    return this.#peers.connect(address, options)
  }

  topic<T> (init: TopicInit<T>): Topic<T> {
    return this.#topics.add(init)
  }

  refused (): RefusedMessage[] {
    return this.#topics.refused()
  }

  topicStats (): Record<string, TopicStats> {
    return this.#topics.stats()
  }

  handle (protocol: string, options: HandlerOptions, handler: RequestHandler): void {
    this.#requests.handle(protocol, options, handler)
  }

  async request (peer: PeerId, protocol: string, request: Uint8Array, options?: RequestOptions): Promise<Uint8Array> {
    return this.#requests.request(peer, protocol, request, options)
  }

  requestMany (peer: PeerId, protocol: string, request: Uint8Array, options?: RequestOptions): AsyncIterable<Uint8Array> {
    return this.#requests.requestMany(peer, protocol, request, options)
  }

  channel (protocol: string, options: ChannelOptions, handler: (message: Uint8Array, peer: PeerId) => void | Promise<void>): Channel {
    return this.#channels.add(protocol, options, handler)
  }
}

/** Makes the network of a node. Nothing happens before `start`. */
export const network = (init: NetworkInit = {}): ((components?: NetworkComponents) => Network) => {
  return (components = {}) => new NetworkService(init, components)
}
