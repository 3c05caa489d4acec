import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { authenticatedMap, decodeSnapshot, encodeSnapshot, STATE_PROOF_BYTES_MAX, verifyStateProof } from '../../src/ledger/index.ts'
import type { AuthenticatedMap } from '../../src/ledger/index.ts'

const keys = fc.stringMatching(/^[a-z/0-9]{1,4}$/)
const values = fc.uint8Array({ maxLength: 8 })
const entries = fc.dictionary(keys, values, { maxKeys: 40 }).map(found => Object.entries(found))

function mapOf (entries: Array<[string, Uint8Array]>): AuthenticatedMap {
  return entries.reduce((map, [key, value]) => map.set(key, value), authenticatedMap())
}

describe('authenticatedMap', () => {
  it('has the zero root when it is empty', () => {
    expect(authenticatedMap().root).to.deep.equal(new Uint8Array(32))
  })

  it('is a map, whatever the order of updates, and older versions stay as they were', () => {
    fc.assert(fc.property(fc.array(fc.tuple(keys, fc.option(values, { nil: null })), { maxLength: 60 }), updates => {
      const model = new Map<string, Uint8Array>()
      const versions: Array<[AuthenticatedMap, Map<string, Uint8Array>]> = []
      let map = authenticatedMap()

      for (const [key, value] of updates) {
        map = value === null ? map.delete(key) : map.set(key, value)

        if (value === null) {
          model.delete(key)
        } else {
          model.set(key, value)
        }

        versions.push([map, new Map(model)])
      }

      for (const [version, expected] of versions) {
        const listed = [...expected].sort(([a], [b]) => a < b ? -1 : 1)

        expect([...version.entries()]).to.deep.equal(listed)
        expect(version.size).to.equal(expected.size)
        expect(version.root).to.deep.equal(mapOf([...expected].reverse()).root)
        expect(authenticatedMap(listed).root).to.deep.equal(version.root)
      }
    }), { numRuns: 60 })
  })

  it('lists by prefix in key order', () => {
    const map = mapOf(['b/2', 'a/1', 'b/10', 'b', 'c/1', 'b/1'].map(key => [key, new Uint8Array([1])]))

    expect([...map.entries('b/')].map(([key]) => key)).to.deep.equal(['b/1', 'b/10', 'b/2'])
    expect([...map.entries('d')]).to.deep.equal([])
    expect([...map.entries('b/', 'b/10')].map(([key]) => key)).to.deep.equal(['b/10', 'b/2'])
    expect([...map.entries('b/', 'b0')]).to.deep.equal([])
  })

  it('proves what it holds and what it does not hold', () => {
    fc.assert(fc.property(entries, fc.array(keys, { minLength: 1, maxLength: 10 }), (entries, others) => {
      const map = mapOf(entries)

      for (const key of [...entries.map(([key]) => key), ...others]) {
        const proof = map.prove(key)

        expect(proof.value).to.deep.equal(map.get(key) ?? null)
        expect(verifyStateProof(map.root, proof)).to.equal(true)
        expect(proof.proof.length).to.be.at.most(STATE_PROOF_BYTES_MAX)
      }
    }), { numRuns: 60 })
  })

  it('has no proof for another value, another key, or against another root', () => {
    fc.assert(fc.property(entries, keys, values, (entries, other, value) => {
      const map = mapOf([...entries, ['own', new Uint8Array([1])]])
      const proof = map.prove('own')
      const changed = map.set(other, value)

      fc.pre(other !== 'own' && value[0] !== 1)
      expect(verifyStateProof(map.root, { ...proof, value })).to.equal(false)
      expect(verifyStateProof(map.root, { ...proof, value: null })).to.equal(false)
      expect(verifyStateProof(map.root, { ...proof, key: `${other}x` })).to.equal(false)
      expect(verifyStateProof(map.root, { ...map.prove('absent'), value })).to.equal(false)
      expect(verifyStateProof(map.root, { ...map.prove('absent'), key: 'own' })).to.equal(false)

      if (map.get(other)?.join() !== value.join()) {
        expect(verifyStateProof(changed.root, proof)).to.equal(false)
      }
    }), { numRuns: 60 })
  })

  it('refuses any proof with a byte changed, cut or added', () => {
    const map = mapOf(Array.from({ length: 50 }, (_, i) => [`key/${i}`, new Uint8Array([i])]))

    for (const proof of [map.prove('key/7'), map.prove('absent'), map.prove('absent/2')]) {
      for (let i = 0; i < proof.proof.length; i++) {
        const bytes = Uint8Array.from(proof.proof)

        bytes[i] ^= 1
        expect(verifyStateProof(map.root, { ...proof, proof: bytes })).to.equal(false)
        expect(verifyStateProof(map.root, { ...proof, proof: proof.proof.slice(0, i) })).to.equal(false)
      }

      expect(verifyStateProof(map.root, { ...proof, proof: Uint8Array.from([...proof.proof, 0]) })).to.equal(false)
    }
  })

  it('takes any bytes as a proof without throwing', () => {
    const { root } = mapOf([['a', new Uint8Array([1])]])

    fc.assert(fc.property(fc.string(), fc.option(values, { nil: null }), fc.uint8Array({ maxLength: 200 }), (key, value, proof) => {
      expect(verifyStateProof(root, { key, value, proof })).to.equal(false)
    }))
    expect(verifyStateProof(root, { key: 'b', value: null, proof: new Uint8Array(STATE_PROOF_BYTES_MAX + 1) })).to.equal(false)
  })

  it('refuses keys that are empty, too long or not printable ASCII', () => {
    for (const key of ['', 'a b', 'é', 'a\n', 'x'.repeat(257)]) {
      expect(() => authenticatedMap().set(key, new Uint8Array())).to.throw().with.property('code', 'ERR_STATE_KEY')
    }

    expect(() => authenticatedMap().set('a', new Uint8Array(131_073))).to.throw().with.property('code', 'ERR_STATE_VALUE')
  })

  it('comes back from its snapshot, and from no other bytes', () => {
    fc.assert(fc.property(entries, entries => {
      const map = mapOf(entries)
      const bytes = encodeSnapshot(map)
      const back = decodeSnapshot(bytes, map.root)

      expect([...back.entries()]).to.deep.equal([...map.entries()])
      expect(encodeSnapshot(back)).to.deep.equal(bytes)
      expect(() => decodeSnapshot(bytes.subarray(0, bytes.length - 1), map.root)).to.throw()
      expect(() => decodeSnapshot(Uint8Array.from([...bytes, 0]), map.root)).to.throw().with.property('code', 'ERR_STATE_SNAPSHOT')
      expect(() => decodeSnapshot(bytes, new Uint8Array(32).fill(1))).to.throw().with.property('code', 'ERR_STATE_SNAPSHOT')
    }), { numRuns: 40 })
  })
})
