import { hash, toHex, utf8 } from '../wire/index.ts'
import { MINHASH_DOMAIN, MINHASH_VALUES, ROW_DOMAIN, SHINGLE_WORDS } from './constants.ts'
import { words } from './text.ts'

/** What rows are compared by. */
export interface Fingerprint {
  /** SHA-256 of the normalised text, in hex: equal for texts that differ in case, space and punctuation only */
  exact: string
  /** MinHash over the set of word shingles, MINHASH_VALUES values */
  signature: Uint32Array
}

/** The finaliser of MurmurHash3, a bijection of 32-bit words: spreads a shingle over all bits. */
const mix = (value: number): number => {
  let x = value
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** The permutations x → a·x + b modulo 2^32: a is odd, so each is a bijection. Fixed by our own hash. */
const permutations = Array.from({ length: MINHASH_VALUES }, (_, index) => {
  const digest = hash(MINHASH_DOMAIN, Uint8Array.of(index))
  const view = new DataView(digest.buffer, digest.byteOffset)
  return { a: view.getUint32(0) | 1, b: view.getUint32(4) }
})
const multipliers = Int32Array.from(permutations, ({ a }) => a)
const offsets = Int32Array.from(permutations, ({ b }) => b)

/** FNV-1a over UTF-16 units. */
const wordHash = (word: string): number => {
  let x = 0x811c9dc5
  for (let i = 0; i < word.length; i++) {
    x = Math.imul(x ^ word.charCodeAt(i), 0x01000193)
  }
  return x >>> 0
}

function minHash (hashes: Uint32Array): Uint32Array {
  const signature = new Uint32Array(MINHASH_VALUES).fill(0xffffffff)
  const shingles = Math.max(1, hashes.length - SHINGLE_WORDS + 1)
  for (let at = 0; at < shingles; at++) {
    let shingle = 0
    for (let i = at; i < at + SHINGLE_WORDS && i < hashes.length; i++) {
      shingle = mix(Math.imul(shingle, 31) + (hashes[i] ?? 0))
    }
    for (let k = 0; k < MINHASH_VALUES; k++) {
      const value = (Math.imul(shingle, multipliers[k] ?? 0) + (offsets[k] ?? 0)) >>> 0
      if (value < (signature[k] ?? 0)) {
        signature[k] = value
      }
    }
  }
  return signature
}

/** The fingerprint of a row's text. The same on every machine. */
export function fingerprint (text: string): Fingerprint {
  const found = words(text)
  return {
    exact: toHex(hash(ROW_DOMAIN, utf8(found.join(' ')))),
    signature: minHash(Uint32Array.from(found, wordHash))
  }
}
