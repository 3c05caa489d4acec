import { expect } from 'aegir/chai'
import { genesisState } from '../../src/ledger/index.ts'
import {
  CertificateError, CheckpointError, forkEvidenceCodec, ForkError, lightClient, SourceError, StaleSourceError, TrustExpiredError, ValidatorSetError, WitnessError
} from '../../src/light-client/index.ts'
import { headerHash, MalformedRecordError, validatorsHash } from '../../src/wire/index.ts'
import { anotherSet, certify, genesisOf, headerOf, testSource } from './chain.ts'
import type { TestSource } from './chain.ts'
import type { EraChange } from '../../src/interface/index.ts'
import type { Checkpoint, LightClient } from '../../src/light-client/index.ts'

const genesis = genesisOf()
const { map } = genesisState(genesis)
const second = anotherSet('second')
const third = anotherSet('third')

/** A chain whose set changes after height 10 and after height 20, now at 25. */
function threeEras (): TestSource & { changes: Map<number, EraChange>, asked: string[] } {
  const source = testSource()
  const asked: string[] = []
  const [two, three] = [second, third].map(({ validators }) => validatorsHash(validators))
  const first = source.add(10, map, { header: { validatorsHash: two } })
  source.add(15, map, { keys: second.keys, header: { era: 1, validatorsHash: two } })
  const last = source.add(20, map, { keys: second.keys, header: { era: 1, validatorsHash: three } })
  source.add(25, map, { keys: third.keys, header: { era: 2, validatorsHash: three } })

  const changes = new Map([[1, { last: first, validators: second.validators }], [2, { last, validators: third.validators }]])

  return Object.assign(source, {
    changes,
    asked,
    eraChange: async (era: number): Promise<EraChange> => {
      asked.push(`era ${era}`)
      const change = changes.get(era)

      if (change === undefined) {
        throw new RangeError('unknown era')
      }

      return change
    }
  })
}

const checkpointAt = (source: TestSource, height: number): Checkpoint => {
  const known = source.certified.get(height)

  if (known === undefined) {
    throw new RangeError('unknown height')
  }

  return { height, hash: headerHash(known.header) }
}

const failure = async (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined, (error: unknown) => error)

describe('skipping of a light client', () => {
  it('needs one certificate for each change of the set and one for the newest header', async () => {
    const source = threeEras()
    const client = lightClient({ genesis, source })
    let headers = 0
    const { header } = source
    source.header = async height => { headers++; return header(height) }

    expect((await client.sync()).header.height).to.equal(25)
    expect(source.asked).to.deep.equal(['era 1', 'era 2'])
    expect(headers).to.equal(0)
  })

  it('refuses a set that the set before did not certify', async () => {
    const source = threeEras()
    const forged = anotherSet('forged')
    const { last } = source.changes.get(2) as EraChange
    source.changes.set(2, { last, validators: forged.validators })

    expect(await failure(lightClient({ genesis, source }).sync())).to.be.instanceOf(ValidatorSetError)

    const own = certify(headerOf(20, map, { era: 1, validatorsHash: validatorsHash(forged.validators) }), { keys: forged.keys })
    source.changes.set(2, { last: own, validators: forged.validators })

    expect(await failure(lightClient({ genesis, source }).sync())).to.be.instanceOf(CertificateError)
  })

  it('refuses the change of another era', async () => {
    const source = threeEras()
    source.changes.set(2, source.changes.get(1) as EraChange)

    expect(await failure(lightClient({ genesis, source }).sync())).to.be.instanceOf(ValidatorSetError)
  })
})

describe('the trusting period of a light client', () => {
  let time: number
  let source: TestSource
  let client: LightClient

  beforeEach(() => {
    time = 1_000
    source = testSource()
    source.add(5, map)
    client = lightClient({ genesis, source, trusting: { since: 0, periodMs: 10_000, now: () => time } })
  })

  it('begins anew with each newer header', async () => {
    await client.sync()
    time = 10_500
    source.add(6, map)
    await client.sync()
    time = 20_500

    expect((await client.sync()).header.height).to.equal(6)
  })

  it('ends although the source repeats what is known', async () => {
    await client.sync()
    time = 10_900
    await client.sync()
    time = 11_001

    const error = await failure(client.sync())

    expect(error).to.be.instanceOf(TrustExpiredError)
    expect(error).to.have.property('message').that.includes('--checkpoint')
  })

  it('refuses headers of the past after it, but proofs against what was verified stay true', async () => {
    await client.sync()
    time = 30_000

    expect(await failure(client.header(4))).to.be.instanceOf(TrustExpiredError)
    expect((await client.chain()).at.header.height).to.equal(5)
  })

  it('does not go on for ever by a clock that was set back, or that gives no time', async () => {
    time = -10_001
    expect(await failure(client.sync())).to.be.instanceOf(TrustExpiredError)
    time = Number.NaN
    expect(await failure(client.sync())).to.be.instanceOf(TrustExpiredError)
  })

  it('saves from a history that validators of long ago signed anew', async () => {
    await client.sync()
    time = 3_600_000
    source.add(1_000, map)

    expect(await failure(client.sync())).to.be.instanceOf(TrustExpiredError)
    expect(client.newest?.header.height).to.equal(5)
  })
})

describe('the checkpoint of a light client', () => {
  it('needs no set before its own', async () => {
    const source = threeEras()
    const client = lightClient({ genesis, source, checkpoint: checkpointAt(source, 15) })

    expect((await client.sync()).header.height).to.equal(25)
    expect(source.asked).to.deep.equal(['era 1', 'era 2'])
    expect((await client.chain()).at.header.height).to.equal(25)
  })

  it('may be the last header of an era', async () => {
    const source = threeEras()
    source.changes.delete(1)
    source.eraChange = async era => era === 2 ? source.changes.get(2) as EraChange : { last: source.certified.get(10) as EraChange['last'], validators: third.validators.slice(1) }

    expect((await lightClient({ genesis, source, checkpoint: checkpointAt(source, 20) }).sync()).header.height).to.equal(25)
  })

  it('is refused when the source has another header there', async () => {
    const source = threeEras()
    const lies = [{ ...checkpointAt(source, 15), hash: new Uint8Array(32) }, { ...checkpointAt(source, 15), height: 20 }]

    for (const checkpoint of lies) {
      expect(await failure(lightClient({ genesis, source, checkpoint }).sync())).to.be.instanceOf(CheckpointError)
    }
  })

  it('is refused with a set that it does not commit to', async () => {
    const source = threeEras()
    source.changes.set(1, { ...source.changes.get(1) as EraChange, validators: third.validators })
    source.changes.set(2, { ...source.changes.get(2) as EraChange, validators: anotherSet('forged').validators })

    expect(await failure(lightClient({ genesis, source, checkpoint: checkpointAt(source, 15) }).sync())).to.be.instanceOf(ValidatorSetError)
  })

  it('shuts out a long-range fork, which the genesis alone would not', async () => {
    const source = threeEras()
    const checkpoint = checkpointAt(source, 15)
    const honest = source.certified.get(15) as EraChange['last']
    const forged = anotherSet('forged')
    // the validators of the genesis, who left long ago, sign another set
    const last = certify(headerOf(10, map, { view: 11, validatorsHash: validatorsHash(forged.validators) }))
    source.changes.clear()
    source.changes.set(1, { last, validators: forged.validators })
    source.changes.set(2, { last, validators: forged.validators })
    source.certified.clear()
    source.add(30, map, { keys: forged.keys, header: { era: 1, validatorsHash: validatorsHash(forged.validators) } })

    expect((await lightClient({ genesis, source }).sync()).header.height).to.equal(30)
    source.certified.set(15, honest)
    expect(await failure(lightClient({ genesis, source, checkpoint }).sync())).to.be.instanceOf(ValidatorSetError)
  })

  it('is never gone behind, nor contradicted at its height', async () => {
    const source = testSource()
    source.add(5, map)
    source.add(6, map)
    const checkpoint = checkpointAt(source, 6)

    const { latest } = source
    source.latest = async () => source.header(5)
    expect(await failure(lightClient({ genesis, source, checkpoint }).sync())).to.be.instanceOf(CheckpointError)
    source.latest = async () => certify(headerOf(6, map, { view: 9 }))
    expect(await failure(lightClient({ genesis, source, checkpoint }).sync())).to.be.instanceOf(CheckpointError)
    source.latest = latest
    expect((await lightClient({ genesis, source, checkpoint }).sync()).header.height).to.equal(6)
  })
})

describe('witnesses of a light client', () => {
  let source: TestSource
  let witness: TestSource

  beforeEach(() => {
    source = testSource()
    witness = testSource()
    source.add(5, map)
    witness.add(5, map)
  })

  it('confirm what they have too, whether they are ahead or behind', async () => {
    const client = lightClient({ genesis, source, witnesses: [witness, source], witnessesMin: 2 })

    expect((await client.sync()).header.height).to.equal(5)
    source.add(6, map)
    expect((await client.sync()).header.height).to.equal(6)
    witness.add(6, map)
    witness.add(7, map)
    witness.add(8, map)
    source.add(7, map)
    expect((await client.sync()).header.height).to.equal(7)
  })

  it('that differ convict those who signed both, in a record for others', async () => {
    const first = source.add(6, map)
    const other = witness.add(6, map, { signers: [1, 2, 3], header: { bodyRoot: new Uint8Array(32).fill(1) } })
    const client = lightClient({ genesis, source, witnesses: [witness] })

    const error = await failure(client.sync())

    expect(error).to.be.instanceOf(ForkError)
    const { evidence } = error as ForkError
    expect(evidence).to.deep.equal({ first, second: other, accused: [1, 2].map(i => genesis.validators[i].account), accusedStake: 2000n })
    expect(client.newest).to.equal(undefined)

    const bytes = forkEvidenceCodec.encode(evidence)
    expect(forkEvidenceCodec.decode(bytes)).to.deep.equal(evidence)
    expect(() => forkEvidenceCodec.decode(bytes.subarray(0, -1))).to.throw(MalformedRecordError)
  })

  it('of a chain that parted before a change of validators convict by that change', async () => {
    const honest = threeEras()
    const forked = threeEras()
    const forged = anotherSet('forged')
    const last = certify(headerOf(10, map, { validatorsHash: validatorsHash(forged.validators) }))
    forked.changes.clear()
    forked.changes.set(1, { last, validators: forged.validators })
    forked.certified.clear()
    forked.add(25, map, { keys: forged.keys, header: { era: 1, validatorsHash: validatorsHash(forged.validators) } })

    const error = await failure(lightClient({ genesis, source: forked, witnesses: [honest] }).sync())

    expect(error).to.be.instanceOf(ForkError)
    expect((error as ForkError).evidence).to.deep.include({ first: last, second: honest.certified.get(10), accusedStake: 3000n })
  })

  it('cannot stop us with headers that are not certified, and do not count then', async () => {
    witness.certified.set(5, certify(headerOf(5, map, { view: 6 }), { signers: [0, 1] }))

    expect((await lightClient({ genesis, source, witnesses: [witness, source] }).sync()).header.height).to.equal(5)
    expect(await failure(lightClient({ genesis, source, witnesses: [witness] }).sync())).to.be.instanceOf(WitnessError)
    expect(await failure(lightClient({ genesis, source, witnesses: [witness, source], witnessesMin: 2 }).sync())).to.be.instanceOf(WitnessError)
  })

  it('accuse nobody by a bitmap that no signature covers', async () => {
    // final through its descendant, with a forged certificate of its own
    const six = certify(headerOf(6, map, { view: 7 }), { kind: 'notarize' })
    witness.certified.set(6, { ...six, certificate: { ...six.certificate, signers: Uint8Array.of(0b1111) } })
    witness.add(7, map, { header: { view: 8, parent: headerHash(six.header) } })
    source.add(6, map)

    const error = await failure(lightClient({ genesis, source, witnesses: [witness] }).sync())

    expect(error).to.be.instanceOf(ForkError)
    expect((error as ForkError).evidence.accused).to.deep.equal([])
  })

  it('show that a source feeds us an old chain', async () => {
    witness.add(500, map)

    expect(await failure(lightClient({ genesis, source, witnesses: [witness] }).sync())).to.be.instanceOf(StaleSourceError)
  })

  it('that are silent do not hold us for ever', async () => {
    witness.latest = async () => new Promise(() => {})

    const error = await failure(lightClient({ genesis, source, witnesses: [witness], timeoutMs: 20 }).sync())

    expect(error).to.be.instanceOf(WitnessError)
    expect(error).to.have.property('cause').that.is.instanceOf(SourceError)
  })
})
