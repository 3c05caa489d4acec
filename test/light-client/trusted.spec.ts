import { expect } from 'aegir/chai'
import { genesisState } from '../../src/ledger/index.ts'
import { lightClient, trustedHeaderCodec } from '../../src/light-client/index.ts'
import { headerHash, validatorsHash } from '../../src/wire/index.ts'
import { anotherSet, certify, genesisOf, headerOf, testSource } from './chain.ts'
import type { TestSource } from './chain.ts'
import type { TrustedHeader } from '../../src/light-client/index.ts'

const genesis = genesisOf()
const { map } = genesisState(genesis)
const second = anotherSet('second')
const PERIOD_MS = 1_000

/** A chain whose set changes after height 10, now at 15. */
function twoEras (): TestSource & { asked: string[] } {
  const source = testSource()
  const asked: string[] = []
  const validators = validatorsHash(second.validators)
  const last = source.add(10, map, { header: { validatorsHash: validators } })

  source.add(15, map, { keys: second.keys, header: { era: 1, validatorsHash: validators } })

  return Object.assign(source, {
    asked,
    eraChange: async (era: number) => {
      asked.push(`era ${era}`)

      return { last, validators: second.validators }
    }
  })
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => promise.then(() => 'believed', (error: { code?: string }) => error.code ?? String(error))

/** What a client believed after it followed a chain, over a disk. */
async function remembered (source: TestSource, now = 500): Promise<TrustedHeader> {
  const client = lightClient({ genesis, source, trusting: { since: 0, periodMs: PERIOD_MS, now: () => now } })

  await client.sync()

  return trustedHeaderCodec.decode(trustedHeaderCodec.encode(client.trusted ?? expect.fail('nothing was verified')))
}

describe('what a light client remembers', () => {
  it('is nothing before the first header', () => {
    expect(lightClient({ genesis, source: testSource() }).trusted).to.equal(undefined)
  })

  it('lets the next one go on without the sets before, and read by proof', async () => {
    const source = twoEras()
    const trusted = await remembered(source)
    const client = lightClient({ genesis, source, trusted })

    expect(client.newest?.header.height).to.equal(15)
    source.add(16, map, { keys: second.keys, header: { era: 1, validatorsHash: validatorsHash(second.validators) } })
    source.asked.length = 0
    expect((await client.sync()).header.height).to.equal(16)
    expect(source.asked).to.deep.equal([])
    expect((await client.account(genesis.balances[0].account)).value?.balance).to.equal(genesis.balances[0].amount)
  })

  it('cannot be led back behind, nor onto another chain', async () => {
    const source = twoEras()
    const trusted = await remembered(source)
    const older = testSource()
    const forked = twoEras()
    const fields = { era: 1, validatorsHash: validatorsHash(second.validators), bodyRoot: new Uint8Array(32).fill(1) }

    older.add(9, map)
    forked.certified.set(15, certify(headerOf(15, map, fields), { keys: second.keys }))
    forked.latest = async () => forked.certified.get(15) ?? expect.fail()

    // the genesis' validators are not believed any more
    expect(await codeOf(lightClient({ genesis, source: older, trusted }).sync())).to.equal('ERR_VALIDATOR_SET')
    expect(await codeOf(lightClient({ genesis, source: forked, trusted }).sync())).to.equal('ERR_FORK')
  })

  it('counts for the trusting period from when it was confirmed, not from the restart', async () => {
    const trusted = await remembered(twoEras(), 700)
    const at = (now: number): Promise<string> => codeOf(lightClient({ genesis, source: twoEras(), trusted, trusting: { since: now, periodMs: PERIOD_MS, now: () => now } }).sync())

    expect(trusted.confirmedAtMs).to.equal(700)
    expect(await at(1_700)).to.equal('believed')
    expect(await at(1_701)).to.equal('ERR_TRUST_EXPIRED')
  })

  it('is refused if its certificate is not of its set', async () => {
    const trusted = await remembered(twoEras())
    const others = anotherSet('third').validators

    expect(() => lightClient({ genesis, source: twoEras(), trusted: { ...trusted, validators: others } })).to.throw().with.property('code', 'ERR_CERTIFICATE')
    expect(headerHash(trusted.header.header)).to.have.lengthOf(32)
  })
})
