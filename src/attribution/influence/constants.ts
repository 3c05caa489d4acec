/** What an intermediate is, first in its hash under wire's domain of trace steps. */
export const ADJOINT_STEP = 'adjoint'
export const ADJOINT_STATE = 'adjoint-state'
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

/** What one thread may keep of a Jacobian's columns; the others go through the run after them. */
export const JACOBIAN_BYTES_MAX = 268_435_456

/** Fee weights are multiples of 2^-32, exact in f64. */
export const FEE_WEIGHT_BITS = 32n
export const FEE_WEIGHT_ONE = 4294967296

/** Examples whose gradients GradDot hashes into one trace step. */
export const GRADDOT_CHUNK = 16

/** Steps of the methods that weigh gradients by a curvature; see protocols/assessment. */
export const GRADIENTS_STEP = 'gradients'
export const CURVATURE_STEP = 'curvature'
export const SCORES_STEP = 'scores'

/** Gradients of all examples that a method keeps; beyond, it computes them again for each pass. */
export const GRADIENTS_BYTES_MAX = 268_435_456

/** Examples of a Fisher kernel: 4,096 make a matrix of 128 MiB, and its factor 23 G operations. */
export const KERNEL_EXAMPLES_MAX = 4096

/** Features of a projected gradient: TRAK and LoGra find little to gain beyond some thousand. */
export const PROJECTION_FEATURES = 512

/** Features that each parameter is added to; Kane and Nelson's sparse projection, 4 suffice in practice. */
export const PROJECTION_COPIES = 4

/** Features of all examples that a method holds, in f64. */
export const FEATURES_BYTES_MAX = 268_435_456

/** Damping as a share of the mean eigenvalue (Grosse et al. 2023, Kwon et al. 2023 use the same). */
export const DAMPING = 0.1

/** What a method may hold for one adapter: more is refused before the adapter is trained or admitted. */
export const METHOD_BYTES_MAX = 1_073_741_824

/** Rows of one side of an EK-FAC factor: 1,024 take some 20 s of rotations. */
export const FACTOR_ROWS_MAX = 1024

/** Examples whose gradients EK-FAC multiplies at once, and the bytes that a copy of them may take. */
export const CHUNK_EXAMPLES = 64
export const CHUNK_BYTES = 67_108_864
