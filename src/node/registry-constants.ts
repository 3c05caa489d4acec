/** Adapters on one page of the registry, the last published first. */
export const REGISTRY_SHOWN_MAX = 500

/** Adapters whose records are known without reading them: about 1 KiB each with their words. */
export const ADAPTERS_INDEXED_MAX = 65_536

/** Records that are fetched at once while the index catches up. */
export const ADAPTER_RECORDS_READ_AT_ONCE = 32

/** Blocks until a record that nobody served is asked for again. */
export const ADAPTER_RETRY_BLOCKS = 8

/** Redemptions on an adapter's page, newest first. */
export const ADAPTER_USES_SHOWN_MAX = 100

/** Payers and epochs in the sum of an adapter's uses, those who paid most and the newest. */
export const ADAPTER_PAYERS_SHOWN_MAX = 100
export const ADAPTER_EPOCHS_SHOWN_MAX = 100

/** Name, shape and offsets of one tensor in the head of an adapter's weights: as `peftToTheta` bounds it. */
export const PEFT_BYTES_PER_TENSOR = 512

/** Weights that were imported and wait to be published. */
export const IMPORTS_KEPT_MAX = 64

/** Imports that wait for the one that is read: each holds its file, some tens of MB. */
export const IMPORTS_WAITING_MAX = 4
