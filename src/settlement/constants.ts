/** Transactions waiting for a block: eight full blocks. */
export const MEMPOOL_TRANSACTIONS_MAX = 4_096
/** The same in bytes. */
export const MEMPOOL_BYTES_MAX = 8_388_608
/** Of one account, so that nobody fills the pool alone; also how far a nonce may be ahead. */
export const MEMPOOL_ACCOUNT_MAX = 64
/** A foreign transaction that waited this many blocks (for its predecessor, mostly) is forgotten. */
export const MEMPOOL_AGE_BLOCKS_MAX = 600

/** What a transaction must pay more, in per cent of the other's fee, to take another's place: passing it on costs everybody. */
export const REPLACEMENT_PERCENT = 10n

/** Transactions in one of our blocks, and their bytes: what the ledger and the block's codec allow, with headroom. */
export const BLOCK_TRANSACTIONS_MAX = 512
export const BLOCK_TRANSACTIONS_BYTES_MAX = 983_040

/** What an amount takes in a record at most. */
export const AMOUNT_BYTES_MAX = 16

/** Own transactions that are not final are gossiped again at this interval, at most so many at once. */
export const REGOSSIP_INTERVAL_MS = 2_000
export const REGOSSIP_TRANSACTIONS_MAX = 64
/** After so many repetitions gossip does not reach whoever proposes: validators are asked directly, so many at once. */
export const REGOSSIPS_BEFORE_PUSH = 3
export const PUSH_VALIDATORS_MAX = 3
/** A known transaction that is gossiped again is passed on at most this often: whoever missed it gets it. */
export const REFORWARD_INTERVAL_MS = 1_500

/** Blocks that are held although not final: the views that consensus looks at, several blocks each. */
export const CANDIDATES_MAX = 128

/** One answer of range sync: up to 64 MiB if every block is full. */
export const SYNC_BLOCKS_MAX = 64
export const SYNC_TIMEOUT_MS = 30_000
/** How long a peer may send nothing before another one is asked. If nobody is quicker they are given longer: all may be on slow lines. */
export const SYNC_SILENT_MS = [3_000, 10_000, SYNC_TIMEOUT_MS]
/** A part of a snapshot: small beside what a node holds, and a thousand of them are the largest snapshot. */
export const PART_BYTES = 1_048_576
export const SNAPSHOT_PARTS_MAX = 1_024
export const SNAPSHOT_DOMAIN = 'datanet/snapshot-part/1'
/** How long a snapshot is held in memory after somebody asked for a part of it: the time that one may take. */
export const SNAPSHOT_OFFER_MS = 30_000
/** Snapshots held so at once, of which each may have a thousand parts. */
export const SNAPSHOT_OFFERS_MAX = 3
/** Peers that are asked for a snapshot before blocks are fetched one after the other. */
export const SNAPSHOT_PEERS_MAX = 4
/** Whoever is this many blocks behind takes a snapshot: executing a block costs about as much as reading 2,000 entries. */
export const FAST_SYNC_BLOCKS = 1_024
/** Old blocks that are deleted after one new one: a node that begins to prune catches up without a pause. */
export const PRUNED_AT_ONCE_MAX = 64

/** Times that peers are asked what a block that was passed over did with an own transaction, once a block: they may be behind us. */
export const PASSED_OVER_ATTEMPTS_MAX = 8

/** Ends of epochs that a node fetches after it began at a snapshot, a request of 0.7 KB each: older ones are for archives. */
export const EPOCH_ENDS_FETCHED_MAX = 65_536

/** Peers that are tried for one block or range before consensus asks again. */
export const PEERS_TRIED_MAX = 4
export const FETCH_TIMEOUT_MS = 4_000

/** A peer that did not say who it is gets asked again at this interval. */
export const HELLO_INTERVAL_MS = 2_000
export const HELLO_TIMEOUT_MS = 4_000
/** A signed hello is about 330 bytes. */
export const HELLO_BYTES_MAX = 1_024

/** Votes of the next era come a moment before we enter it; after this we missed something. */
export const CATCH_UP_DELAY_MS = 1_000

/** Between blocks while nothing waits for any: an idle block costs every node about 20 ms of work. */
export const REST_INTERVAL_MS = 3_000
/** Epochs without a transaction after which a chain rests: what was done before has had its cutoff. */
export const REST_EPOCHS = 2

/** Consensus is asked at least this often whether something is due. */
export const TICK_MS_MAX = 1_000

/** Queries of light clients served at once. */
export const QUERIES_MAX = 32
export const QUERY_BYTES_MAX = 512

export const SNAPSHOT_BLOCKS = 64
export const STATES_KEPT = 64
/**
 * A node that comes back gossips what it sent before it went, until it sees it in a block: whoever is as far behind
 * as this takes a snapshot first. To punish sooner shuts out nodes that only have to catch up: their gossip is
 * passed over, they hear none, and so they stay behind.
 */
export const REPLAY_GRACE_BLOCKS = FAST_SYNC_BLOCKS
/** Evidence against validators that is kept. */
export const EVIDENCE_MAX = 64
/** Times `send` signs again because somebody else used the account's nonce. */
export const SEND_ATTEMPTS_MAX = 3

/** Of a checksum of 32: enough against chance, and whoever writes to the disk can write anything. */
export const SEAL_BYTES = 16

/**
 * Views for which certificates are kept after they are final, for those who look for the authors of
 * a fork: hours of a busy chain, at most 10 MB.
 */
export const CERTIFICATES_KEPT_VIEWS = 16_384
/** Certificates of one view that are given to whoever asks: honest ones are three. */
export const VIEW_CERTIFICATES_MAX = 16
/** Peers that are asked for what they know of a view. */
export const CULPRIT_PEERS_MAX = 8
/** Times that a fork's authors are looked for, with a longer wait after each. */
export const CULPRIT_SEARCHES_MAX = 5
/** Blocks until the second time. */
export const CULPRIT_PAUSE_BLOCKS = 4

/** Nodes that saw the same evidence report it one after the other, this many blocks apart, until it is judged. */
export const REPORT_STAGGER_BLOCKS = 2

/** Waiting for a report to be final; it is journaled and goes on without us. */
export const REPORT_TIMEOUT_MS = 60_000
