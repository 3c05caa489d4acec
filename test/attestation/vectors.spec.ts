import { readFile } from 'node:fs/promises'
import { expect } from 'aegir/chai'
import { findPersonalData, fingerprint, quality } from '../../src/attestation/index.ts'

interface Vector { text: string, exact: string, minhash: number[], quality: number, personalData: string[] }

describe('vectors of protocols/attestation/checks.json', () => {
  it('are what the checks measure', async () => {
    const { vectors } = JSON.parse(await readFile(new URL('../../protocols/attestation/checks.json', import.meta.url), 'utf8')) as { vectors: Vector[] }
    expect(vectors.length).to.be.greaterThan(5)
    for (const vector of vectors) {
      const { exact, signature } = fingerprint(vector.text)
      expect(exact, vector.text).to.equal(vector.exact)
      expect([...signature.slice(0, 4)], vector.text).to.deep.equal(vector.minhash)
      expect(quality(vector.text), vector.text).to.equal(vector.quality)
      expect(findPersonalData(vector.text), vector.text).to.deep.equal(vector.personalData)
    }
    // case and punctuation do not matter
    expect(vectors[1].exact).to.equal(vectors[2].exact)
  })
})
