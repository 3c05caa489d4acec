/** What an intermediate is, first in its hash under wire's domain of trace steps. */
export const ADJOINT_STEP = 'adjoint'
export const COTANGENT_STEP = 'cotangent'
export const GRADDOT_STEP = 'graddot'

/** First bytes of an encoded state: "DNTS" and version 1, little-endian. */
export const STATE_MAGIC = 0x53544e44
export const STATE_VERSION = 1

/** Trained parameters: 4 Mi make a state of 96 MiB, more than any LoRA here; a bound on what a decoder allocates. */
export const STATE_PARAMETERS_MAX = 4_194_304

/** Columns of one Jacobian computation; beyond, the reverse form is cheaper by far. */
export const COLUMNS_MAX = 4096

/** What a reverse replay may keep of the forward pass; it recomputes segments beyond that. */
export const REPLAY_BYTES_MAX = 268_435_456

/** Fee weights are multiples of 2^-32, exact in f64. */
export const FEE_WEIGHT_BITS = 32n
export const FEE_WEIGHT_ONE = 4294967296

/** Examples whose gradients GradDot hashes into one trace step. */
export const GRADDOT_CHUNK = 16
