/** Domains of what this module hashes, so that no digest can be read as another kind's. */
export const TASK_DOMAIN = 'datanet/task/1'
export const COMMIT_DOMAIN = 'datanet/assessment-commit/1'
export const SCORE_HEADER_DOMAIN = 'datanet/score-header/1'
export const SCORE_ENTRY_DOMAIN = 'datanet/score-entry/1'
export const TRACE_LEAF_DOMAIN = 'datanet/trace-leaf/1'
export const DRAW_DOMAIN = 'datanet/draw/1'

/** Fraction bits of a score: 2^-32 is far below the noise of any derivative, and 2^31 far above its size. */
export const SCORE_FRACTION_BITS = 32

/** Scores are int64 on the wire. */
export const SCORE_MAX = 2n ** 63n - 1n
export const SCORE_MIN = -(2n ** 63n)

/** A table's entries; a snapshot of a million contributions still has a 20-hash proof. */
export const SCORE_ENTRIES_MAX = 1_048_576

/** Steps of a trace: two per training step, so half a million training steps. */
export const TRACE_LENGTH_MAX = 1_048_576

/** Candidates of one draw; a bound on memory, not a target. */
export const CANDIDATES_MAX = 1_048_576

/** A path in a tree of 2^20 + 1 leaves. */
export const PROOF_LENGTH_MAX = 21

/** Basis points of a whole. */
export const BASIS_POINTS = 10_000
