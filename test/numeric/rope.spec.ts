import { expect } from 'aegir/chai'
import { ropeFrequencies, ropeMagnitude } from '../../src/numeric/index.ts'

describe('rotary frequencies', () => {
  it('are those of the paper\'s formula with YaRN, and so is the magnitude', () => {
    const bands = { low: 1, high: 32, length: 4096 }
    const plain = ropeFrequencies(64, 10_000)
    const stretched = ropeFrequencies(64, 10_000, { factor: 16, bands, yarn: true })
    // d(β) = 64·ln(4096/2πβ)/(2·ln 10000): 10.47 and 22.5, so columns 10 to 23
    stretched.forEach((frequency, i) => {
      const share = Math.min(1, Math.max(0, (i - 10) / 13))
      expect(frequency).to.be.closeTo(plain[i] * (1 - share) + plain[i] / 16 * share, 1e-15)
    })
    expect(ropeMagnitude({ factor: 16, bands, yarn: true })).to.be.closeTo(1.2772588722239782, 1e-15)
    expect(ropeMagnitude({ factor: 16, bands })).to.equal(1)
  })
})
