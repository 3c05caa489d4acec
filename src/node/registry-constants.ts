/** Adapters on one page of the registry, the last published first. */
export const REGISTRY_SHOWN_MAX = 500

/** Redemptions on an adapter's page, newest first. */
export const ADAPTER_USES_SHOWN_MAX = 100

/** Name, shape and offsets of one tensor in the head of an adapter's weights: as `peftToTheta` bounds it. */
export const PEFT_BYTES_PER_TENSOR = 512
