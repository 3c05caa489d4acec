/** A wasm memory addresses 4 GiB; the kernels keep a little for themselves. */
export const MEMORY_BYTES_MAX = 4_294_000_000

/** The kernels' first page is theirs; every buffer begins at a multiple of a cache line. */
export const MEMORY_BASE_BYTES = 65_536
export const ALIGN_BYTES = 64

/** Sequences that decode at once: beyond 32 rows a product gains little, and answers get slower. */
export const BATCH_MAX = 32

/** Rows of one pass, decodes first, the rest for prompts: a pass stays short while a long prompt comes in. */
export const STEP_TOKENS_MAX = 128

/** Keys and values: 1,000 tokens of a 1 M-parameter base take 4 MiB, of a 135 M one 45 MiB. */
export const CACHE_BYTES_MAX = 128 * 1024 * 1024

/** Packed adapters: a rank-8 one on all projections of the 1 M-parameter base takes 330 KiB. */
export const ADAPTER_BYTES_MAX = 128 * 1024 * 1024

/** Sequences that wait; more are refused, so that whoever asks can go elsewhere. */
export const QUEUE_MAX = 1024

/** Adapters merged in one request: each costs its products for every token. */
export const ADAPTERS_PER_SEQUENCE_MAX = 4

/** A weight of 1,000 is the adapter as it was trained; ±10 covers negation and exaggeration. */
export const WEIGHT_MILLI_MAX = 10_000

/** Tokens that a tenant may spend before the next one's turn: about one answer. */
export const QUANTUM_TOKENS = 512

export const STOP_SEQUENCES_MAX = 16
export const STOP_SEQUENCE_TOKENS_MAX = 64

/** As many likeliest tokens as OpenAI's API reports. */
export const TOP_LOG_PROBABILITIES_MAX = 20

/** Rotary tables grow by so many positions at a time. */
export const ROPE_ROWS = 256

/** Weights pass through a buffer of this size on their way into their layout. */
export const STAGED_BYTES = 1_048_576
