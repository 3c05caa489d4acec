import type { VoteBls, VoteSigner } from '../../src/consensus/index.ts'
import type { ValidatorInfo } from '../../src/interface/index.ts'

/**
 * Test-only stand-in for BLS: a keyed checksum that anybody can forge, of the same sizes and with
 * the same algebra (aggregates are sums). It makes the simulator a thousand times faster; one run
 * uses real BLS.
 */
const mark = (publicKey: Uint8Array, message: Uint8Array): number => {
  let hash = 0x811c9dc5 ^ publicKey[0] ^ (publicKey[1] << 8)

  for (let i = 0; i < message.length; i++) {
    hash = Math.imul(hash ^ message[i], 0x01000193)
  }

  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)

  return (hash ^ (hash >>> 13)) >>> 0
}

const encode = (sum: number): Uint8Array => {
  const bytes = new Uint8Array(96)
  new DataView(bytes.buffer).setUint32(0, sum)

  return bytes
}

const decode = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)

export const fakeBls: VoteBls = {
  verify: (publicKey, message, signature) => decode(signature) === mark(publicKey, message),
  aggregate: signatures => encode(signatures.reduce((sum, signature) => (sum + decode(signature)) >>> 0, 0)),
  fastAggregateVerify: (publicKeys, message, signature) =>
    publicKeys.length > 0 && decode(signature) === publicKeys.reduce((sum, publicKey) => (sum + mark(publicKey, message)) >>> 0, 0)
}

const publicKeyOf = (index: number): Uint8Array => {
  const key = new Uint8Array(48)
  key[0] = index + 1
  key[1] = 0xa5

  return key
}

export const fakeSigner = (index: number): VoteSigner => ({ sign: message => encode(mark(publicKeyOf(index), message)) })

export const fakeValidators = (stakes: bigint[]): ValidatorInfo[] => stakes.map((stake, index) => {
  const account = new Uint8Array(32)
  account[0] = index + 1

  return { account, blsPublicKey: publicKeyOf(index), possession: new Uint8Array(96), stake }
})
