/** Levels of nesting in a record. Ours have at most 10; bounds the decoder's recursion. */
export const NESTING_MAX = 16

/** 2^128 base units are 3.4 × 10^20 OPEN, more than 10^11 times the supply. */
export const AMOUNT_BYTES_MAX = 16

/** Gossip carries one record in a message; several fit under its frame limit with headroom. */
export const RECORD_BYTES_MAX = 65_536

/** One block of Bitswap, whose peers refuse more than 2 MiB. */
export const SHARD_BYTES_MAX = 1_048_576

/** A block of the chain crosses the gossip in one message: 512 transactions of 2 KiB. */
export const BLOCK_BYTES_MAX = 1_048_576

/** Read once, from disk. */
export const GENESIS_BYTES_MAX = 8_388_608

/** 1,024 entries of about 70 bytes. */
export const SCORE_TABLE_BYTES_MAX = 131_072

/** Two lists of TOKENS_MAX tokens of at most 5 bytes, and a receipt. */
export const RECEIPT_OPENING_BYTES_MAX = 131_072

/** A JSON Schema of an answer: those that clients send have hundreds of characters. */
export const SCHEMA_LENGTH_MAX = 8_192

/** What is searched for rows: a question, cut if it is longer. */
export const QUERY_LENGTH_MAX = 2_048

/** Rows that a prompt shows: more than small contexts hold. */
export const SOURCES_MAX = 16

/** What an envelope adds: signer, signature and the names of the fields are 130 bytes. */
export const ENVELOPE_BYTES_MAX = 256

/** So that a certificate's bitmap has 16 bytes and a view costs 3 ms. */
export const VALIDATORS_MAX = 128

/** Transactions of a block; verifying their signatures takes about 50 ms. */
export const TRANSACTIONS_MAX = 512

/** Contributions of one adapter: their CIDs (41 bytes each) must fit one transaction of 64 KiB. */
export const CONTRIBUTIONS_MAX = 1024

/** Datanets of one adapter. */
export const DATANETS_MAX = 64

/** Shards of one contribution: 1 GiB of rows, 41 bytes of record each. */
export const SHARDS_MAX = 1024

/** Rows of a shard: a row has at least 8 bytes with its key, and a decoder should not see millions of maps. */
export const ROWS_MAX = 65_536

/** Rows of a contribution: of all its shards. */
export const CONTRIBUTION_ROWS_MAX = 67_108_864

/** Ids that end an answer: models of chat have one to five. */
export const STOP_IDS_MAX = 16

/** Columns of a Datanet's rows. */
export const FIELDS_MAX = 64

/** Checks of one attestation. */
export const CHECKS_MAX = 64

/** Steps of a training run: the adapter's record lists the loss of each. */
export const STEPS_MAX = 2048

/** Checkpoints of a training run: 41 bytes each in the adapter's record. */
export const CHECKPOINTS_MAX = 128

/** Adapters that are merged into one: their effect is measured for each subset, and four have sixteen. */
export const MERGE_PARENTS_MAX = 4

/** A weight of 1,000 is the adapter as it was trained; ±10 covers negation and exaggeration. */
export const MERGE_WEIGHT_MILLI_MAX = 10_000

/** Figures that an importer may claim of an adapter. */
export const METRICS_MAX = 16

/** Tokens of a prompt, and of an answer: twice the longest context of models that we can train. */
export const TOKENS_MAX = 8192

/** Adapters in one redemption: 150 bytes each must fit one transaction. */
export const BATCHES_MAX = 256

/** Openings of one trace: with proofs of 32 hashes they are 36 KB. */
export const OPENINGS_MAX = 32

/** Contributions paid by one transaction; with proofs of 16 hashes they are 42 KB. */
export const CLAIMS_MAX = 64

/** A score table has at most 1,025 leaves, whose proofs have 11 hashes. */
export const CLAIM_PROOF_MAX = 16

/** Proof of one leaf of a trace of at most 2^32. */
export const TRACE_PROOF_MAX = 32

/** Actions of one proposal. */
export const ACTIONS_MAX = 16

/** Base models of a genesis. */
export const BASES_MAX = 64

/** Accounts of a genesis, 70 bytes each. */
export const BALANCES_MAX = 65_536

/** Names of Datanets, adapters, fields, chains and engines. */
export const NAME_MAX = 64

/** Titles for people. */
export const TITLE_MAX = 120

/** An SPDX expression. */
export const LICENCE_MAX = 120

/** The description of a Datanet. */
export const DESCRIPTION_MAX = 4000

/** The explanation of one check. */
export const DETAIL_MAX = 500

/** A value of the state: an adapter with CONTRIBUTIONS_MAX contributions has 42 KB. */
export const STATE_VALUE_BYTES_MAX = 131_072

/** Siblings of a leaf in a tree of as many leaves as a number can count. */
export const HISTORY_PATH_MAX = 53

/** Siblings of one path: 256 levels of 32 bytes, and the leaf that stands in the way. */
export const STATE_PROOF_MAX = 16_384

/** Value, path and key. */
export const STATE_PROOF_BYTES_MAX = 163_840
