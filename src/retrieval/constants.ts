/** BM25's saturation of repeated terms and weight of a row's length, as Lucene has them. */
export const K1 = 1.2
export const B = 0.75

/** Different terms of a query that count, the first ones: a question has tens. */
export const QUERY_TERMS_MAX = 64

/** Characters of a term: what is longer is no word. */
export const TERM_LENGTH_MAX = 64

/** Characters of a row that a prompt shows. */
export const ROW_CHARACTERS_MAX = 400

/** Rows of one search; a prompt shows no more. */
export const ROWS_MAX = 16

/** Characters of a question that are searched for. */
export const QUERY_CHARACTERS_MAX = 2_048
