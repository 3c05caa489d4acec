import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import {
  cidOf, compareBytes, concatBytes, DAG_PB, domains, equalBytes, fromHex, hash, InvalidHexError, LeafIndexError, merkleProof, merkleRoot, rawCid, toHex,
  utf8, verifyMerkleProof
} from '../../src/wire/index.ts'

describe('hashes', () => {
  it('are SHA-256 over parts with their lengths', () => {
    // sha256(00000001 61 00000002 6263)
    expect(toHex(hash('a', utf8('bc')))).to.equal('b534ce16ac9c8b36823f39a395ce8e0e3c7ad9605b82b5444f18cadacd217a5d')
  })

  it('differ when parts are cut elsewhere, or the domain is another', () => {
    const all = [hash('d', utf8('ab'), utf8('c')), hash('d', utf8('a'), utf8('bc')), hash('d', utf8('abc')), hash('d', utf8('abc'), new Uint8Array()), hash('e', utf8('abc'))]

    expect(new Set(all.map(toHex)).size).to.equal(all.length)
  })

  it('have domains that are all different', () => {
    expect(new Set(Object.values(domains)).size).to.equal(Object.keys(domains).length)

    for (const domain of Object.values(domains)) {
      expect(domain).to.match(/^datanet\/[a-z-]+\/[0-9]+$/)
    }
  })
})

describe('CIDs', () => {
  it('are those that others compute', () => {
    // ipfs block put of "hello"
    expect(rawCid(utf8('hello')).toString()).to.equal('bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq')
    expect(cidOf(Uint8Array.of(0xa0)).toString()).to.equal('bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua')
    expect(cidOf(new Uint8Array(), DAG_PB).code).to.equal(0x70)
  })

  it('compare equal to those parsed from text', () => {
    const cid = cidOf(Uint8Array.of(0xa0))

    expect(cid.equals(CID.parse(cid.toString()))).to.be.true()
  })
})

describe('bytes', () => {
  it('are ordered lexicographically, the prefix first', () => {
    const sorted = ['', '00', '0000', '01', '7f', '80', 'ff', 'ff00'].map(text => fromHex(text))

    expect(sorted.toReversed().toSorted(compareBytes)).to.deep.equal(sorted)
    expect(equalBytes(fromHex('00'), fromHex('0000'))).to.be.false()
    expect(concatBytes(...sorted)).to.deep.equal(fromHex('000000017f80ffff00'))
  })

  it('are read from hexadecimal digits only', () => {
    fc.assert(fc.property(fc.uint8Array(), bytes => {
      expect(fromHex(toHex(bytes))).to.deep.equal(bytes)
    }))

    for (const text of ['0', 'AB', '0x00', 'gg', ' 00', '00 ']) {
      expect(() => fromHex(text), text).to.throw(InvalidHexError).with.property('code', 'ERR_INVALID_HEX')
    }

    expect(() => fromHex('00', 32)).to.throw(InvalidHexError)
  })
})

describe('Merkle trees', () => {
  // the leaves of Certificate Transparency's test suite
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(text => fromHex(text))
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'
  ]

  it('have the roots of RFC 6962', () => {
    for (let size = 0; size <= leaves.length; size++) {
      expect(toHex(merkleRoot(leaves.slice(0, size))), `${size} leaves`).to.equal(roots[size])
    }
  })

  it('have the audit path of RFC 6962', () => {
    expect(merkleProof(leaves, 5).map(toHex)).to.deep.equal([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'
    ])
  })

  it('prove every leaf of every size, and nothing else', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), fc.nat(), (size, seed, other) => {
      const all = Array.from({ length: size }, (_, i) => Uint8Array.of(i))
      const index = seed % size
      const elsewhere = other % size
      const root = merkleRoot(all)
      const proof = merkleProof(all, index)

      expect(verifyMerkleProof(root, all[index], index, size, proof)).to.be.true()
      expect(verifyMerkleProof(root, all[elsewhere], elsewhere, size, proof)).to.equal(elsewhere === index)
      expect(verifyMerkleProof(root, all[index], index, size + 1, [...proof, root])).to.be.false()
      expect(verifyMerkleProof(root, Uint8Array.of(200), index, size, proof)).to.be.false()
    }), { numRuns: 200 })
  })

  it('never take malformed proofs, and never throw at them', () => {
    const root = merkleRoot(leaves)
    const proof = merkleProof(leaves, 3)

    for (const [index, size, path] of [[3, 8, proof.slice(1)], [3, 8, [...proof, root]], [3, 8, [proof[0].subarray(1), ...proof.slice(1)]], [-1, 8, proof], [8, 8, proof], [3.5, 8, proof], [3, 0, []], [0, NaN, []], [3, 8, new Array(1000).fill(root)]] as Array<[number, number, Uint8Array[]]>) {
      expect(verifyMerkleProof(root, leaves[3], index, size, path)).to.be.false()
    }
  })

  it('refuse to prove a leaf that they do not have', () => {
    expect(() => merkleProof(leaves, 8)).to.throw(LeafIndexError)
    expect(() => merkleProof(leaves, -1)).to.throw(LeafIndexError)
    expect(() => merkleProof([], 0)).to.throw(LeafIndexError)
  })
})
