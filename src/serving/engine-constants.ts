/** Tokens that an answer may be ahead of whoever reads it; then it rests until some are taken. */
export const STREAM_TOKENS_AHEAD = 64

/** Rows of one pass at most, and at least: as many as run at once, since each of them decodes one. */
export const PASS_ROWS_MAX = 128
export const PASS_ROWS_MIN = 32

/**
 * Rows times parameters of one pass. Between passes the process gets its turn; two operations each at
 * 30 GFLOP/s are about 0.04 s. Beyond 32 rows a pass of more of them is no faster by the row.
 */
export const PASS_WORK_MAX = 640_000_000
