/** The genesis file of a chain is read whole; 128 validators and a thousand balances fit in a fraction of this. */
export const GENESIS_BYTES_MAX = 1024 * 1024

/** A node's configuration is a page of JSON. */
export const CONFIG_BYTES_MAX = 64 * 1024

/** Accounts in one keychain: a family of contributors, not a custodian. */
export const ACCOUNTS_MAX = 256

/** Finished trainings that a node remembers. */
export const TRAININGS_KEPT_MAX = 256

/** Trainings that wait for their turn: days of work for the machines that we know. */
export const TRAININGS_QUEUED_MAX = 64

/** Titles and manifests come from our own disk or a peer's; a page does not wait longer for them. */
export const LOOKUP_TIMEOUT_MS = 10_000

/** The same where many are listed: whoever puts a Datanet on the ledger and serves no manifest of it holds up a list so long. */
export const LISTED_LOOKUP_TIMEOUT_MS = 2_000

/** Tasks on one page of the API, newest first. */
export const TASKS_SHOWN_MAX = 100

/** Answers of this node on one page of the API, newest first. */
export const ANSWERS_SHOWN_MAX = 200

/** Answers of this node that can be asked for by their receipt: some kilobytes each. */
export const ANSWERS_KEPT_MAX = 10_000

/** Base units of OPEN for 1,000 tokens, where a developer names no price: 0.05 OPEN. */
export const PRICE_DEFAULT = 5n * 10n ** 16n

/** config.json, its neighbours and the index of a model in several files. */
export const MODEL_JSON_BYTES_MAX = 4 * 1024 * 1024

/** What `models` reads of a tokenizer. */
export const MODEL_TOKENIZER_BYTES_MAX = 32 * 1024 * 1024

/** Files of one model: the largest published have about 200, and fit no node. */
export const SHARDS_MAX = 256

/** Indexes of rows for retrieval, in memory; the least recently used go first, and are made again when they are needed. */
export const RETRIEVAL_INDEX_BYTES_MAX = 128 * 1024 * 1024

/** To read and index one contribution. */
export const INDEX_TIMEOUT_MS = 60_000

/** Indexes of spans that are open at once; the least recently used go first. */
export const SPAN_INDEX_BYTES_MAX = 256 * 1024 * 1024

/** An answer does not wait longer for its citations: what was indexed by then is kept for the next one. */
export const CITATIONS_TIMEOUT_MS = 20_000

/** To build what an index lacks; what is indexed by then is kept. The largest merge takes some seconds. */
export const SPAN_BUILD_TIMEOUT_MS = 120_000

/** Of that, to fetch and check what a peer has: whoever names files that never come leaves time to build. */
export const SPAN_TAKE_TIMEOUT_MS = SPAN_BUILD_TIMEOUT_MS / 2

/** Files that the index of one Datanet has: one for each doubling of its size, and one for each 17 million tokens beyond. */
export const SPAN_FILES_MAX = 64

/** Peers that are asked for an index before it is built. */
export const SPAN_PEERS_ASKED = 3

/** A peer looks an index up; it does not build one. */
export const SPAN_REQUEST_TIMEOUT_MS = 3_000

/** Contributions whose rows are read and compared with an index from a peer, drawn anew each time. */
export const SPAN_CONTRIBUTIONS_CHECKED = 4

/** Rows that are cut into tokens before others have a turn on the thread. */
export const ROWS_AT_ONCE = 64

/** Tokens of a row before and after a span that are shown with it. */
export const CITATION_MARGIN_TOKENS = 24

/** Milliseconds of work on an index before others have a turn on the thread. */
export const SPAN_WORK_AT_ONCE_MS = 8

/** Quotations of one contribution that are shown, the rarest ones. */
export const QUOTES_SHOWN_MAX = 5

/** Evidence of forks that is brought before the ledger at once: a fork has one or two records. */
export const FORK_REPORTS_AT_ONCE = 4

/** A transaction and its block; whoever reports waits for it. */
export const FORK_REPORT_TIMEOUT_MS = 40_000

/** Wait for peers' columns once an answer is there: its scores are to follow within 200 ms, and the work on them takes some. */
export const COLUMNS_PATIENCE_MS = 100
