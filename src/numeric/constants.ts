/** Default bound of an arena: a 64-token gradient of a 1 M-parameter model with 8 tangents fits. */
export const ARENA_BYTES_DEFAULT = 268_435_456

/** WebAssembly addresses 32 bits; one page less than 4 GiB keeps every end address below 2^32. */
export const ARENA_BYTES_LIMIT = 4_294_901_760

/** Garbage of a gradient that is not worth moving anything for. */
export const COTANGENTS_SLACK_BYTES = 131_072

/** Granularity of WebAssembly memory. */
export const PAGE_BYTES = 65_536

/** The first page holds the kernels' own static data, so that no buffer has address 0. */
export const ARENA_BASE_BYTES = PAGE_BYTES

/** Every buffer starts on a vector boundary and is padded to one, so kernels need no scalar tails. */
export const ALIGN_BYTES = 16

/** Kernels may read (never write) this far past a buffer: 32 steps of a panel of eight f32. */
export const OVERREAD_BYTES = 1024

/** Directions are cheap but not free: a bound turns a wrong argument into an error instead of an hour. */
export const DIRECTIONS_MAX = 1024

/** Rows and columns of a GEMM register tile; packed operands are padded to these. */
export const TILE_ROWS = 4
export const TILE_COLUMNS = 8

/** Queries that attention with tangents takes at once; what lies above their diagonal is computed in vain. */
export const ATTENTION_ROWS = 32

/** Queries of a head whose probabilities the attention of all heads works on while they are in a cache. */
export const ATTENDED_ROWS = 64

/** Frozen weights are packed by so many rows, the last group padded. */
export const GROUP_ROWS = 16

/** Tokens whose keys and values lie together: two panels of 8 columns. */
export const PAGE_TOKENS = 16

/** Values that share one scale in q8_0 and q4_0. */
export const QUANT_BLOCK = 32

/** As many values rounded for products in integers; see assembly/rounding.ts. */
export const ROUNDED_BLOCK_BYTES = 72

/** Weights pass through a buffer of about this size on their way into their layout. */
export const STAGED_BYTES = 1_048_576

/** What products with frozen weights decode into: four panels of [384][8] f32 and two of [32][8], or eight widened blocks of 1,088 bytes. */
export const DECODE_BYTES = 51_200

/** Largest angle that sin and cos reduce exactly enough (fdlibm's medium range, 2^19·π/2). */
export const ANGLE_MAX = 823_549

/** Rotary tables grow by this many positions at a time, so that decoding does not grow them per token. */
export const ROPE_TABLE_ROWS = 256

/** Threads beyond the cores of a large machine gain nothing, and each costs an instance and its scratch. */
export const THREADS_MAX = 64

/** Each thread's own static bytes, and the words that threads talk by, in the first page; the kernels' data lies below. */
export const STATICS_AT = 16_384
export const STATICS_BYTES = 256
export const CONTROL_AT = 49_152

/** Scratch of a helper: 768 packed rows of 2,048, or what is decoded. Products that need more run on one thread. */
export const HELPER_SCRATCH_BYTES = 8_388_608

/** Multiplications below which waking others costs more than it gains: about 0.1 ms of one thread. */
export const SHARED_PRODUCTS_MIN = 2_097_152
/** The same for one row, where reading weights takes the time. */
export const SHARED_WEIGHTS_MIN = 524_288

/** Chunks per thread: enough that a thread which comes late or is slow does not hold up the others. */
export const CHUNKS_PER_THREAD = 4

/** Looks at a word before sleeping on it: some 20 µs, the time between two products of a pass. */
export const SPINS = 20_000

/** A chunk takes milliseconds; a helper silent for this long has died. */
export const HELPER_TIMEOUT_MS = 60_000

/** Lines and steps of a block of f64 matrices: C and a packed operand of 512 KiB each stay in the second-level cache. */
export const DOUBLES_BLOCK = 256

/** Steps of a group of f64 sums, which one block has to hold: 2 MiB a side. */
export const DOUBLES_GROUP_MAX = 1024

/** Rows of an f64 matrix whose eigenvectors are searched for: with them 64 MiB, and eight minutes of rotations. */
export const EIGENVECTORS_ROWS_MAX = 2048
