export const SCORES_PROTOCOL = '/datanet/scores/1'

/** A request names one task. */
export const SCORES_REQUEST_BYTES_MAX = 256

export const STATES_PROTOCOL = '/datanet/step-states/1'

/** A request names one step of a task, the answer a file. */
export const STATE_MESSAGE_BYTES_MAX = 1_024

/** Files that turned out not to be the state of a step; after so many all are looked at once more. */
export const STATES_REFUSED_MAX = 1_024

/**
 * Seats that compute the state of a step at the same time. One would do if it is honest and there;
 * the others follow two by two while the step is not judged.
 */
export const STATE_PUBLISHERS_AT_ONCE = 2

/** How long one attempt to get receipts or scores from a peer may take. */
export const FETCH_TIMEOUT_MS = 20_000

/** Attempts to get a task's receipts before a seat reports them missing; one a block or so. */
export const FETCH_ATTEMPTS_MAX = 10

/** A seat that cannot recompute says so this many blocks before it would count as silent. */
export const REPORT_BLOCKS_BEFORE_DEADLINE = 3

/** Claims in one transaction: about 1 KiB each with its proof. */
export const CLAIMS_PER_TRANSACTION = 64

/** Seats claim for the contributors one after the other, this many blocks apart, until it is done. */
export const CLAIM_STAGGER_BLOCKS = 4

/** Finished assessments that are kept to answer "why was I paid". */
export const ASSESSMENTS_KEPT_MAX = 4_096

/** Waiting for one of our own transactions to be final; it is journaled and goes on without us. */
export const SUBMIT_TIMEOUT_MS = 60_000

/** Tasks whose receipts are in memory at once; recomputations take turns on all threads anyway. */
export const RECOMPUTE_CONCURRENCY = 2
