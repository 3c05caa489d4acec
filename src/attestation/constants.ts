/**
 * MinHash: 64 values estimate the Jaccard similarity of two rows with a standard error of 5 points
 * at three quarters; a row's fingerprint is 256 bytes.
 */
export const MINHASH_VALUES = 64

/** Rows whose fingerprints agree in this many of 64 values are near duplicates: similarity 0.75. */
export const NEAR_DUPLICATE_MATCHES_MIN = 48

/** Values of one LSH band. */
export const BAND_VALUES = 3

/**
 * Bands that are indexed. Near duplicates differ in at most 64 − 48 = 16 values, so they spoil at
 * most 16 of 17 disjoint bands: one is always equal, and the index finds every near duplicate.
 */
export const BANDS = MINHASH_VALUES - NEAR_DUPLICATE_MATCHES_MIN + 1

/** Words of one shingle: order matters a little, one changed word spoils three shingles. */
export const SHINGLE_WORDS = 3

/** Hash domains of the row fingerprints and of the segment that a validator recomputes. */
export const ROW_DOMAIN = 'datanet/row/1'
export const MINHASH_DOMAIN = 'datanet/minhash/1'
export const SEGMENT_DOMAIN = 'datanet/segment/1'

/** A row with fewer words than this loses quality in proportion. */
export const QUALITY_WORDS_FULL = 8
/** Letters among the characters that are no space, in per mille, from which a row is text. English prose has about 950. */
export const QUALITY_LETTERS_FULL = 700
/** Distinct word trigrams among all, in per mille, from which a row does not repeat itself. English prose has about 990. */
export const QUALITY_DISTINCT_FULL = 600

/** How often a validator tries to fetch earlier contributions before it compares without them. */
export const EARLIER_ATTEMPTS_MAX = 5

/** First and longest pause before a subject that could not be fetched is tried again. */
export const RETRY_MS = 2_000
export const RETRY_MS_MAX = 60_000

/** Subjects that wait for validation; more are found again when these are done. */
export const SUBJECTS_MAX = 4_096

/** Weights of an imported adapter: rank 64 on all projections of a model of a billion parameters. */
export const IMPORTED_WEIGHTS_BYTES_MAX = 268_435_456

/** Records of earlier adapters that are read at once, and how long they are waited for. */
export const ADAPTERS_COMPARED_AT_ONCE = 32
export const ADAPTER_LOOKUP_TIMEOUT_MS = 5_000

/** One contribution: all its shards and those of earlier ones that we lack. */
export const CONTRIBUTION_TIMEOUT_MS = 300_000

/** One adapter: its files and the recomputation of one segment. */
export const ADAPTER_TIMEOUT_MS = 600_000

/** Hash domains of the draw of who computes a column, and of what they sign. */
export const COLUMN_DRAW_DOMAIN = 'datanet/column-draw/1'
export const COLUMN_DOMAIN = 'datanet/column/1'

/** Nodes that compute each column of a Jacobian: with the developer's, three voices on each. */
export const COLUMN_COMPUTERS = 2
/** Voices for the same bytes from which a column is agreed, those of who published it included. */
export const COLUMN_QUORUM = 2
/** Blocks that the drawn have, after the adapter came, before the next in line may compute in their place. */
export const COLUMN_TAKEOVER_BLOCKS = 256
/**
 * Places in a column's line whose word is kept and forwarded. More than are drawn, because stakes
 * move: what was drawn when it computed may stand a few places further back when it is heard.
 */
export const COLUMN_VOICES_MAX = 8
/** Accounts that share one adapter: bounds the hashes of a draw. Other adapters have others. */
export const COLUMN_ACCOUNTS_MAX = 64
/** Stakes are read again for draws after so many blocks. */
export const COLUMN_STAKES_BLOCKS = 16

/** Columns of one adapter that a node computes, each as dear as about two and a half trainings. */
export const COLUMNS_PER_ADAPTER = 4
/** More than anybody should ask of one node. */
export const COLUMNS_PER_ADAPTER_MAX = 1024
/** Adapters that wait for their columns; more are found again at the next start. */
export const COLUMN_ADAPTERS_MAX = 256
/** Pause after work that failed or made room for other work; doubles with each time. */
export const COLUMN_RETRY_BLOCKS = 4
export const COLUMN_ATTEMPTS_MAX = 8
/** Columns of one adapter, and the texts of its data to be fetched. */
export const COLUMN_TIMEOUT_MS = 3_600_000

/** Statements that are kept in memory, of all adapters: about 32 MiB. */
export const COLUMN_STATEMENTS_MAX = 65_536
/** A statement has about 300 bytes with its envelope. */
export const COLUMN_STATEMENT_BYTES_MAX = 1_024
/** Statements in one message of an answer, and messages: 8 voices on each of 1,024 columns. */
export const COLUMN_STATEMENTS_PER_MESSAGE = 512
export const COLUMN_MESSAGES_MAX = 16
export const COLUMNS_PROTOCOL = '/datanet/columns/1'
export const COLUMNS_TIMEOUT_MS = 5_000
/** Peers that are asked what they heard of an adapter. */
export const COLUMN_PEERS_ASKED = 3
