/** Domains of what only the ledger hashes; the others are in wire's `domains`. */
export const STATE_VALUE_DOMAIN = 'datanet/state-value/1'
export const STEPS_DOMAIN = 'datanet/opened-steps/1'

/** A key is a kind and at most two identifiers; the longest of ours has 130 characters. */
export const STATE_KEY_LENGTH_MAX = 256

/** The largest value is a task: 128 seats of about 300 bytes, 256 sources and 128 verdicts. */
export const STATE_VALUE_BYTES_MAX = 262_144

/** A path follows the bits of a SHA-256 digest. */
export const STATE_DEPTH_MAX = 256

/** Head, bitmap and other leaf (3 + 32 + 64 bytes) and 256 siblings. */
export const STATE_PROOF_BYTES_MAX = 8_291

/** A snapshot is read into memory; a million accounts and contributions are about 300 MB. */
export const STATE_SNAPSHOT_BYTES_MAX = 1_073_741_824

/** At about 0.1 ms for a signature check, a full block costs a validator some 50 ms. */
export const BLOCK_TRANSACTIONS_MAX = 512

/** What gossip carries in one frame with headroom. */
export const BLOCK_TRANSACTION_BYTES_MAX = 1_048_576

/** The active set of the consensus protocol. */
export const VALIDATORS_MAX = 128

/** Tasks that are not settled: each is looked at once per block, and their ids are in `chain`. */
export const OPEN_TASKS_MAX = 1_024

/** Redemptions that one task holds; more wait for the next epoch. */
export const TASK_SOURCES_MAX = 256

/** Contributions of one adapter: their CIDs are in its state value. */
export const ADAPTER_CONTRIBUTIONS_MAX = 1_024

/** How many live votes there may be; one per proposer. */
export const OPEN_PROPOSALS_MAX = 64

/** Channels end: 2^31 blocks are beyond any promise. */
export const CHANNEL_HEIGHT_MAX = 2_147_483_647

/** Transactions of one account that may wait in a mempool. */
export const NONCE_GAP_MAX = 64

/** Accounts in the genesis; later ones come by transfers. */
export const GENESIS_BALANCES_MAX = 65_536
