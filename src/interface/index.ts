/**
 * Types that modules share. No code, so that nothing here can be a cycle.
 */
export type * from './api.ts'
export type * from './chain.ts'
export type * from './genesis.ts'
export type * from './ledger-events.ts'
export type * from './ledger-state.ts'
export type * from './merged.ts'
export type * from './objective.ts'
export type * from './records.ts'
export type * from './registry.ts'
export type * from './startable.ts'
export type * from './tasks.ts'
export type * from './transactions.ts'
