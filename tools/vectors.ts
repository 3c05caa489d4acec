/**
 * Writes protocols/<record>/vectors/valid.json and invalid.json, the same bytes on every machine.
 *
 *   node tools/vectors.ts           writes them
 *   node tools/vectors.ts --check   says which differ and exits with 1 if any does
 *
 * A changed vector is a protocol change: say so in the commit and raise the record's version.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { cidOf, toHex } from '../src/wire/index.ts'
import { chainFixtures } from './vectors/chain.ts'
import { dataFixtures } from './vectors/data.ts'
import { invalidsOf } from './vectors/mutations.ts'
import type { Fixture } from './vectors/fixtures.ts'

/** DAG-JSON of a decoded record, for people to read. */
function readable (value: unknown): unknown {
  const link = CID.asCID(value)

  if (link != null) {
    return { '/': link.toString() }
  }

  if (value instanceof Uint8Array) {
    return { '/': { bytes: Buffer.from(value).toString('base64').replace(/[=]+$/, '') } }
  }

  if (Array.isArray(value)) {
    return value.map(readable)
  }

  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, readable(one)])) : value
}

function json (fixture: Fixture, vectors: unknown[]): string {
  const { codecName: codec, domain, bytesMax } = fixture

  return `${JSON.stringify({ codec, domain, bytesMax, vectors }, null, 2)}\n`
}

function filesOf (fixture: Fixture): Map<string, string> {
  const folder = new URL(`../protocols/${fixture.folder}/vectors/`, import.meta.url)
  const valid = fixture.valid.map(({ name, bytes }) => ({ name, length: bytes.length, bytes: toHex(bytes), cid: cidOf(bytes).toString(), value: readable(dagCbor.decode(bytes)) }))
  const invalid = invalidsOf(fixture).map(({ name, stage, code, bytes }) => ({ name, stage, code, bytes: toHex(bytes) }))
  // spelled as a rule, because a megabyte of zeros is no reading
  const oversized = { name: 'one byte more than allowed', stage: 'decode', code: 'ERR_RECORD_TOO_LARGE', zeros: fixture.bytesMax + 1 }

  return new Map([
    [new URL('valid.json', folder).pathname, json(fixture, valid)],
    [new URL('invalid.json', folder).pathname, json(fixture, [...invalid, oversized])]
  ])
}

const check = process.argv.includes('--check')
let differing = 0

for (const fixture of [...dataFixtures(), ...chainFixtures()]) {
  for (const [path, content] of filesOf(fixture)) {
    const present = await readFile(path, 'utf8').catch(() => '')

    if (present === content) {
      continue
    }

    differing++
    console.info(`${check ? 'differs' : 'written'}: protocols/${path.split('/protocols/')[1]}`)

    if (!check) {
      await mkdir(new URL('.', `file://${path}`), { recursive: true })
      await writeFile(path, content)
    }
  }
}

if (check && differing > 0) {
  console.error(`${differing} files differ from what the code makes: run node tools/vectors.ts, and raise the version if the change is meant`)
  process.exitCode = 1
}
