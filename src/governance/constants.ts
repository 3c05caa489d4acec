/** Basis points of a whole. */
export const BASIS_POINTS = 10_000

/** Some 3 years at one block a second: a longer wait is a mistake. */
export const DURATION_BLOCKS_MAX = 100_000_000

/** A task's state holds all its seats; 16 already make a false accept improbable. */
export const SEATS_MAX = 256

/** Openings of one trace that fit a transaction with their proofs. */
export const TRACE_OPENINGS_MAX = 32

/** One per validator. */
export const PLANTS_MAX = 128

/** Each redraw costs a commit and a reveal period during which nobody is paid. */
export const REDRAWS_MAX = 100

/** Actions of one proposal: all are applied in one transaction. */
export const ACTIONS_MAX = 16

/** What a state value can hold: 16 bytes. */
export const AMOUNT_MAX = 2n ** 128n - 1n

/** A certificate's bitmap has 16 bytes; the rest is in consensus. */
export const VALIDATORS_MAX = 128

/** Unbonded in epoch e, stake may be in the sets of e, e + 1 and e + 2. */
export const UNBOND_EPOCHS_MIN = 3
export const UNBOND_EPOCHS_MAX = 100_000
