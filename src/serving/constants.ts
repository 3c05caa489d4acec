/** A prompt and an answer together fit the longest context that we serve; 4 bytes a character, generously. */
export const ASK_BYTES_MAX = 64 * 1024

/** An answer's tokens, its receipt and its text. */
export const ANSWER_BYTES_MAX = 256 * 1024

/** Openings of one channel and adapter in one epoch: about 2 KiB each, 2,000 of them. */
export const OPENINGS_BYTES_MAX = 4 * 1024 * 1024

/** Receipts of one redemption; more wait for the next. A committee member replays each of them. */
export const RECEIPTS_PER_REDEMPTION_MAX = 2_000

/** Tokens of one answer where the payer names no number. */
export const TOKENS_DEFAULT = 48

/** Requests that wait for the engine; one more is told to come back. */
export const QUEUE_MAX = 64

/** An answer on a busy machine, from the first byte to the last. */
export const ASK_TIMEOUT_MS = 120_000

/** Models, prices and receipts are looked up, not computed. */
export const LOOKUP_TIMEOUT_MS = 20_000

/** The gateway redeems in the last blocks of an epoch; consensus needs one or two to order it. */
export const REDEEM_BLOCKS_BEFORE_CUTOFF = 6

/** What a payer puts into escrow when it first talks to a gateway, in base units (1 OPEN). */
export const CHANNEL_DEPOSIT = 10n ** 18n

/** Blocks after which a payer may close its channel: about a day of idle blocks. */
export const CHANNEL_BLOCKS = 86_400

/** Bytes of decoded weights kept for adapters and bases before the least recently used is dropped. */
export const WEIGHTS_BYTES_MAX = 512 * 1024 * 1024

export const ASK_PROTOCOL = '/datanet/ask/1'
export const COSIGN_PROTOCOL = '/datanet/cosign/1'
export const OFFERS_PROTOCOL = '/datanet/offers/1'
export const RECEIPTS_PROTOCOL = '/datanet/receipts/1'

/** A column of the influence Jacobian: 8 bytes a trained parameter; a rank-64 adapter of a large base. */
export const COLUMN_BYTES_MAX = 64 * 1024 * 1024

/** Transactions of a payer in which its newest channel is looked for. */
export const NONCES_SEARCHED_MAX = 64
