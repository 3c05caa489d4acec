export const CHAIN = 'sim'

/** Marks a block that does not execute. */
export const SPOILT = 0xee
