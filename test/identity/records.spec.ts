import { expect } from 'aegir/chai'
import { accountFromString, accountToString, bls, blsSecretKey, deriveSeed, ed25519Signer, InvalidKeyError, SignatureError, signPayload, signRecord, verifyPayload, verifyRecord, verifySignature, WrongAuthorError } from '../../src/identity/index.ts'
import { cidOf, contributionCodec, domains, toHex, utf8, voucherCodec } from '../../src/wire/index.ts'
import type { Contribution, Voucher } from '../../src/interface/index.ts'

const signer = ed25519Signer(deriveSeed('test', 'contributor'))
const stranger = ed25519Signer(deriveSeed('test', 'stranger'))

const contribution: Contribution = {
  type: 'contribution',
  version: 1,
  datanet: cidOf(utf8('datanet')),
  contributor: signer.account,
  title: 'Speeches',
  licence: 'CC0-1.0',
  rows: 1,
  bytes: 100,
  shards: [cidOf(utf8('shard'))]
}

describe('signed records', () => {
  const signed = signRecord(domains.contribution, contributionCodec, contribution, signer)

  it('verify with their domain and author', () => {
    expect(() => { verifyRecord(domains.contribution, contributionCodec, signed, signer.account) }).not.to.throw()
  })

  it('do not verify in another domain', () => {
    expect(() => { verifyRecord(domains.attestation, contributionCodec, signed) }).to.throw(SignatureError).with.property('code', 'ERR_SIGNATURE')
  })

  it('do not verify after a change', () => {
    expect(() => { verifyRecord(domains.contribution, contributionCodec, { ...signed, payload: { ...contribution, rows: 2 } }) }).to.throw(SignatureError)
  })

  it('are refused when somebody else than the author signed', () => {
    const forged = signRecord(domains.contribution, contributionCodec, contribution, stranger)

    expect(() => { verifyRecord(domains.contribution, contributionCodec, forged, signer.account) }).to.throw(WrongAuthorError).with.property('code', 'ERR_WRONG_AUTHOR')
  })

  it('do not verify for another signer', () => {
    expect(() => { verifyRecord(domains.contribution, contributionCodec, { ...signed, signer: stranger.account }) }).to.throw(SignatureError)
  })

  it('carry bare signatures too', () => {
    const voucher: Voucher = { type: 'voucher', version: 1, chain: 'test', channel: new Uint8Array(32), cumulative: 5n }
    const signature = signPayload(domains.voucher, voucherCodec, voucher, signer)

    expect(() => { verifyPayload(domains.voucher, voucherCodec, voucher, signer.account, signature) }).not.to.throw()
    expect(() => { verifyPayload(domains.voucher, voucherCodec, { ...voucher, cumulative: 6n }, signer.account, signature) }).to.throw(SignatureError)
  })
})

describe('accounts', () => {
  it('are written as multikeys', () => {
    expect(accountToString(signer.account)).to.match(/^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/)
    expect(accountFromString(accountToString(signer.account))).to.deep.equal(signer.account)
  })

  it('are refused when the text is none', () => {
    const secp256k1 = 'zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'

    for (const text of ['', 'z', 'z6Mk', 'm6Mk', `${accountToString(signer.account)}1`, secp256k1, `z${'1'.repeat(10_000)}`, accountToString(signer.account).replace('z6Mk', 'z6Ml')]) {
      expect(() => accountFromString(text), text.slice(0, 60)).to.throw(InvalidKeyError).with.property('code', 'ERR_INVALID_KEY')
    }
  })

  it('are not made of other lengths', () => {
    expect(() => accountToString(new Uint8Array(33))).to.throw(InvalidKeyError)
  })
})

describe('derived keys', () => {
  it('are the same every time and differ by path and secret', () => {
    const seeds = [deriveSeed('a', 'x'), deriveSeed('a', 'y'), deriveSeed('b', 'x'), deriveSeed('ax', '')].map(toHex)

    expect(new Set(seeds).size).to.equal(4)
    expect(deriveSeed(utf8('a'), 'x')).to.deep.equal(deriveSeed('a', 'x'))
  })

  it('make BLS keys by the KeyGen of the draft', () => {
    // what @chainsafe/blst 2.2's SecretKey.fromKeygen gives for this seed
    expect(toHex(blsSecretKey(new Uint8Array(32).fill(7)))).to.equal('23c205e368093188a73311a45658e3d30e00741019b0eff05277ba2fd42bc422')
    expect(bls.publicKeyOf(blsSecretKey(new Uint8Array(32).fill(7)))).to.have.lengthOf(96)
    expect(() => blsSecretKey(new Uint8Array(31))).to.throw(InvalidKeyError)
  })

  it('sign with a key that later changes of the seed do not touch', () => {
    const seed = deriveSeed('test', 'copied')
    const copied = ed25519Signer(seed)
    seed.fill(0)

    expect(verifySignature(copied.account, utf8('m'), copied.sign(utf8('m')))).to.be.true()
  })
})
