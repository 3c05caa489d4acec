/** Half of the smallest machine that we know keeps room for the network and consensus; two is what most have. */
export const THREADS_DEFAULT = 2

/** More threads than this only wait for each other at the sizes of our batches. */
export const THREADS_MAX = 64

/** A worker reports after each example, which takes milliseconds; silence this long means that it hangs. */
export const STALL_TIMEOUT_MS = 120_000

/**
 * Beside that, what work without a pause takes on the slowest machines: cutting a character of text,
 * telling whether an example repeats another, and a floating-point operation of a curvature.
 */
export const CUT_SILENCE_MS = 0.02
export const PLAYER_SILENCE_MS = 5
export const FLOP_SILENCE_MS = 1e-5

/** Jobs that wait for their turn; each holds a data set in memory once it runs. */
export const QUEUE_MAX = 64

/** Texts of one run: they are held in memory while they are cut into examples. */
export const TEXT_BYTES_MAX = 268_435_456

/** Examples of one run: at 64 tokens each they take 256 MiB. */
export const EXAMPLES_MAX = 1_048_576

/** Recipe, snapshot and base records. */
export const RECORD_BYTES_MAX = 65_536

/** Weights, tokenizers and checkpoints. */
export const FILE_BYTES_MAX = 268_435_456

/** Receipts of one task that one replay attributes. */
export const RECEIPTS_MAX = 65_536

/** Gradients of answers of a merge that are kept until all are divided; of more they are computed twice. */
export const MERGED_GRADIENTS_BYTES_MAX = 268_435_456

/** What a thread was measured to do on gradients of small models; replaced by what the first steps take. */
export const FLOPS_PER_SECOND_AND_THREAD = 8e9

/**
 * A gradient by LoRA factors costs two passes over the frozen weights, forward and back, of one
 * multiplication and one addition per weight and token.
 */
export const FLOPS_PER_WEIGHT_AND_TOKEN = 4

/** Adapters record losses in micronats. */
export const MICRO = 1e6

/**
 * Work of the Jacobian, by estimate, above which the reverse form is chosen: some minutes on two
 * cores. In operations and not in seconds, because the form is part of the adapter's record, which
 * must not depend on how busy a machine is.
 */
export const INFLUENCE_FLOPS_MAX = 6e12

/**
 * Operations of one task's scores for each block until commits are due, about one a second: half of what
 * two threads do on gradients of small models. The other half is for fetching, receipts and other tasks.
 */
export const ASSESSED_FLOPS_PER_BLOCK = 8e9

/** Shorter times until commits are those of tests and of networks that trust each other. */
export const COMMIT_BLOCKS_MIN = 600

/** Algebra of methods with a curvature goes in f64 on one thread. */
export const ALGEBRA_COST = 4

/** Consensus and serving must answer within seconds while all cores train. */
export const WORKER_NICENESS = 10

/** Counted tokens that tell an example apart; a shorter answer, such as a label, many examples share honestly. */
export const COMPARED_TOKENS_MIN = 16

/** Rows that are cut into tokens to say how many examples a run will have: some milliseconds. */
export const ROWS_SAMPLED_MAX = 64

/** Bytes of a base that are read at once on their way into memory that threads share. */
export const SHARED_READ_BYTES = 16 * 1024 * 1024
