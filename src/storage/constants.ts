/** The largest block that is stored or fetched. Bitswap frames hold 2 MiB, so one block always fits with its envelope. */
export const BLOCK_BYTES_MAX = 1024 * 1024

/** A file up to this size is one raw block, so that its CID is the hash of its bytes. */
export const FILE_BLOCK_BYTES_MAX = BLOCK_BYTES_MAX

/** Leaves of larger files: the chunk size and the fan-out that `ipfs add --cid-version 1` uses, so that both give one CID. */
export const FILE_CHUNK_BYTES = 256 * 1024
export const FILE_LINKS_MAX = 174

/** Two levels of nodes over leaves hold 7.4 GiB: more depth than this is an attack, not a file. */
export const FILE_DEPTH_MAX = 3

/** Files are held in memory while they are put or joined; the largest we make are training states and weights. */
export const FILE_BYTES_MAX = 256 * 1024 * 1024

/** Files that are put and read by ranges are never in memory as a whole; the largest are weights, which must fit a memory of 4 GiB. */
export const FILE_STREAM_BYTES_MAX = 4 * 1024 * 1024 * 1024

/** Leaves of one file fetched or written at once: 4 MiB in flight. */
export const FILE_CONCURRENCY = 16

/** One attempt to fetch one block. Bitswap loses about one want in seventy and says nothing, so attempts are short. */
export const FETCH_TIMEOUT_MS = 6_000
export const FETCH_ATTEMPTS_MAX = 4

/**
 * Pause before another attempt, doubled each time. Helia keeps an aborted want for one send
 * round (10 ms and the time to send) and swallows a new want for the same block meanwhile.
 */
export const FETCH_BACKOFF_MS = 300

/** Blocks wanted from the network at once, and callers that may wait for their turn. */
export const FETCHES_MAX = 64
export const FETCHES_WAITING_MAX = 4_096

/** A holder sends a block again to the same peer after this; with bitswap's own 5 s a lost message costs an attempt. */
export const RESEND_MS = 1_000

/** When peers are asked again which protocols they speak, in case they began to serve blocks after we met. */
export const IDENTIFY_DELAYS_MS = [500, 2_000, 8_000]

/** Blocks whose pins were let go that are remembered until they are deleted, about 64 MiB. */
export const LET_GO_MAX = 262_144

/** How long nobody may have used them: longer than the longest job that read them before. */
export const LET_GO_MS = 12 * 3_600_000

/** How often they are looked through. */
export const SWEEP_MS = 3_600_000

/** Blocks that one pin may keep: 16 GiB of file leaves, or an endless DAG by a stranger. */
export const PIN_BLOCKS_MAX = 65_536
