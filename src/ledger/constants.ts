/** Domains of what only the ledger hashes; the others are in wire's `domains`. */
export const STATE_VALUE_DOMAIN = 'datanet/state-value/1'
export const STEPS_DOMAIN = 'datanet/opened-steps/1'
export const MERGE_DOMAIN = 'datanet/merge/1'

/** A key is a kind and a few identifiers; the longest of ours, of a waiting redemption, has 206 characters. */
export const STATE_KEY_LENGTH_MAX = 256

/** A path follows the bits of a SHA-256 digest. */
export const STATE_DEPTH_MAX = 256

/** Head, bitmap and other leaf (3 + 32 + 64 bytes) and 256 siblings. */
export const STATE_PROOF_BYTES_MAX = 8_291

/** A snapshot is read into memory; a million accounts and contributions are about 300 MB. */
export const STATE_SNAPSHOT_BYTES_MAX = 1_073_741_824

/** Tasks that are not settled: each is looked at once per block, and their ids are in `chain`. */
export const OPEN_TASKS_MAX = 1_024

/** One for each binary digit of a height that a number can count. */
export const HISTORY_PEAKS_MAX = 53

/** Redemptions that one task holds; those that pay the least for their part wait for the next epoch. */
export const TASK_SOURCES_MAX = 128

/**
 * Receipts that one task holds. Each seat replays every one and keeps
 * its gradient, so this bounds hours and memory (264 KB a receipt for an adapter of 33,000 weights).
 */
export const TASK_RECEIPTS_MAX = 8_192

/**
 * Receipts of one adapter in one redemption; a gateway with more sends several. A redemption gives way
 * as a whole, so with large ones few dear receipts would keep out many.
 */
export const REDEMPTION_RECEIPTS_MAX = 512

/** A place for a redemption is worth as many receipts as there are for each: else few receipts would buy all places. */
export const TASK_PART_RECEIPTS_MIN = TASK_RECEIPTS_MAX / TASK_SOURCES_MAX

/**
 * Blocks from a cutoff to the draw of its committees. Whoever proposes the block of the cutoff knows
 * what it adds to the beacon, and what is redeemed in that block is its choice: it must not know the
 * committee that goes with either choice. Two, so that it does not suffice to propose the next one.
 * The same from the block that takes a redemption out of a task or ends its committee: its last report could be left out of it.
 */
export const DRAW_DELAY_BLOCKS = 2

/** Epochs that a task waits for receipts that cannot be had: an outage, not a gateway that never delivers. */
export const ROLLOVERS_MAX = 2

/**
 * Blocks that a task waits after its last commit for planters who compute it as well: they begin with
 * the seats and need a block for their transaction, and a plant counts only before the reveals.
 */
export const PLANT_GRACE_BLOCKS = 2

/** Seats of one task: about 300 bytes each, so that a task with all its lists stays below a state value's limit. */
export const SEATS_MAX = 256

/**
 * Disputes of one task, each of which slashes at least one seat. More liars than that who differ at
 * different places are for the validators to judge at once.
 */
export const DISPUTES_MAX = 8

/** How many live votes there may be; one per proposer. */
export const OPEN_PROPOSALS_MAX = 64

/** One per live proposal and the newest. */
export const CHECKPOINTS_MAX = OPEN_PROPOSALS_MAX + 1

/** Channels end: 2^31 blocks are beyond any promise. */
export const CHANNEL_HEIGHT_MAX = 2_147_483_647

/** Sums that an account takes out of bonds at a time, 60 bytes each. */
export const UNBONDINGS_MAX = 64

/**
 * What a validator that contradicts itself loses of its stake, and those who delegated to it of
 * theirs, in basis points. A mistake (two machines with one key) looks like an attack, so not all;
 * but whoever forks the chain needs more than a third of the stake, and so loses a sixth of it all.
 */
export const DOUBLE_SIGN_SLASH_BP = 5_000n

/** Of that, what the reporter gets: enough to be worth a transaction, too little to report oneself for. */
export const REPORT_REWARD_BP = 500n

/** Whole of what is counted in basis points. */
export const BASIS_POINTS = 10_000n

/** Transactions of one account that may wait in a mempool. */
export const NONCE_GAP_MAX = 64
