import { expect } from 'aegir/chai'
import { expected } from './golden-hashes.ts'
import { golden } from './golden.ts'

describe('golden hashes of the engine', () => {
  it('are met by the wasm backend', () => {
    expect(golden('wasm')).to.deep.equal(expected)
  })

  it('are met by the oracle', () => {
    expect(golden('reference')).to.deep.equal(expected)
  })
})
