/** OpenAI's API allows ±2; five times that shuts any token out. */
export const PENALTY_MILLI_MAX = 10_000
/** Values above 2 are unheard of. */
export const REPETITION_MILLI_MAX = 100_000
/** As many tokens as an answer may have. */
export const TOKENS_MIN_MAX = 8_192
