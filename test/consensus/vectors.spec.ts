import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { certificateValid, voteBytes, voteCodec } from '../../src/consensus/index.ts'
import { bls } from '../../src/identity/index.ts'
import { certificateCodec, fromHex, toHex } from '../../src/wire/index.ts'
import { consensusVectors } from './vectors.ts'
import type { ConsensusVectors } from './vectors.ts'

const read = <K extends keyof ConsensusVectors>(name: K): ConsensusVectors[K] =>
  JSON.parse(readFileSync(new URL(`../../protocols/consensus/vectors/${name}.json`, import.meta.url), 'utf8'))

describe('the vectors of consensus', () => {
  it('are what the code makes', () => {
    const { votes, invalidVotes, certificates } = consensusVectors()

    assert.deepEqual(read('votes'), votes)
    assert.deepEqual(read('invalidVotes'), invalidVotes)
    assert.deepEqual(read('certificates'), certificates)
  })

  it('hold votes that decode, verify and encode to the same bytes', () => {
    const { chain, publicKeys, vectors } = read('votes')

    for (const { name, message, vote } of vectors) {
      const decoded = voteCodec.decode(fromHex(vote))

      assert.equal(toHex(voteCodec.encode(decoded)), vote, name)
      assert.equal(toHex(voteBytes(chain, decoded)), message, name)
      assert.ok(bls.verify(fromHex(publicKeys[decoded.validator]), fromHex(message), decoded.signature), name)
    }
  })

  it('hold votes that are refused with their error', () => {
    for (const { name, code, bytes } of read('invalidVotes').vectors) {
      assert.throws(() => voteCodec.decode(fromHex(bytes)), { code }, name)
    }
  })

  it('hold certificates that verify and certificates that do not', () => {
    const { chain, validators, vectors } = read('certificates')
    const set = validators.map(({ blsPublicKey, stake }) => ({
      account: new Uint8Array(32), blsPublicKey: fromHex(blsPublicKey), possession: new Uint8Array(96), stake: BigInt(stake)
    }))

    for (const { name, valid, certificate } of vectors) {
      assert.equal(certificateValid(certificateCodec.decode(fromHex(certificate)), set, bls, chain), valid, name)
    }
  })
})
