/** A question, a proposal, a manifest: JSON bodies are small. */
export const JSON_BYTES_MAX = 256 * 1024

/** A file of rows that is contributed in one request. */
export const UPLOAD_BYTES_MAX = 64 * 1024 * 1024

/** Listeners of the event stream: pages and terminals of one person. */
export const EVENT_STREAMS_MAX = 32

/** Bytes that may wait for one slow listener before it is dropped. */
export const EVENT_BACKLOG_BYTES_MAX = 1024 * 1024

/** Proxies and browsers drop silent connections; a comment goes out this often. */
export const KEEP_ALIVE_MS = 15_000

/** A transaction is final within seconds; a validator set that lost its quorum is not waited for. */
export const TRANSACTION_TIMEOUT_MS = 45_000

/** An answer on a machine that trains at the same time. */
export const ANSWER_TIMEOUT_MS = 150_000

/** Blocks on one page. */
export const BLOCKS_MAX = 100

/** A streamed answer: thousands of tokens on a machine that trains at the same time. */
export const STREAM_TIMEOUT_MS = 600_000

/** Answers that are bought at once, and those that wait for their turn; one more is told to come back. */
export const ANSWERS_AT_ONCE = 8
export const ANSWERS_WAITING_MAX = 64

/** What a caller that is told to come back should wait, where nothing better is known. */
export const RETRY_AFTER_SECONDS = 2

/** Answers under way when the server stops get this long to end. */
export const DRAIN_TIMEOUT_MS = 15_000

/** Keys of one node: an operator's customers, each some hundred bytes in memory. */
export const KEYS_MAX = 10_000

/** Addresses that use the free tier within a minute and are counted one by one; beyond, they share one count. */
export const FREE_ADDRESSES_MAX = 10_000

/** Weights of an adapter that come from peers. */
export const ADAPTER_FILES_TIMEOUT_MS = 300_000

/** A PEFT directory: 64 MiB of weights and their configuration. */
export const IMPORT_BYTES_MAX = 65 * 1024 * 1024

/** Of one address without a key: the reasons of a payout are about ten proofs and one for each validator. */
export const LIGHT_REQUESTS_PER_MINUTE = 1_200
