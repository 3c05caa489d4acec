/**
 * Writes protocols/state/vectors, protocols/history/vectors and protocols/ledger/vectors, the same bytes on every machine.
 *
 *   node tools/ledger-vectors.ts           writes them
 *   node tools/ledger-vectors.ts --check   says which differ and exits with 1 if any does
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import * as dagCbor from '@ipld/dag-cbor'
import { appendLeaf, authenticatedMap, bagPeaks, encodeSnapshot, pathNodes } from '../src/ledger/index.ts'
import { pastHeaderCodec, toHex, utf8 } from '../src/wire/index.ts'
import { conformanceVector } from '../test/ledger/conformance.ts'
import type { Hash, Header, StateProof } from '../src/interface/index.ts'

function stateVector (): unknown {
  const entries = ['a', 'b', 'account/z6Mk', 'task/00', ...Array.from({ length: 16 }, (_, i) => `key/${i}`)].sort()
  const map = authenticatedMap(entries.map(key => [key, utf8(`value of ${key}`)]))
  const proof = ({ key, value, proof }: StateProof): unknown => ({ key, value: value === null ? null : toHex(value), proof: toHex(proof) })
  const valid = ['a', 'key/7', 'absent', 'key/16', 'nothing/4'].map(key => map.prove(key))
  const [held, , absent] = valid
  const flipped = Uint8Array.from(held.proof)

  flipped[flipped.length - 1] ^= 1

  return {
    entries: [...map.entries()].map(([key, value]) => [key, toHex(value)]),
    root: toHex(map.root),
    emptyRoot: toHex(authenticatedMap().root),
    snapshot: toHex(encodeSnapshot(map)),
    valid: valid.map(proof),
    invalid: [
      { reason: 'another value', ...Object(proof({ ...held, value: utf8('other') })) },
      { reason: 'absence of a key that is there', ...Object(proof({ ...held, value: null })) },
      { reason: 'presence of a key that is not there', ...Object(proof({ ...absent, value: utf8('x') })) },
      { reason: 'the proof of another key', ...Object(proof({ ...absent, key: 'b' })) },
      { reason: 'a sibling changed', ...Object(proof({ ...held, proof: flipped })) },
      { reason: 'cut short', ...Object(proof({ ...held, proof: held.proof.slice(0, -1) })) },
      { reason: 'a byte too many', ...Object(proof({ ...held, proof: Uint8Array.from([...held.proof, 0]) })) },
      { reason: 'unknown kind', ...Object(proof({ ...held, proof: Uint8Array.from([3, ...held.proof.slice(1)]) })) },
      { reason: 'deeper than 256', ...Object(proof({ ...held, proof: Uint8Array.from([0, 1, 1, ...new Uint8Array(33)]) })) },
      { reason: 'empty', ...Object(proof({ ...held, proof: new Uint8Array() })) }
    ]
  }
}

/** Trees of up to 13 headers whose hashes are 32 times their height, and one record. */
function historyVector (): unknown {
  const leaves = Array.from({ length: 13 }, (_, height) => new Uint8Array(32).fill(height))
  const trees = [{ peaks: new Array<Hash>(), nodes: new Map<string, Hash>() }]

  for (const [height, leaf] of leaves.entries()) {
    const { peaks, nodes } = trees[height]
    const grown = appendLeaf(height, peaks, leaf)

    trees.push({ peaks: grown.peaks, nodes: new Map([...nodes, ...grown.made.map(({ level, index, hash }): [string, Hash] => [`${level}/${index}`, hash])]) })
  }

  const path = (index: number, size: number): Hash[] => pathNodes(index, size).map(nodes => bagPeaks(nodes.map(({ level, index }) => trees[size].nodes.get(`${level}/${index}`) ?? new Uint8Array())))
  const valid = (index: number, size: number): unknown => ({ index, size, path: path(index, size).map(toHex) })
  const [first, ...rest] = path(5, 13).map(toHex)
  const wrong = { index: 5, size: 13, path: [first, ...rest] }
  const hash = leaves[7]
  const header: Header = { type: 'header', version: 1, chain: 'vectors', era: 0, height: 5, view: 6, parent: leaves[4], proposer: hash, bodyRoot: hash, outcomesRoot: hash, stateRoot: hash, validatorsHash: hash }
  const past = dagCbor.decode<{ path: Hash[] }>(pastHeaderCodec.encode({ header, path: path(5, 13) }))

  return {
    trees: trees.map(({ peaks }, size) => ({ size, root: toHex(bagPeaks(peaks)), peaks: peaks.map(toHex) })),
    valid: [valid(0, 1), valid(0, 2), valid(5, 13), valid(12, 13), valid(0, 13), valid(7, 8), valid(8, 9)],
    invalid: [
      { reason: 'another place', ...wrong, index: 4 },
      { reason: 'another size', ...wrong, size: 8 },
      { reason: 'a place beyond the tree', ...wrong, index: 13 },
      { reason: 'cut short', ...wrong, path: rest },
      { reason: 'a sibling too many', ...wrong, path: [...wrong.path, first] },
      { reason: 'siblings in another order', ...wrong, path: [...wrong.path].reverse() },
      { reason: 'no siblings', ...wrong, path: [] }
    ],
    records: {
      valid: toHex(dagCbor.encode(past)),
      invalid: [
        { code: 'ERR_OUT_OF_RANGE', reason: '54 siblings', bytes: toHex(dagCbor.encode({ ...past, path: new Array<Hash>(54).fill(hash) })) },
        { code: 'ERR_OUT_OF_RANGE', reason: 'a sibling of 31 bytes', bytes: toHex(dagCbor.encode({ ...past, path: [hash.slice(1)] })) },
        { code: 'ERR_MALFORMED_RECORD', reason: 'a field too many', bytes: toHex(dagCbor.encode({ ...past, size: 13 })) }
      ]
    }
  }
}

const files = {
  'protocols/state/vectors/proofs.json': stateVector(),
  'protocols/history/vectors/history.json': historyVector(),
  'protocols/ledger/vectors/conformance.json': conformanceVector()
}
const check = process.argv.includes('--check')

for (const [name, vector] of Object.entries(files)) {
  const path = new URL(`../${name}`, import.meta.url)
  const content = `${JSON.stringify(vector, null, 1)}\n`

  if (await readFile(path, 'utf8').catch(() => '') === content) {
    continue
  }

  console.info(`${check ? 'differs' : 'written'}: ${name}`)

  if (check) {
    process.exitCode = 1
  } else {
    await mkdir(new URL('.', path), { recursive: true })
    await writeFile(path, content)
  }
}
