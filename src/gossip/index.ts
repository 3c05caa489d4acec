/**
 * The network of a node: libp2p with bounded, typed gossip topics, requests and channels.
 *
 * @example
 * ```ts
 * const net = network({ privateKeySeed, listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap })({ datastore })
 * const contributions = net.topic({
 *   name: 'datanet/contributions/1',
 *   codec: signedCodec(contributionCodec),
 *   bytesMax: RECORD_BYTES_MAX,
 *   validate: (signed) => { verifyRecord(domains.contribution, contributionCodec, signed); return 'accept' }
 * })
 * await net.start()
 * contributions.subscribe((signed, from) => { console.info(signed.payload.title, from.toString()) })
 * await contributions.publish(mine)
 * const bytes = await net.request(peer, '/datanet/receipts/1', request, { signal })
 * ```
 */
export { network } from './network.ts'
export * from './errors.ts'
export * from './constants.ts'
export type * from './interface.ts'
