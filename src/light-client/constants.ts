/** A block becomes final with the first of its descendants that is; a run of this many without is a stalled or lying source. */
export const DESCENDANTS_MAX = 64

/** A proof over a bad connection takes a second; a silent source should not hold a person for long. */
export const TIMEOUT_MS = 10_000
