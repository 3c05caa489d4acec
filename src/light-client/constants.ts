/** A block becomes final with the first of its descendants that is; a run of this many without is a stalled or lying source. */
export const DESCENDANTS_MAX = 64

/** A proof over a bad connection takes a second; a silent source should not hold a person for long. */
export const TIMEOUT_MS = 10_000

/** Peers are a few blocks apart; one that is a minute behind is stale, or feeds us an old chain. */
export const WITNESS_LAG_MAX = 64

/** Each witness costs a header and its verification, about 30 ms at 128 validators. */
export const WITNESSES_MAX = 8

/** Where nodes answer light clients, under the address of their HTTP interface. */
export const HTTP_PATH = '/api/v1/light/'

/** A signed record of the swarm, such as a contribution's with all its shards. */
export const CONTRIBUTION_RECORD_BYTES_MAX = 65_792
