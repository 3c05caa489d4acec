/**
 * The network's own chain: orders transactions among the validators of the genesis, executes
 * them with the ledger, keeps everything on disk and answers light clients.
 *
 * @example
 * ```ts
 * const ledger = chain({ genesis, blsSecretKey, signer })({ network: net, db })
 * await net.start()
 * await ledger.start()
 * ledger.serveQueries()
 * ledger.addEventListener('block', ({ detail }) => { console.info(detail.block.header.height, detail.events.length) })
 * const result = await ledger.send({ kind: 'transfer', to, amount: 5n }, signer, { signal })
 * const task = await ledger.waitFor(state => readTask(state, id)?.phase === 'settled', { signal })
 * ```
 */
export { chain } from './chain.ts'
export { blockRequestCodec, certificatesCodec, certificatesOfViewCodec, certificatesRequestCodec, helloCodec, manifestCodec, partRequestCodec, queryCodec, signedHelloCodec, syncItemCodec, syncRequestCodec, viewRequestCodec } from './codecs.ts'
export { beaconMessage, genesisHash, genesisHeader } from './genesis.ts'
export { queryProtocol, querySource } from './queries.ts'
export { reporting, reportOf } from './reporting.ts'
export { parseSigningHistory } from './signing.ts'
export * from './errors.ts'
export type { AccusationReport, ReportingChain, ReportingInit } from './reporting.ts'
export type { SigningHistory } from './signing.ts'
export type { Hello, Query, SyncItem, SyncRequest } from './codecs.ts'
export type * from './interface.ts'
