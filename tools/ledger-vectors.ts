/**
 * Writes protocols/state/vectors and protocols/ledger/vectors, the same bytes on every machine.
 *
 *   node tools/ledger-vectors.ts           writes them
 *   node tools/ledger-vectors.ts --check   says which differ and exits with 1 if any does
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { authenticatedMap, encodeSnapshot } from '../src/ledger/index.ts'
import { toHex, utf8 } from '../src/wire/index.ts'
import { conformanceVector } from '../test/ledger/conformance.ts'
import type { StateProof } from '../src/interface/index.ts'

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

const files = {
  'protocols/state/vectors/proofs.json': stateVector(),
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
