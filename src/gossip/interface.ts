import type { AbortOptions, Startable } from '../interface/index.ts'
import type { DatanetError } from '../utils/index.ts'
import type { GossipSub } from '@libp2p/gossipsub'
import type { Identify, IdentifyPush } from '@libp2p/identify'
import type { Libp2p, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { Ping } from '@libp2p/ping'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Libp2pInit } from 'libp2p'

/** gossipsub, and the score that its own interface leaves out */
export interface ScoredGossipSub extends GossipSub {
  getScore (peer: string): number
}

/** The services every node runs on libp2p. */
export interface NetworkServices extends Record<string, unknown> {
  pubsub: ScoredGossipSub
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
}

export type NodeLibp2p = Libp2p<NetworkServices>

export interface NetworkInit {
  /**
   * 32 bytes of which the node's Ed25519 key, and so its peer id, is made.
   *
   * @default a new key at every start
   */
  privateKeySeed?: Uint8Array
  /**
   * Multiaddrs to listen on.
   *
   * @default ['/ip4/127.0.0.1/tcp/0']
   */
  listen?: string[]
  /**
   * Multiaddrs that are dialled, and redialled as long as the node runs.
   *
   * @default []
   */
  bootstrap?: string[]
  /**
   * Whether to dial peers that connected peers tell of.
   *
   * @default true
   */
  exchange?: boolean
  /**
   * What identify tells other peers.
   *
   * @default 'datanet/0.1'
   */
  agent?: string
}

export interface NetworkComponents {
  /**
   * Where libp2p keeps what it knows of peers.
   *
   * @default memory
   */
  datastore?: Libp2pInit['datastore']
}

/** What a topic's validator says of a message. Reject costs the sender score, ignore does not. */
export type Verdict = 'accept' | 'ignore' | 'reject' | { verdict: 'ignore' | 'reject', reason: DatanetError }

export interface TopicInit<T> {
  /** the name on the network, with chain and version */
  name: string
  /** throws on malformed bytes, which rejects the message */
  codec: { encode (value: T): Uint8Array, decode (bytes: Uint8Array): T }
  /** checked before publishing and before decoding */
  bytesMax: number
  /**
   * Called for each message of others, after decoding. May throw: a `DatanetError` rejects with
   * its code, any other error ignores the message (our fault, not the sender's).
   */
  validate (value: T, from: PeerId): Verdict | Promise<Verdict>
  /**
   * @default VALIDATE_TIMEOUT_MS
   */
  timeoutMs?: number
}

/** A message that was not accepted, and why. */
export interface RefusedMessage {
  topic: string
  verdict: 'ignore' | 'reject'
  code: string
  message: string
  /** the peer that handed it to us */
  from: string
  bytes: number
}

export interface TopicStats {
  accepted: number
  ignored: number
  rejected: number
  published: number
  /** how often each error code was the reason */
  reasons: Record<string, number>
}

export interface Topic<T> {
  readonly name: string
  readonly stats: Readonly<TopicStats>
  /**
   * Sends a value to all subscribers but ourselves.
   *
   * @returns the number of peers it went to at once
   * @throws {MessageTooLargeError}
   */
  publish (value: T, options?: AbortOptions): Promise<number>
  /** The listener sees each accepted message once. Returns a function that ends the subscription. */
  subscribe (listener: (value: T, from: PeerId) => void): () => void
  /** Peers subscribed to the topic that we know of. */
  subscribers (): PeerId[]
}

export interface HandlerOptions {
  requestBytesMax: number
  /** of each message of the answer */
  responseBytesMax: number
  /**
   * requests served at once, of all peers together; more are answered ERR_BUSY
   *
   * @default 32
   */
  concurrency?: number
  /**
   * @default REQUEST_TIMEOUT_MS
   */
  timeoutMs?: number
}

export interface RequestContext {
  peer: PeerId
  /** fires when the time is up or the stream closes */
  signal: AbortSignal
}

/** Answers one request with one message or, as an async iterable, with several. */
export type RequestHandler = (request: Uint8Array, context: RequestContext) => Promise<Uint8Array> | AsyncIterable<Uint8Array>

export interface RequestOptions extends AbortOptions {
  /**
   * of each message of the answer
   *
   * @default 1 MiB and some
   */
  responseBytesMax?: number
  /**
   * messages in the answer
   *
   * @default 1
   */
  responsesMax?: number
  /**
   * @default REQUEST_TIMEOUT_MS
   */
  timeoutMs?: number
}

export interface ChannelOptions {
  messageBytesMax: number
  /**
   * messages waiting for one peer, the oldest is dropped
   *
   * @default CHANNEL_QUEUE_MAX
   */
  queueMax?: number
}

/** One-way messages to single peers over one long-lived stream each. */
export interface Channel {
  readonly protocol: string
  /**
   * Queues a message. It is lost if the peer cannot be reached: repeat what matters.
   *
   * @throws {MessageTooLargeError}
   */
  send (peer: PeerId, message: Uint8Array): void
}

export interface NetworkEvents {
  'peer:connect': CustomEvent<PeerId>
  'peer:disconnect': CustomEvent<PeerId>
  /** a service lowered a peer's score */
  'peer:penalise': CustomEvent<{ peer: PeerId, code: string, message: string }>
  /** a gossip message was ignored or rejected */
  'gossip:refused': CustomEvent<RefusedMessage>
}

export interface ConnectedPeer {
  peer: PeerId
  address: string
  /** gossipsub's; below 0 something was wrong with what it sent */
  score: number
}

/** A libp2p node with bounded, typed topics, requests and channels. Register before or after `start`. */
export interface Network extends Startable, TypedEventTarget<NetworkEvents> {
  /**
   * @throws {NetworkNotStartedError} before `start`
   */
  readonly libp2p: NodeLibp2p
  readonly peerId: PeerId
  /** our addresses with peer id */
  addresses (): Multiaddr[]
  peers (): ConnectedPeer[]
  /** gossipsub's score of a peer, computed anew at most once a second */
  score (peer: PeerId): number
  /** Lowers a peer's score for something it did outside gossip. */
  penalise (peer: PeerId, reason: DatanetError): void
  /** Dials an address, and again whenever the connection is lost. */
  connect (address: string, options?: AbortOptions): Promise<PeerId>
  /**
   * @throws {DuplicateRegistrationError}
   */
  topic<T> (init: TopicInit<T>): Topic<T>
  /** verdicts other than accept, newest last, at most VERDICTS_KEPT_MAX */
  refused (): RefusedMessage[]
  topicStats (): Record<string, TopicStats>
  /**
   * Answers requests.
   *
   * @throws {DuplicateRegistrationError}
   */
  handle (protocol: string, options: HandlerOptions, handler: RequestHandler): void
  /**
   * @throws {RequestFailedError | RemoteError}
   */
  request (peer: PeerId, protocol: string, request: Uint8Array, options?: RequestOptions): Promise<Uint8Array>
  /** The same for answers of several messages. */
  requestMany (peer: PeerId, protocol: string, request: Uint8Array, options?: RequestOptions): AsyncIterable<Uint8Array>
  /**
   * Opens one-way messaging; the handler sees what others send.
   *
   * @throws {DuplicateRegistrationError}
   */
  channel (protocol: string, options: ChannelOptions, handler: (message: Uint8Array, peer: PeerId) => void | Promise<void>): Channel
}
