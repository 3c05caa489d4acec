import { bls12_381 as bls12381 } from '@noble/curves/bls12-381.js'
import { ed25519 as nobleEd25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { expect } from 'aegir/chai'
import { blsSecretKey, deriveSeed, InvalidKeyError, InvalidSignatureError } from '../../src/identity/index.ts'
import { concatBytes, fromHex, toHex, utf8 } from '../../src/wire/index.ts'
import type { Bls, Ed25519 } from '../../src/identity/index.ts'

const message = utf8('a message')
const secretKeys = [0, 1, 2, 3].map(i => blsSecretKey(deriveSeed('compliance', `bls/${i}`)))

/** The bytes that every implementation must give. */
const GOLDEN = {
  // RFC 8032, section 7.1, test 2
  ed25519Seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  ed25519Account: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  ed25519Signature: '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
}

function littleEndian (value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}

function toBigInt (bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n)
}

/**
 * A key with a component of order 8 and a signature that holds if one multiplies by the cofactor,
 * and without doing so only if the challenge is a multiple of 8.
 */
function mixedOrder (wanted: (challenge: bigint) => boolean): { account: Uint8Array, message: Uint8Array, signature: Uint8Array } {
  const { Point } = nobleEd25519
  const order = Point.Fn.ORDER
  const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
  const account = Point.BASE.multiply(12345n).add(torsion).toBytes()
  const r = Point.BASE.multiply(67890n).toBytes()

  for (let i = 0; ; i++) {
    const text = utf8(`attempt ${i}`)
    const challenge = toBigInt(sha512(concatBytes(r, account, text))) % order

    if (wanted(challenge)) {
      return { account, message: text, signature: concatBytes(r, littleEndian((67890n + challenge * 12345n) % order)) }
    }
  }
}

/** A compressed point of the curve that is not in the subgroup: almost every x with a y is one. */
function outsideG1 (): Uint8Array {
  const { Fp } = bls12381.fields

  for (let x = 1n; ; x++) {
    try {
      const y = Fp.sqrt(Fp.add(Fp.pow(x, 3n), 4n))

      return concatBytes(Fp.toBytes(x), Fp.toBytes(y))
    } catch {}
  }
}

function outsideG2 (): Uint8Array {
  const { Fp2 } = bls12381.fields

  for (let x = 1n; ; x++) {
    try {
      Fp2.sqrt(Fp2.add(Fp2.pow(Fp2.create({ c0: x, c1: 0n }), 3n), Fp2.create({ c0: 4n, c1: 4n })))
      const bytes = new Uint8Array(96)
      bytes[0] = 0x80
      bytes[95] = Number(x)

      return bytes
    } catch {}
  }
}

const INFINITY_G1 = Uint8Array.from({ length: 96 }, (_, i) => i === 0 ? 0x40 : 0)
const INFINITY_G2 = Uint8Array.from({ length: 96 }, (_, i) => i === 0 ? 0xc0 : 0)

/** What every implementation of Ed25519 must do. */
export function ed25519Compliance (name: string, ed25519: Ed25519): void {
  describe(`Ed25519 of ${name}`, () => {
    const seed = fromHex(GOLDEN.ed25519Seed)
    const account = fromHex(GOLDEN.ed25519Account)
    const signature = fromHex(GOLDEN.ed25519Signature)

    it('gives the bytes of RFC 8032', () => {
      expect(toHex(ed25519.publicKeyOf(seed))).to.equal(GOLDEN.ed25519Account)
      expect(toHex(ed25519.signerOf(seed)(Uint8Array.of(0x72)))).to.equal(GOLDEN.ed25519Signature)
      expect(ed25519.verify(account, Uint8Array.of(0x72), signature)).to.be.true()
    })

    it('refuses another message, key or signature', () => {
      const other = ed25519.publicKeyOf(deriveSeed('compliance', 'other'))
      const spoiled = Uint8Array.from(signature)
      spoiled[40] ^= 1

      expect(ed25519.verify(account, Uint8Array.of(0x73), signature)).to.be.false()
      expect(ed25519.verify(other, Uint8Array.of(0x72), signature)).to.be.false()
      expect(ed25519.verify(account, Uint8Array.of(0x72), spoiled)).to.be.false()
    })

    it('refuses wrong lengths without an error', () => {
      expect(ed25519.verify(account.subarray(1), message, signature)).to.be.false()
      expect(ed25519.verify(account, message, signature.subarray(1))).to.be.false()
      expect(ed25519.verify(new Uint8Array(), message, new Uint8Array())).to.be.false()
    })

    it('refuses seeds of another length', () => {
      expect(() => ed25519.publicKeyOf(new Uint8Array(31))).to.throw(InvalidKeyError)
      expect(() => ed25519.signerOf(new Uint8Array(64))).to.throw(InvalidKeyError)
    })

    it('refuses a second signature made by adding the group order', () => {
      const s = toBigInt(signature.subarray(32)) + nobleEd25519.Point.Fn.ORDER

      expect(ed25519.verify(account, Uint8Array.of(0x72), concatBytes(signature.subarray(0, 32), littleEndian(s)))).to.be.false()
    })

    it('refuses keys of small order and keys that are not reduced', () => {
      // with R = the identity and s = 0 these verify under lax rules
      const universal = concatBytes(fromHex('01'.padEnd(64, '0')), new Uint8Array(32))

      for (const key of [
        '0100000000000000000000000000000000000000000000000000000000000000',
        '0100000000000000000000000000000000000000000000000000000000000080',
        'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        '0000000000000000000000000000000000000000000000000000000000000000',
        '0000000000000000000000000000000000000000000000000000000000000080',
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
        'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
        'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
        'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
      ]) {
        expect(ed25519.verify(fromHex(key), message, universal), key).to.be.false()
      }
    })

    it('does not multiply by the cofactor', () => {
      const loose = mixedOrder(challenge => challenge % 8n !== 0n)
      const exact = mixedOrder(challenge => challenge % 8n === 0n)

      expect(nobleEd25519.verify(loose.signature, loose.message, loose.account)).to.be.true()
      expect(ed25519.verify(loose.account, loose.message, loose.signature)).to.be.false()
      expect(ed25519.verify(exact.account, exact.message, exact.signature)).to.be.true()
    })
  })
}

/** What every implementation of BLS12-381 must do. */
export function blsCompliance (name: string, bls: Bls): void {
  describe(`BLS12-381 of ${name}`, () => {
    const publicKeys = secretKeys.map(secretKey => bls.publicKeyOf(secretKey))
    const signatures = secretKeys.map(secretKey => bls.sign(secretKey, message))

    it('verifies what it signed and nothing else', () => {
      expect(bls.verify(publicKeys[0], message, signatures[0])).to.be.true()
      expect(bls.verify(publicKeys[1], message, signatures[0])).to.be.false()
      expect(bls.verify(publicKeys[0], utf8('another'), signatures[0])).to.be.false()
    })

    it('verifies an aggregate of exactly those who signed', () => {
      const aggregate = bls.aggregate(signatures.slice(0, 3))

      expect(aggregate).to.have.lengthOf(96)
      expect(bls.fastAggregateVerify(publicKeys.slice(0, 3), message, aggregate)).to.be.true()
      expect(bls.fastAggregateVerify(publicKeys, message, aggregate)).to.be.false()
      expect(bls.fastAggregateVerify(publicKeys.slice(0, 2), message, aggregate)).to.be.false()
    })

    it('tells one quorum of a set from the next, in any order, and who signs twice from who signs once', () => {
      for (const [quorum, other] of [[[0, 1, 2], [1, 2, 3]], [[1, 2, 3], [0, 1, 2]], [[3, 2, 0], [3, 2, 1]], [[0, 1, 2, 3], [0]], [[0, 1, 1, 2], [0, 1, 2]], [[2, 1, 0], [2, 1, 1, 0]]]) {
        const keys = quorum.map(key => publicKeys[key])
        const [own, others] = [quorum, other].map(signers => bls.aggregate(signers.map(key => signatures[key])))

        expect(bls.fastAggregateVerify(keys, message, own), `${quorum}`).to.be.true()
        expect(bls.fastAggregateVerify(keys, message, others), `${quorum}, signed by ${other}`).to.be.false()
      }
    })

    it('refuses to aggregate nothing, and verifies nothing for nobody', () => {
      expect(() => bls.aggregate([])).to.throw(InvalidSignatureError)
      expect(bls.fastAggregateVerify([], message, signatures[0])).to.be.false()
      expect(bls.fastAggregateVerify([], message, INFINITY_G2)).to.be.false()
    })

    it('refuses points outside the subgroup', () => {
      expect(bls.verify(outsideG1(), message, signatures[0])).to.be.false()
      expect(bls.fastAggregateVerify([publicKeys[0], outsideG1()], message, signatures[0])).to.be.false()
      expect(bls.verify(publicKeys[0], message, outsideG2())).to.be.false()
      expect(() => bls.aggregate([signatures[0], outsideG2()])).to.throw(InvalidSignatureError)
    })

    it('refuses infinity, for which every message is signed', () => {
      expect(bls.verify(INFINITY_G1, message, INFINITY_G2)).to.be.false()
      expect(bls.verify(publicKeys[0], message, INFINITY_G2)).to.be.false()
      expect(bls.verifyPossession(INFINITY_G1, INFINITY_G2)).to.be.false()
      expect(() => bls.aggregate([INFINITY_G2])).to.throw(InvalidSignatureError)
    })

    it('refuses keys that cancel each other out', () => {
      const negated = bls12381.G1.Point.fromBytes(publicKeys[0]).negate().toBytes(false)

      expect(bls.fastAggregateVerify([publicKeys[0], negated], message, signatures[0])).to.be.false()
    })

    it('refuses wrong lengths and bytes that are no points, without an error', () => {
      expect(bls.verify(publicKeys[0].subarray(1), message, signatures[0])).to.be.false()
      expect(bls.verify(publicKeys[0], message, signatures[0].subarray(1))).to.be.false()
      expect(bls.verify(new Uint8Array(96), message, new Uint8Array(96))).to.be.false()
      expect(bls.verify(new Uint8Array(96).fill(255), message, new Uint8Array(96).fill(255))).to.be.false()
      expect(bls.verify(bls12381.G1.Point.fromBytes(publicKeys[0]).toBytes(true), message, signatures[0])).to.be.false()
    })

    it('refuses secret keys outside the group order', () => {
      for (const secretKey of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31).fill(1), fromHex('73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001')]) {
        expect(() => bls.publicKeyOf(secretKey)).to.throw(InvalidKeyError)
        expect(() => bls.sign(secretKey, message)).to.throw(InvalidKeyError)
        expect(() => bls.possess(secretKey)).to.throw(InvalidKeyError)
      }
    })

    it('proves possession of its own key only', () => {
      const possession = bls.possess(secretKeys[0])

      expect(bls.verifyPossession(publicKeys[0], possession)).to.be.true()
      expect(bls.verifyPossession(publicKeys[1], possession)).to.be.false()
      expect(bls.verifyPossession(publicKeys[0], bls.sign(secretKeys[0], publicKeys[0]))).to.be.false()
    })

    it('binds a proof of possession to the account that it is for', () => {
      const [owner, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
      const possession = bls.possess(secretKeys[0], owner)

      expect(bls.verifyPossession(publicKeys[0], possession, owner)).to.be.true()
      expect(bls.verifyPossession(publicKeys[0], possession, other)).to.be.false()
      expect(bls.verifyPossession(publicKeys[0], possession)).to.be.false()
    })

    it('takes trusted keys without their dearest check, and nothing that is no point', () => {
      const fresh = bls.publicKeyOf(fromHex('11'.repeat(32)))

      bls.trust([fresh, new Uint8Array(96).fill(1), new Uint8Array(5)])
      expect(bls.verify(fresh, message, bls.sign(fromHex('11'.repeat(32)), message))).to.be.true()
      expect(bls.verify(new Uint8Array(96).fill(1), message, signatures[0])).to.be.false()
    })

    it('unmasks a rogue key, with which one attacker signs for two', () => {
      const { Point } = bls12381.G1
      const rogue = Point.fromBytes(publicKeys[1]).subtract(Point.fromBytes(publicKeys[0])).toBytes(false)
      const forged = bls.sign(secretKeys[1], message)

      // this is why no key may be used before its possession is proven
      expect(bls.fastAggregateVerify([publicKeys[0], rogue], message, forged)).to.be.true()
      expect(bls.verifyPossession(rogue, bls.possess(secretKeys[1]))).to.be.false()
    })
  })
}

/** That two implementations cannot be told apart. */
export function sameBytes (name: string, one: { bls: Bls, ed25519: Ed25519 }, other: { bls: Bls, ed25519: Ed25519 }): void {
  describe(`${name} are byte-identical`, () => {
    it('in Ed25519 keys and signatures', () => {
      for (let i = 0; i < 8; i++) {
        const seed = deriveSeed('compliance', `ed25519/${i}`)
        const text = new Uint8Array(i * 31).fill(i)

        expect(toHex(one.ed25519.publicKeyOf(seed))).to.equal(toHex(other.ed25519.publicKeyOf(seed)))
        expect(toHex(one.ed25519.signerOf(seed)(text))).to.equal(toHex(other.ed25519.signerOf(seed)(text)))
      }
    })

    it('in BLS keys, signatures, aggregates and possessions', () => {
      for (const secretKey of secretKeys) {
        expect(toHex(one.bls.publicKeyOf(secretKey))).to.equal(toHex(other.bls.publicKeyOf(secretKey)))
        expect(toHex(one.bls.sign(secretKey, message))).to.equal(toHex(other.bls.sign(secretKey, message)))
        expect(toHex(one.bls.possess(secretKey))).to.equal(toHex(other.bls.possess(secretKey)))
      }

      const signatures = secretKeys.map(secretKey => one.bls.sign(secretKey, message))

      expect(toHex(one.bls.aggregate(signatures))).to.equal(toHex(other.bls.aggregate(signatures)))
      expect(other.bls.fastAggregateVerify(secretKeys.map(secretKey => one.bls.publicKeyOf(secretKey)), message, one.bls.aggregate(signatures))).to.be.true()
    })
  })
}
