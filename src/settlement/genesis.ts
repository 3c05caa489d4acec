import * as dagCbor from '@ipld/dag-cbor'
import { bodyRoot, domains, headerHash, outcomesRoot, signingBytes, validatorsHash } from '../wire/index.ts'
import type { Genesis, Hash, Header } from '../interface/index.ts'

/** The header of block 0. Nobody proposed or certified it: whoever has the genesis computes it. */
export function genesisHeader (genesis: Genesis, stateRoot: Hash): Header {
  return {
    type: 'header',
    version: 1,
    chain: genesis.chain,
    era: 0,
    height: 0,
    view: 0,
    parent: new Uint8Array(32),
    proposer: new Uint8Array(32),
    bodyRoot: bodyRoot({ beaconSignature: new Uint8Array(96), transactions: [] }),
    outcomesRoot: outcomesRoot([]),
    stateRoot,
    validatorsHash: validatorsHash(genesis.validators)
  }
}

/** Names the chain beyond doubt: equal names with other geneses are other chains. */
export const genesisHash = (genesis: Genesis, stateRoot: Hash): Hash => headerHash(genesisHeader(genesis, stateRoot))

/** What a proposer signs with its BLS key for a block's `beaconSignature`: one value per height and proposer. */
export const beaconMessage = (chain: string, height: number): Uint8Array => signingBytes(domains.beacon, dagCbor.encode([chain, height]))
