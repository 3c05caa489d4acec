/** Tokens that an answer may be ahead of whoever reads it; then it rests until some are taken. */
export const STREAM_TOKENS_AHEAD = 64
