/**
 * Tokens and row ends of one part of an index. Building takes at most 26 bytes for each of them, so
 * 14 MB, and blocks a thread for about 100 ms; pointers of 19 bits do. The longest row that a shard
 * takes fits, even if each byte is a token.
 */
export const PART_SYMBOLS_MAX = 524_288

/** Token ids are below this, as in the base model's record. */
export const VOCABULARY_MAX = 1_048_576

/** An encoded part at the limits: 21 bits for each token, 19 for its pointer, and a pointer for each row. */
export const PART_BYTES_MAX = 4_194_304

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
