import { readFileSync } from 'node:fs'
import { expect } from 'aegir/chai'
import { appendLeaf, authenticatedMap, bagPeaks, decodeSnapshot, encodeSnapshot, executeBlock, genesisState, stateRoot, verifyStateProof } from '../../src/ledger/index.ts'
import { fromHex, genesisCodec, pastHeaderCodec, signedTransactionCodec, toHex, verifyMerkleProof } from '../../src/wire/index.ts'
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

interface PathVector { index: number, size: number, path: string[] }

interface HistoryVector {
  trees: Array<{ size: number, root: string, peaks: string[] }>
  valid: PathVector[]
  invalid: Array<PathVector & { reason: string }>
  records: { valid: string, invalid: Array<{ reason: string, code: string, bytes: string }> }
}

// tests run in the repository's root
const proofs: StateVector = read('state/vectors/proofs.json')
const history: HistoryVector = read('history/vectors/history.json')
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

describe('protocols/history vectors', () => {
  const leaf = (height: number): Uint8Array => new Uint8Array(32).fill(height)
  const root = (size: number): Uint8Array => fromHex(history.trees[size].root)

  it('give the roots and peaks of trees that grow', () => {
    let peaks: Uint8Array[] = []

    for (const tree of history.trees) {
      expect(peaks.map(toHex)).to.deep.equal(tree.peaks)
      expect(toHex(bagPeaks(peaks))).to.equal(tree.root)
      peaks = appendLeaf(tree.size, peaks, leaf(tree.size)).peaks
    }
  })

  for (const { index, size, path } of history.valid) {
    it(`prove header ${index} of ${size}`, () => {
      expect(verifyMerkleProof(root(size), leaf(index), index, size, path.map(one => fromHex(one)))).to.equal(true)
    })
  }

  for (const { reason, index, size, path } of history.invalid) {
    it(`refuse ${reason}`, () => {
      expect(verifyMerkleProof(root(13), leaf(5), index, size, path.map(one => fromHex(one)))).to.equal(false)
    })
  }

  it('hold a record, and some that are none', () => {
    const { header, path } = pastHeaderCodec.decode(fromHex(history.records.valid))

    expect(toHex(pastHeaderCodec.encode({ header, path }))).to.equal(history.records.valid)
    expect(path.map(toHex)).to.deep.equal(history.valid.find(({ index }) => index === 5)?.path)

    for (const { reason, code, bytes } of history.records.invalid) {
      expect(() => pastHeaderCodec.decode(fromHex(bytes)), reason).to.throw().with.property('code', code)
    }
  })
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
