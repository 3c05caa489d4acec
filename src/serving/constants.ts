import { REDEMPTION_RECEIPTS_MAX } from '../ledger/index.ts'

/** A prompt and an answer together fit the longest context that we serve; 4 bytes a character, generously. */
export const ASK_BYTES_MAX = 64 * 1024

/** An answer's tokens, its receipt and its text. */
export const ANSWER_BYTES_MAX = 256 * 1024

/** Tokens of a prompt, and of an answer: what the two messages above hold. */
export const TOKENS_MAX = 8_192

/** Turns of a conversation, and letters of the name of who speaks: more than clients of chat APIs send. */
export const TURNS_MAX = 64
export const ROLE_LENGTH_MAX = 32

/** Texts that end an answer, and characters of each, as OpenAI's API allows. */
export const STOPS_MAX = 4
export const STOP_LENGTH_MAX = 64

/** Openings of one redemption: about 2 KiB each, 512 of them, and some that are longer. */
export const OPENINGS_BYTES_MAX = 4 * 1024 * 1024

/** What the openings themselves may take of it; the rest is the message around them. */
export const REDEMPTION_BYTES_MAX = OPENINGS_BYTES_MAX - 64 * 1024

/** Receipts of one redemption, of whatever adapters; more make another one. The ledger takes no more of one adapter. */
export const RECEIPTS_PER_REDEMPTION_MAX = REDEMPTION_RECEIPTS_MAX

/** Redemptions under way at once; the mempool takes 64 transactions of one account. */
export const REDEMPTIONS_AT_ONCE = 32

/** Tokens of one answer where the payer names no number. */
export const TOKENS_DEFAULT = 48

/** Answers that are made at once: what one pass of the engine takes, and some that wait for a place in it. */
export const ANSWERS_AT_ONCE = 64

/**
 * Channels between two accounts: so many answers of one payer are made at once, since of each
 * channel at most one is not paid yet. A channel more is a deposit more and a ledger operation more
 * in each epoch.
 */
export const LANES_MAX = 4

/** Requests that wait for the engine; one more is told to come back. */
export const QUEUE_MAX = 64

/** Of both, answers of bases alone: they are free, so a quarter of the room is what they can fill. */
export const FREE_ANSWERS_AT_ONCE = ANSWERS_AT_ONCE / 4
export const FREE_QUEUE_MAX = QUEUE_MAX / 4

/** Of these, answers of one account: as many as its payer asks for at once. */
export const FREE_ANSWERS_PER_ACCOUNT_MAX = LANES_MAX

/** An answer on a busy machine, from the first byte to the last. */
export const ASK_TIMEOUT_MS = 120_000

/** An answer that is sent while it is made: thousands of tokens on a slow machine. */
export const STREAM_TIMEOUT_MS = 600_000

/** Between two pieces of such an answer, the wait for the engine included. */
export const STREAM_IDLE_TIMEOUT_MS = 60_000

/** Models, prices and receipts are looked up, not computed. */
export const LOOKUP_TIMEOUT_MS = 20_000

/** Weights of one model from the swarm. */
export const LOAD_TIMEOUT_MS = 60_000

/** Committees that read receipts at once: 4 MiB each. */
export const RECEIPTS_CONCURRENCY_MAX = 16

/** The gateway redeems in the last blocks of an epoch; consensus needs one or two to order it. */
export const REDEEM_BLOCKS_BEFORE_CUTOFF = 6

/**
 * Epochs that a channel must still have when a question comes: the gateway redeems once in each,
 * and from its expiry on the payer may take the rest of the deposit back.
 */
export const EXPIRY_MARGIN_EPOCHS = 2

/** What a payer puts into escrow when it first talks to a gateway, in base units (1 OPEN). */
export const CHANNEL_DEPOSIT = 10n ** 18n

/** Blocks after which a payer may close its channel: about a day of idle blocks. */
export const CHANNEL_BLOCKS = 86_400

/** Bytes of decoded weights kept for adapters and bases before the least recently used is dropped. */
export const WEIGHTS_BYTES_MAX = 512 * 1024 * 1024

/** Of these, bytes of adapters that a gateway fetches before somebody asks; what is asked for has the other half at least. */
export const PREFETCH_BYTES_MAX = WEIGHTS_BYTES_MAX / 2

/** So many of the likeliest adapters are fetched ahead, and so many blocks are between two looks. */
export const PREFETCH_ADAPTERS_MAX = 256
export const PREFETCH_EVERY_BLOCKS = 16

export const ASK_PROTOCOL = '/datanet/ask/1'
export const ASK_STREAM_PROTOCOL = '/datanet/ask-stream/1'
export const COSIGN_PROTOCOL = '/datanet/cosign/1'
export const OFFERS_PROTOCOL = '/datanet/offers/1'
export const RECEIPTS_PROTOCOL = '/datanet/receipts/1'

/** A column of the influence Jacobian: 8 bytes a trained parameter; a rank-64 adapter of a large base. */
export const COLUMN_BYTES_MAX = 64 * 1024 * 1024

/** All columns of one adapter: a developer publishes up to 1,024, and gateways load adapters before anybody asks. */
export const COLUMNS_BYTES_MAX = WEIGHTS_BYTES_MAX / 2

/** Blocks without a question after which a gateway closes a channel: about six hours of idle blocks. */
export const CHANNEL_IDLE_BLOCKS = 21_600

/** How often channels to close, and receipts to forget, are looked for. */
export const TIDY_EVERY_BLOCKS = 64

/** Transactions of a payer in which its newest channel is looked for. */
export const NONCES_SEARCHED_MAX = 64

/** Adapters that one gateway lists; who wants another one asks for it by name. */
export const OFFERS_MAX = 4_096

/** An offer without its name, and what is around all of them: two CIDs, two prices and the names of fields have about 200 bytes. */
export const OFFER_BYTES_MAX = 240

/** Connected gateways that are asked for their offers. */
export const GATEWAYS_ASKED_MAX = 16

/** Once one of them serves what is asked for, the others get so long to say that they do too. */
export const OTHERS_PATIENCE_MS = 1_000

/** Gateways that failed last time and are remembered for it. */
export const FAILING_GATEWAYS_MAX = 64

/** Questions that a payer may have put without an answer before one is answered and paid. */
export const UNANSWERED_MAX = 16

/** A new channel is known to the payer a block before the gateway; it asks again after each block. */
export const NEW_CHANNEL_ATTEMPTS_MAX = 5

/** Traced answers that are remembered of one loaded adapter. */
export const ATTRIBUTIONS_KEPT_MAX = 64

/**
 * Gradients of checked answers that wait to be traced, of one adapter: whoever asks traces the answer as
 * soon as it is paid, and so many lanes pay at once.
 */
export const GRADIENTS_KEPT_MAX = LANES_MAX

/** Tokens times contributions of an answer that is remembered: half a megabyte, so 32 for one adapter at most. */
export const ATTRIBUTION_VALUES_KEPT_MAX = 65_536

/** Contributions whose part in each token is computed: each costs two forward passes over the answer. */
export const TOKEN_COLUMNS_MAX = 16
