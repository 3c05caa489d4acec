/** Exit codes of the command line. 130 is a shell's own code for Ctrl-C. */
export const exitCodes = {
  ok: 0,
  /** the operation failed; the message says why */
  failed: 1,
  /** the arguments are wrong; nothing was done */
  usage: 2,
  /** the node cannot be reached: is it started? */
  unreachable: 3,
  /** the network refused it: a transaction failed, a contribution was rejected */
  refused: 4,
  interrupted: 130
} as const

/** npx passes on a Ctrl-C that the terminal sent to us already: what comes within this time is the same one. */
export const SAME_INTERRUPT_MS = 1_000

/** adapter_config.json of PEFT has about 1 KiB. */
export const ADAPTER_CONFIG_BYTES_MAX = 64 * 1024

/** A signing history has about 400 bytes. */
export const SIGNING_FILE_BYTES_MAX = 64 * 1024

/** What a node takes in one request, beside adapter_config.json. */
export const ADAPTER_WEIGHTS_BYTES_MAX = 64 * 1024 * 1024
