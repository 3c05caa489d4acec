/**
 * Validation of contributions and adapters: checks as pure functions with integer measures, and the
 * service that runs them for a validator and signs what it found. And the columns of adapters'
 * influence Jacobians, which the swarm computes and agrees on after admission.
 *
 * @example
 * ```ts
 * const service = validator()({ storage, datanets, chain, signer, adapterCheck: training })
 * service.addEventListener('attested', ({ detail }) => { console.info(detail.record.payload.verdict) })
 * await service.start()
 * ```
 */
import { ColumnsService } from './columns.ts'
import { ValidatorService } from './validator.ts'
import type { Columns, ColumnsComponents, ColumnsInit, Validator, ValidatorComponents, ValidatorInit } from './interface.ts'

/** The service of one validator. `start()` needs started storage, chain and datanets. */
export const validator = (init: ValidatorInit = {}) => (components: ValidatorComponents): Validator => new ValidatorService(init, components)

/** The columns of adapters: computes those that this node is drawn for, and hears what others say. `start()` needs a started chain and network. */
export const columns = (init: ColumnsInit = {}) => (components: ColumnsComponents): Columns => new ColumnsService(init, components)

export { checkAdapterRecords, drawBelow } from './adapter-checks.ts'
export { checkContribution, indexRows } from './checks.ts'
export { drawAccounts, drawComputers } from './column-draw.ts'
export { columnCodec, signColumn, signedColumnCodec } from './column-record.ts'
export { countVoices } from './column-tally.ts'
export { fingerprint } from './fingerprint.ts'
export { earlierOf, rejectionHeight } from './history.ts'
export { checkImported, isLicenceExpression } from './imported-checks.ts'
export { checkMerged } from './merged-checks.ts'
export { findPersonalData } from './personal-data.ts'
export { quality } from './quality.ts'
export { RowIndex, isNear } from './row-index.ts'
export { words } from './text.ts'
export * from './errors.ts'
export * from './constants.ts'
export type * from './interface.ts'
export type { AdapterRecords } from './adapter-checks.ts'
export type { ColumnStatement } from './column-record.ts'
export type { ColumnAgreement, ColumnVoice } from './column-tally.ts'
export type { ContributionCheckInput } from './checks.ts'
export type { Fingerprint } from './fingerprint.ts'
export type { PersonalDataKind } from './personal-data.ts'
