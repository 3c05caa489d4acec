import { readFileSync } from 'node:fs'
import { expect } from 'aegir/chai'
import { authenticatedMap, decodeSnapshot, encodeSnapshot, executeBlock, genesisState, stateRoot, verifyStateProof } from '../../src/ledger/index.ts'
import { fromHex, genesisCodec, signedTransactionCodec, toHex } from '../../src/wire/index.ts'
import { conformanceVector } from './conformance.ts'
import type { ConformanceVector } from './conformance.ts'
import type { StateProof } from '../../src/interface/index.ts'

interface ProofVector { key: string, value: string | null, proof: string }

interface StateVector {
  entries: Array<[string, string]>
  root: string
  emptyRoot: string
  snapshot: string
  valid: ProofVector[]
  invalid: Array<ProofVector & { reason: string }>
}

// tests run in the repository's root
const proofs: StateVector = read('state/vectors/proofs.json')
const conformance: ConformanceVector = read('ledger/vectors/conformance.json')

// what the file holds is checked by using it
function read<T> (name: string): T {
  return JSON.parse(readFileSync(`protocols/${name}`, 'utf8'))
}

function proofOf ({ key, value, proof }: ProofVector): StateProof {
  return { key, value: value === null ? null : fromHex(value), proof: fromHex(proof) }
}

describe('protocols/state vectors', () => {
  const root = fromHex(proofs.root)

  it('give the root and the snapshot', () => {
    const map = authenticatedMap(proofs.entries.map(([key, value]) => [key, fromHex(value)]))

    expect(toHex(map.root)).to.equal(proofs.root)
    expect(toHex(encodeSnapshot(map))).to.equal(proofs.snapshot)
    expect(decodeSnapshot(fromHex(proofs.snapshot), root).size).to.equal(proofs.entries.length)
    expect(toHex(authenticatedMap().root)).to.equal(proofs.emptyRoot)
  })

  for (const one of proofs.valid) {
    it(`prove that ${one.key} is ${one.value === null ? 'absent' : 'there'}`, () => {
      expect(verifyStateProof(root, proofOf(one))).to.equal(true)
    })
  }

  for (const one of proofs.invalid) {
    it(`refuse ${one.reason}`, () => {
      expect(verifyStateProof(root, proofOf(one))).to.equal(false)
    })
  }
})

describe('protocols/ledger vectors', () => {
  it('give each block\'s results and state root', () => {
    let state = genesisState(genesisCodec.decode(fromHex(conformance.genesis)))

    expect(toHex(stateRoot(state))).to.equal(conformance.genesisStateRoot)

    for (const [i, block] of conformance.blocks.entries()) {
      const outcome = executeBlock(state, {
        height: i + 1,
        parent: fromHex(block.parent),
        proposer: fromHex(block.proposer),
        beaconSignature: fromHex(block.beaconSignature),
        transactions: block.transactions.map(bytes => signedTransactionCodec.decode(fromHex(bytes)))
      })

      expect(outcome.results.map(({ ok, code }) => ok ? 'ok' : code)).to.deep.equal(block.results)
      expect(toHex(stateRoot(outcome.state))).to.equal(block.stateRoot)
      state = outcome.state
    }
  })

  it('are what the code makes', () => {
    expect(JSON.parse(JSON.stringify(conformanceVector()))).to.deep.equal(conformance)
  })
})
