/** Gossip of one topic: the largest message anybody may register, a block with its envelope. */
export const TOPIC_BYTES_MAX = 1_179_648

/**
 * One gossipsub frame. A frame over the limit leaves the receiver deaf to that peer for good, and
 * an answer to IWANT packs several messages into one frame, so the limit leaves room for all
 * blocks of the message cache (five heartbeats, at most four blocks a second).
 */
export const FRAME_BYTES_MAX = 25_165_824

/** Memory one peer may take up with subscriptions: about 1 KiB a topic, so about 256 topics. */
export const SUBSCRIPTION_BYTES_MAX = 262_144

/** A validator that takes longer is treated as undecided: ignored, not forwarded, not punished. */
export const VALIDATE_TIMEOUT_MS = 2_000

/** Validations in flight per topic; more are ignored, so that a flood cannot fill the memory. */
export const VALIDATIONS_MAX = 512

/** Verdicts other than accept that are kept for people and tests to see. */
export const VERDICTS_KEPT_MAX = 64

/** Distinct reasons counted per topic; codes come from our own code, this only guards a mistake. */
export const REASONS_MAX = 64

/** Streams of one request protocol that one connection may have open at once. */
export const STREAMS_PER_PEER_MAX = 16

/** What remains of an error when it travels: enough for a code and a sentence. */
export const ERROR_BYTES_MAX = 512

/** A whole request with its answer, unless the protocol says otherwise. */
export const REQUEST_TIMEOUT_MS = 10_000

/** One message into a channel: opening the stream included. */
export const SEND_TIMEOUT_MS = 5_000

/** Messages waiting for one peer on one channel; the oldest is dropped, channels repeat what matters. */
export const CHANNEL_QUEUE_MAX = 256

/** The redial loop looks at this interval for peers that are gone. */
export const REDIAL_INTERVAL_MS = 1_000
/** Waiting time between attempts at one address doubles up to this. */
export const REDIAL_BACKOFF_MS_MAX = 30_000
export const DIAL_TIMEOUT_MS = 5_000
/** Addresses that are kept and redialled besides the configured ones. */
export const KNOWN_PEERS_MAX = 256
/** Peers that are dialled because another peer told of them, until this many are connected. */
export const CONNECTIONS_WANTED = 32
/** Addresses in one answer of the peer exchange. */
export const EXCHANGE_PEERS_MAX = 32
/** Bytes of one multiaddr in the peer exchange; a TCP address with peer id has about 80. */
export const ADDRESS_BYTES_MAX = 256
/** Connections in total; libp2p prunes beyond. */
export const CONNECTIONS_MAX = 512

/** A local swarm opens all its connections from one address in a moment; the default of 5 a second starves it. */
export const INBOUND_CONNECTIONS_PER_SECOND_MAX = 200
export const INBOUND_PENDING_MAX = 200

/** Penalties by services weigh as much as one invalid message each and halve in about a minute. */
export const PENALTY_WEIGHT = 10
export const PENALTY_DECAY = 0.99
export const PENALISED_PEERS_MAX = 1_024

/** Seconds that a connected peer may be without a gossip stream of ours before one is opened anew; doubles with each attempt up to the second. */
export const MUTE_ROUNDS_MIN = 2
export const MUTE_ROUNDS_MAX = 64
