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

/** Columns of a Jacobian that a validator computes again, each as dear as about two and a half trainings. */
export const COLUMN_CHECKS = 1
/** Beside the other checks of an adapter they fit into one attestation. */
export const COLUMN_CHECKS_MAX = 32

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

/** One contribution: all its shards and those of earlier ones that we lack. */
export const CONTRIBUTION_TIMEOUT_MS = 300_000

/** One adapter: its files and the recomputation of one segment. */
export const ADAPTER_TIMEOUT_MS = 600_000
