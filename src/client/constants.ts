/** How long a client waits for its node, unless the work itself is long. */
export const REQUEST_TIMEOUT_MS = 60_000

/** A response of the control API is a page of records. */
export const RESPONSE_BYTES_MAX = 64 * 1024 * 1024

/** A file that a node gives its client: an adapter of the largest size that is read at all. */
export const DOWNLOAD_BYTES_MAX = 512 * 1024 * 1024

/** Where a node's API listens unless its configuration names another port. */
export const API_PORT = 4170

/** What nodes and the accounts of their keychains are called; they become file names. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,47}$/

/** Bytes that say how long adapter_config.json is, at the front of an upload. */
export const PEFT_LENGTH_BYTES = 4
