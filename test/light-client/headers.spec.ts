import { expect } from 'aegir/chai'
import { genesisState } from '../../src/ledger/index.ts'
import { CertificateError, ForkError, lightClient, SourceError, StaleSourceError, ValidatorSetError, WrongChainError } from '../../src/light-client/index.ts'
import { headerHash, MalformedRecordError } from '../../src/wire/index.ts'
import { certify, genesisOf, headerOf, testSource } from './chain.ts'
import type { TestSource } from './chain.ts'
import type { CertifiedHeader } from '../../src/interface/index.ts'
import type { LightClient } from '../../src/light-client/index.ts'

const genesis = genesisOf()
const { map } = genesisState(genesis)

describe('headers of a light client', () => {
  let source: TestSource
  let client: LightClient

  beforeEach(() => {
    source = testSource()
    client = lightClient({ genesis, source })
  })

  async function refused (lie: CertifiedHeader, error: new (...args: never[]) => Error): Promise<void> {
    source.latest = async () => lie

    await expect(client.sync()).to.eventually.be.rejected.and.be.instanceOf(error)
    expect(client.newest).to.equal(undefined)
  }

  it('are accepted when more than two thirds of the stake made them final', async () => {
    const certified = source.add(5, map)

    await client.sync()

    expect(client.newest).to.equal(certified)
    expect(client.signersOf(certified)).to.deep.equal({ signers: 3, validators: 4, stake: 3000n, totalStake: 4000n })
  })

  it('follow the chain upward', async () => {
    source.add(5, map)
    await client.sync()
    source.add(6, map)

    expect((await client.sync()).header.height).to.equal(6)
  })

  it('are refused with two of four signers', async () => {
    await refused(certify(headerOf(5, map), { signers: [0, 1] }), CertificateError)
  })

  it('are refused when the bitmap names others than those who signed', async () => {
    const certified = certify(headerOf(5, map))

    await refused({ ...certified, certificate: { ...certified.certificate, signers: Uint8Array.of(0b1111) } }, CertificateError)
  })

  it('are refused after any change', async () => {
    const certified = certify(headerOf(5, map))

    await refused({ ...certified, header: { ...certified.header, stateRoot: new Uint8Array(32) } }, CertificateError)
  })

  it('are refused when the certificate was moved to them', async () => {
    const { certificate } = certify(headerOf(5, map))
    const other = headerOf(6, map)

    await refused({ header: other, certificate }, CertificateError)
    await refused({ header: other, certificate: { ...certificate, view: 6, blockHash: headerHash(other) } }, CertificateError)
  })

  it('are refused when they are notarized only: such a block may never be final', async () => {
    await refused(certify(headerOf(5, map), { kind: 'notarize' }), CertificateError)
  })

  it('are refused from another chain, even of the same validators', async () => {
    await refused(certify(headerOf(5, map, { chain: 'other-1' }), { chain: 'other-1' }), WrongChainError)
    await refused(certify(headerOf(5, map), { chain: 'other-1' }), CertificateError)
  })

  it('are refused of an era whose validators nobody proved', async () => {
    await refused(certify(headerOf(5, map, { era: 1 })), ValidatorSetError)
  })

  it('are refused when they are malformed', async () => {
    const certified = certify(headerOf(5, map))

    await refused({ ...certified, header: { ...certified.header, height: -5 } }, MalformedRecordError)
  })

  it('never lead back', async () => {
    source.add(5, map)
    const newest = source.add(6, map)
    await client.sync()
    source.certified.delete(6)

    await expect(client.sync()).to.eventually.be.rejected.and.be.instanceOf(StaleSourceError)
    expect(client.newest).to.equal(newest)
  })

  it('never lead back behind a header of an earlier session', async () => {
    const newest = certify(headerOf(6, map))
    source.add(5, map)

    await expect(lightClient({ genesis, source, newest }).sync()).to.eventually.be.rejected.and.be.instanceOf(StaleSourceError)
    expect(() => lightClient({ genesis, source, newest: certify(headerOf(6, map), { signers: [0] }) })).to.throw(CertificateError)
  })

  it('convict a fork with both headers as evidence', async () => {
    const first = source.add(5, map)
    await client.sync()
    const second = source.add(5, map, { header: { view: 6 } })

    const error = await client.sync().catch((err: unknown) => err)

    expect(error).to.be.instanceOf(ForkError)
    expect(error).to.have.property('evidence').that.deep.includes({ first, second, accused: genesis.validators.slice(0, 3).map(({ account }) => account), accusedStake: 3000n })
  })

  it('convict a chain whose views go back', async () => {
    source.add(5, map, { header: { view: 9 } })
    await client.sync()
    source.add(6, map, { header: { view: 8 } })

    await expect(client.sync()).to.eventually.be.rejected.and.be.instanceOf(ForkError)
  })

  it('of the past are final through a descendant', async () => {
    const five = source.add(5, map, { kind: 'notarize' })
    const six = source.add(6, map, { kind: 'notarize', header: { parent: headerHash(five.header) } })
    source.add(7, map, { header: { parent: headerHash(six.header) } })

    expect((await client.header(5)).header).to.equal(five.header)
  })

  it('of the past are refused without one', async () => {
    source.add(5, map, { kind: 'notarize' })
    source.add(6, map)

    await expect(client.header(5)).to.eventually.be.rejected.and.be.instanceOf(CertificateError)
  })

  it('of the past are refused at another height', async () => {
    const five = source.add(5, map)
    source.header = async () => five

    await expect(client.header(4)).to.eventually.be.rejected.and.be.instanceOf(CertificateError)
  })

  it('end with an error when the source is silent, and at once when nobody waits any more', async () => {
    source.latest = async () => new Promise(() => {})

    await expect(lightClient({ genesis, source, timeoutMs: 5 }).sync()).to.eventually.be.rejected.and.be.instanceOf(SourceError)
    const controller = new AbortController()
    const sync = client.sync({ signal: controller.signal })
    controller.abort()
    await expect(sync).to.eventually.be.rejected.with.property('name', 'AbortError')
  })
})
