/** A row of any source; four fit one shard, so that no row is too large for it. */
export const ROW_BYTES_MAX = 262_144

/**
 * Shards are closed at this size, well under what one may have: a lost fetch then costs little,
 * and small contributions still are one block. 1,024 of them make 256 MiB.
 */
export const SHARD_BYTES_TARGET = 262_144

/** A parquet file is read through its footer and row groups; larger files come as an AsyncBuffer. */
export const PARQUET_BYTES_MAX = 268_435_456

/** A row group is decoded at once, in memory. Writers make them of 128 MiB. */
export const PARQUET_ROW_GROUP_BYTES_MAX = 268_435_456

/** Paragraphs shorter than this are headings, page numbers and salutations. */
export const PARAGRAPH_CHARACTERS_MIN = 40

/** Longer paragraphs are cut at the end of a sentence, so that a row fits the context of small models. */
export const PARAGRAPH_CHARACTERS_MAX = 1_000

/** Progress is reported once in this many rows. */
export const PROGRESS_ROWS = 256

/** Announced contributions that are not on the ledger yet: 16 MiB at most. The oldest is forgotten. */
export const ANNOUNCED_MAX = 256

/** Contributions fetched at once by a holder; each fetches its shards in turn. */
export const HOLDING_CONCURRENCY = 4

/** First and longest pause before a holder tries again to fetch what nobody gave. */
export const HOLD_RETRY_MS = 2_000
export const HOLD_RETRY_MS_MAX = 60_000

/** One shard of a contribution, retries included. */
export const SHARD_TIMEOUT_MS = 30_000

/** Manifests and records kept decoded; they are immutable. */
export const RECORDS_CACHED_MAX = 1_024

/** Blocks that an author waits for validators to decide on somebody else's entry of its subject: longer than they take to look at one that they can fetch. */
export const ENTRY_WAIT_BLOCKS = 1_000

/** Entries of others under one CID that an author outlasts: each has cost somebody a deposit. */
export const SQUATTERS_MAX = 8
