/** Fraction bits of a score: 2^-32 is far below the noise of any derivative, and 2^31 far above its size. */
export const SCORE_FRACTION_BITS = 32

/** Scores are int64 on the wire. */
export const SCORE_MAX = 2n ** 63n - 1n
export const SCORE_MIN = -(2n ** 63n)

/** Steps of a trace: the longest run has 2,048 steps of two hashes each; leaves room for other methods. */
export const TRACE_LENGTH_MAX = 1_048_576

/** Candidates of one draw; a bound on memory, not a target. */
export const CANDIDATES_MAX = 1_048_576

/** Basis points of a whole. */
export const BASIS_POINTS = 10_000

/** Tokens of a run that two examples may share: shorter ones are common phrases. */
export const SHINGLE_TOKENS = 4

/** Runs of an example, in percent, that make it a near duplicate of what has them too. Of 640 windows of speeches by 16 presidents none of 64 tokens and 4 of 32 ("Fellow-Citizens of the Senate …") share as many by chance; short rows of one template do. */
export const NEAR_DUPLICATE_SHARE_PERCENT = 50

/** Originals that are remembered for one run: phrases that more have tell nothing apart. */
export const SHINGLE_HOLDERS_MAX = 32

/** Tokens from which an example is compared in place: among shorter ones many honest rows of one form differ in a word or two. */
export const ALIGNED_TOKENS_MIN = 16

/** Places that are remembered for one pair of tokens: rarer pairs tell more. */
export const PAIR_HOLDERS_MAX = 8

/** Pairs that are remembered in all, about 250 MB; of more only one in so many is looked at. */
export const PAIRS_MAX = 2_097_152

/** Runs that are remembered in all, about 250 MB. Of more tokens only one run in so many is looked at: a sample, the same for everybody. */
export const SHINGLES_MAX = 2_097_152
