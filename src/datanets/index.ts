/**
 * Datanets: made, contributed to, announced, fetched, kept and read; and the importers of rows.
 *
 * @example
 * ```ts
 * const nets = datanets({ follow: 'all' })({ storage, chain, network })
 * await nets.start()
 * const { datanet, manifest } = await nets.create({ name: 'speeches', ... }, curator)
 * const rows = importRows('text', createReadStream('1862.txt'), { manifest, constants: { year: 1862 } })
 * const { contribution } = await nets.contribute({ datanet, title: 'Lincoln 1862', rows, signer })
 * for await (const row of nets.rows(contribution)) console.info(row.text)
 * const { cid, snapshot } = await nets.snapshot([datanet])
 * ```
 */
import { DatanetsService } from './datanets.ts'
import type { Datanets, DatanetsComponents, DatanetsInit } from './interface.ts'

/** The service of one node. `start()` needs a started storage and chain. */
export const datanets = (init: DatanetsInit = {}) => (components: DatanetsComponents): Datanets => new DatanetsService(init, components)

export { contributionsTopic } from './announcements.ts'
export { enterSubject } from './entering.ts'
export { isPassing } from './holder.ts'
export { importRows } from './importers.ts'
export { compareContributions } from './ledger-index.ts'
export { assertRow } from './rows.ts'
export * from './errors.ts'
export * from './constants.ts'
export type { EnteringChain, EntryBody } from './entering.ts'
export type * from './interface.ts'
export type * from './import-interface.ts'
