/**
 * What runs anywhere, browsers included: the light client, records and keys, models, attribution and
 * the rules that peers agree on. A whole node is in `datanet/node`, its HTTP interface in
 * `datanet/api`.
 *
 * @example
 * ```ts
 * import { genesisCodec, lightClient } from 'datanet'
 *
 * const client = lightClient({ genesis: genesisCodec.decode(bytes), source })
 * const { value } = await client.account(account)
 * ```
 */
export * as attribution from './attribution/index.ts'
export * as consensus from './consensus/index.ts'
export * as governance from './governance/index.ts'
export * as ledger from './ledger/index.ts'
export * as models from './models/index.ts'
export * as numeric from './numeric/index.ts'
export * as scoring from './scoring/index.ts'
export * from './identity/index.ts'
export * from './light-client/index.ts'
export { DatanetError } from './utils/index.ts'
export * from './wire/index.ts'
export type * from './interface/index.ts'
