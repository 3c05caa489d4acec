import { expect } from 'aegir/chai'
import { DatanetError } from '../../src/utils/index.ts'

describe('DatanetError', () => {
  it('carries a stable code, the cause and the name of its class', () => {
    class ThingMissingError extends DatanetError {}
    const cause = new TypeError('below')
    const err = new ThingMissingError('ERR_THING_MISSING', 'expected a thing', { cause, hint: 'add one' })

    expect(err).to.be.instanceOf(Error)
    expect(err.code).to.equal('ERR_THING_MISSING')
    expect(err.name).to.equal('ThingMissingError')
    expect(err.cause).to.equal(cause)
    expect(err.hint).to.equal('add one')
  })
})
