import assert from 'node:assert/strict'
import { bitmapOf, certificateValid, finalityValid, leaderOf, quorum, signersOf } from '../../src/consensus/index.ts'
import { headerHash } from '../../src/wire/index.ts'
import { fakeBls } from '../sim/fake-bls.ts'
import { CHAIN, certificate, GENESIS, header, validatorsOf } from './harness.ts'

const valid = (candidate: ReturnType<typeof certificate>, n = 4): boolean => certificateValid(candidate, validatorsOf(n), fakeBls, CHAIN)
const hash = new Uint8Array(32).fill(1)

describe('certificates', () => {
  it('need more than two thirds of the stake', () => {
    const of = (...stakes: bigint[]): bigint => quorum(stakes.map(stake => ({ stake })))

    assert.equal(of(1n), 1n)
    assert.equal(of(1n, 1n, 1n), 3n)
    assert.equal(of(1n, 1n, 1n, 1n), 3n)
    assert.equal(of(3n, 3n, 3n), 7n)
    assert.equal(of(10n ** 30n, 2n * 10n ** 30n), 2n * 10n ** 30n + 1n)
  })

  it('hold with a quorum of signers and not with less', () => {
    assert.ok(valid(certificate(4, 'notarize', 3, hash, [0, 1, 3])))
    assert.ok(!valid(certificate(4, 'notarize', 3, hash, [0, 3])))
    assert.ok(!valid(certificate(4, 'notarize', 3, hash, [])))
  })

  it('hold for what was signed only', () => {
    const good = certificate(4, 'notarize', 3, hash)

    assert.ok(!valid({ ...good, view: 4 }))
    assert.ok(!valid({ ...good, kind: 'finalize' }))
    assert.ok(!valid({ ...good, blockHash: new Uint8Array(32).fill(2) }))
    assert.ok(!valid({ ...good, signers: Uint8Array.of(0b0111) }))
    assert.ok(!certificateValid(good, validatorsOf(4), fakeBls, 'another chain'))
  })

  it('are refused when malformed', () => {
    const good = certificate(4, 'notarize', 3, hash)

    assert.ok(!valid({ ...good, signers: Uint8Array.of(0b11111) }))
    assert.ok(!valid({ ...good, signers: Uint8Array.of(0b1111, 0) }))
    assert.ok(!valid({ ...good, signers: new Uint8Array(0) }))
    assert.ok(!valid({ ...good, signature: new Uint8Array(95) }))
    assert.ok(!valid({ ...good, blockHash: new Uint8Array(0) }))
    assert.ok(!valid({ ...good, view: 0 }))
    assert.ok(!valid({ ...good, view: 1.5 }))
    assert.ok(!valid({ ...certificate(4, 'nullify', 3), blockHash: hash }))
  })

  it('name their signers least significant bit first', () => {
    assert.deepEqual(bitmapOf([0, 9], 10), Uint8Array.of(1, 2))
    assert.deepEqual(signersOf(Uint8Array.of(1, 2), 10), [0, 9])
    assert.equal(signersOf(Uint8Array.of(1, 4), 10), null)
  })

  it('make a block final through a descendant that has one', () => {
    const first = header(4, 1, 1, GENESIS)
    const second = header(4, 2, 2, headerHash(first))
    const chain = [first, second].map(header => ({ header, hash: headerHash(header) }))
    const finalize = certificate(4, 'finalize', 2, chain[1].hash)
    const check = (headers: typeof chain, by = finalize): boolean => finalityValid(headers, by, validatorsOf(4), fakeBls, CHAIN)

    assert.ok(check(chain))
    assert.ok(check(chain.slice(1)))
    assert.ok(!check(chain.slice(0, 1)))
    assert.ok(!check([]))
    assert.ok(!check([{ header: header(4, 1, 1, GENESIS, 5), hash }, chain[1]]))
    assert.ok(!check(chain, certificate(4, 'notarize', 2, chain[1].hash)))
  })

  it('come from leaders in turn', () => {
    assert.deepEqual([1, 2, 3, 4, 5].map(view => leaderOf(view, 4)), [1, 2, 3, 0, 1])
  })
})
