/**
 * Tokens and row ends that are sorted at once. Sorting takes at most 46 bytes for each of them (26
 * unless most rows are empty), so 24 MB, and blocks a thread for about 100 ms. The longest row that
 * a shard takes fits, even if each byte is a token.
 */
export const PART_SYMBOLS_MAX = 524_288

/**
 * Tokens and row ends of parts that were merged. Merging takes 8 bytes for each of them beside the
 * parts, so at most 134 MB; a file of them takes at most 94 MB. What is beyond is asked beside it.
 */
export const MERGED_SYMBOLS_MAX = 16_777_216

/** Token ids are below this, as in the base model's record. */
export const VOCABULARY_MAX = 1_048_576

/** Contributions of one part: as many as a snapshot has. */
export const PART_SOURCES_MAX = 65_536

/** A CIDv1 with one byte each of version and codec, and sha2-256. */
export const CONTRIBUTION_BYTES = 36

/** An encoded part at the limits: 21 bits for each token, 24 for its pointer, a pointer for each row, and its contributions. */
export const PART_BYTES_MAX = 150_994_944

/** Symbols between two looks at the clock while parts are merged or checked: about a millisecond. */
export const MERGE_SYMBOLS_AT_ONCE = 8_192

/** Parts that are sorted together rather than merged one after the other, if they fit: sorting costs about as much as this many merges. */
export const SORTED_TOGETHER_MIN = 5

/** Shorter matches are said by everybody. */
export const SPAN_TOKENS_MIN = 6

/** Spans that are shown of one answer. */
export const SPANS_MAX = 20

/** Rows that are cited for one span; its count says how many more there are. */
export const CITATIONS_MAX = 5

/** Spans of one answer for which the same row is cited: boilerplate is not to fill the list. */
export const CITATIONS_PER_ROW_MAX = 3

/** Places of one span that are looked at in each part to find its rows. */
export const PLACES_MAX = 1_024

/** Tokens of one answer; the wire's own bound on receipts. */
export const ANSWER_TOKENS_MAX = 65_536
