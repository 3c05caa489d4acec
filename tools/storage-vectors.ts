/**
 * Writes the vectors of files and of the checks of contributions; `--check` compares instead.
 *
 * node tools/storage-vectors.ts [--check]
 */
import { readFile, writeFile } from 'node:fs/promises'
import { findPersonalData, fingerprint, quality } from '../src/attestation/index.ts'
import { fileCid } from '../src/storage/index.ts'
import { hash, toHex } from '../src/wire/index.ts'

const LENGTHS = [0, 1, 262_144, 1_048_576, 1_048_577, 5_000_000, 46_000_000]

const TEXTS = [
  '',
  'Fellow-Citizens of the Senate and House of Representatives: I embrace with great satisfaction the opportunity which now presents itself.',
  'FELLOW citizens, of the senate and house of representatives! I embrace with great satisfaction the opportunity which now presents itself',
  'Съешь же ещё этих мягких французских булок, да выпей чаю',
  '人人生而自由,在尊严和权利上一律平等。',
  'buy now buy now buy now buy now buy now buy now',
  'Write to jane.doe@example.com or call (202) 456-1111 about card 4111 1111 1111 1111.',
  '1, 2, 3, 4, 5'
]

/** byte i is i · 31 + (i >> 8), modulo 256 */
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff)

const signatureHash = (signature: Uint32Array): string => {
  const bytes = new Uint8Array(signature.length * 4)
  signature.forEach((value, index) => { new DataView(bytes.buffer).setUint32(index * 4, value) })
  return toHex(hash('datanet/minhash/1', bytes))
}

const files = {
  description: 'fileCid of bytes of a length; byte i is (i · 31 + (i >> 8)) mod 256',
  vectors: LENGTHS.map(length => ({ length, cid: fileCid(pattern(length)).toString() }))
}

const checks = {
  description: 'fingerprint (exact, first four MinHash values, hash of all 64 as big-endian uint32 under datanet/minhash/1), quality and personal data of texts',
  vectors: TEXTS.map(text => {
    const { exact, signature } = fingerprint(text)
    return { text, exact, minhash: [...signature.slice(0, 4)], signature: signatureHash(signature), quality: quality(text), personalData: findPersonalData(text) }
  })
}

const outputs: Array<[string, unknown]> = [
  ['../protocols/storage/vectors/files.json', files],
  ['../protocols/attestation/checks.json', checks]
]
let differs = false
for (const [name, value] of outputs) {
  const path = new URL(name, import.meta.url)
  const text = `${JSON.stringify(value, undefined, 2)}\n`
  if (process.argv.includes('--check')) {
    if (await readFile(path, 'utf8').catch(() => '') !== text) {
      process.stderr.write(`${name} differs from what the code gives: a changed vector is another protocol\n`)
      differs = true
    }
  } else {
    await writeFile(path, text)
  }
}
process.exitCode = differs ? 1 : 0
