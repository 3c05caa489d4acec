import { expect } from 'aegir/chai'
import { accountToString } from '../../src/identity/index.ts'
import { stateCodecs, stateKeys } from '../../src/ledger/index.ts'
import { lightClient, NotPaidError, SourceError, StateProofError } from '../../src/light-client/index.ts'
import { MalformedRecordError, cidOf, toHex, utf8 } from '../../src/wire/index.ts'
import { genesisOf, paidState, signerOf, testSource } from './chain.ts'
import type { TestSource } from './chain.ts'
import type { LightClient } from '../../src/light-client/index.ts'

const genesis = genesisOf()

describe('state of a light client', () => {
  const { map, contribution, task, table, records } = paidState()
  let source: TestSource
  let client: LightClient

  beforeEach(() => {
    source = testSource()
    source.add(10, map)
    client = lightClient({ genesis, source })
  })

  it('is proven against a certified header', async () => {
    const { value, at } = await client.account(signerOf('contributor').account)

    expect(value?.balance).to.equal(750n)
    expect(at.by).to.equal(source.certified.get(10))
    expect((await client.contribution(contribution)).value?.status).to.equal('admitted')
    expect((await client.attestation(contribution, signerOf('validator/1').account)).value?.verdict).to.equal('admit')
    expect((await client.task(task)).value?.phase).to.equal('settled')
    expect((await client.payout(task, contribution)).value?.amount).to.equal(750n)
    expect((await client.chain()).value?.chain).to.equal(genesis.chain)
  })

  it('proves absence too', async () => {
    expect((await client.account(signerOf('nobody').account)).value).to.equal(null)
    expect((await client.attestation(contribution, signerOf('validator/3').account)).value).to.equal(null)
  })

  it('is read at an earlier height on demand', async () => {
    const key = stateKeys.account(signerOf('contributor').account)
    source.add(11, map.delete(key))
    await client.sync()

    expect((await client.account(signerOf('contributor').account)).value).to.equal(null)
    expect((await client.account(signerOf('contributor').account, { height: 10 })).value?.balance).to.equal(750n)
  })

  it('is refused with a value that was tampered with', async () => {
    const { account } = signerOf('contributor')
    const value = stateCodecs.account.encode({ balance: 10n ** 20n, nonce: 1, staked: 0n, gopen: 0n, delegate: null, votes: 0n })
    source.proof = async (key, height) => ({ ...map.prove(key), value })

    await expect(client.account(account)).to.eventually.be.rejected.and.be.instanceOf(StateProofError).with.property('code', 'ERR_STATE_PROOF')
  })

  it('is refused when a present key is called absent', async () => {
    source.proof = async key => ({ ...map.prove(stateKeys.account(signerOf('nobody').account)), key })
    await expect(client.account(signerOf('contributor').account)).to.eventually.be.rejected.and.be.instanceOf(StateProofError)

    source.proof = async key => ({ ...map.prove(key), value: null })
    await expect(client.account(signerOf('contributor').account)).to.eventually.be.rejected.and.be.instanceOf(StateProofError)
  })

  it('is refused with the proof of another key', async () => {
    source.proof = async () => map.prove(stateKeys.account(signerOf('rich').account))

    await expect(client.account(signerOf('contributor').account)).to.eventually.be.rejected.and.be.instanceOf(StateProofError)
  })

  it('is refused with the proof of another height', async () => {
    const poorer = map.delete(stateKeys.account(signerOf('contributor').account))
    source.proof = async key => poorer.prove(key)

    await expect(client.account(signerOf('contributor').account)).to.eventually.be.rejected.and.be.instanceOf(StateProofError)
  })

  it('is refused when any byte of a proof is changed', async () => {
    const { account } = signerOf('contributor')
    const good = map.prove(stateKeys.account(account))

    for (let i = 0; i < good.proof.length; i += 7) {
      const proof = Uint8Array.from(good.proof)
      proof[i] ^= 0x10
      source.proof = async () => ({ ...good, proof })

      await expect(client.account(account), `byte ${i}`).to.eventually.be.rejected.and.be.instanceOf(StateProofError)
    }
  })

  it('is refused when a certified value is not of its kind', async () => {
    source.add(11, map.set(stateKeys.account(signerOf('odd').account), Uint8Array.of(0xa0)))

    await expect(client.account(signerOf('odd').account)).to.eventually.be.rejected.and.be.instanceOf(MalformedRecordError)
  })

  it('moves on when the source has dropped the state of an older height', async () => {
    await client.sync()
    source.add(11, map)
    source.maps.delete(10)

    expect((await client.account(signerOf('contributor').account)).at.header.height).to.equal(11)
  })

  it('reports a source that has nothing', async () => {
    source.maps.clear()

    await expect(client.account(signerOf('contributor').account)).to.eventually.be.rejected.and.be.instanceOf(SourceError)
  })

  describe('why a contribution was paid', () => {
    function withRecords (): void {
      source.datum = async cid => records.get(cid.toString()) ?? new Uint8Array()
      source.scores = async () => table
    }

    it('is told step by step, each verified', async () => {
      withRecords()
      const why = await client.why(task, contribution)

      expect(why.steps.map(step => step.title)).to.deep.equal([
        'The block is final', 'The contributor signed the record', 'The contribution was admitted', 'Validators attested it',
        'The adapter was trained on it', 'The committee agreed on the scores', 'Its score is under the agreed root', 'It was paid its share', 'The contributor has it'
      ])
      expect(why.steps.filter(step => !step.verified)).to.be.empty()
      expect(why).to.include({ title: 'Speeches', contributor: accountToString(signerOf('contributor').account), score: '300', totalScore: '400', sharePercent: 75, dataPool: '1000', amount: '750', task: toHex(task) })
      expect(why.header).to.include({ height: 10, signers: 3, validators: 4 })
    })

    it('does not call verified what the source cannot show', async () => {
      const why = await client.why(task, contribution)

      expect(why.steps.filter(step => !step.verified).map(step => step.title)).to.deep.equal(['Its score is under the agreed root'])
    })

    it('does not call verified a score table that the committee did not agree on', async () => {
      withRecords()
      source.scores = async () => ({ ...table, entries: table.entries.map(entry => ({ ...entry, score: entry.contribution.equals(contribution) ? 300n : 99n })) })

      expect((await client.why(task, contribution)).steps.filter(step => !step.verified).map(step => step.title)).to.deep.equal(['Its score is under the agreed root'])
    })

    it('refuses a record that does not hash to its CID', async () => {
      withRecords()
      source.datum = async () => utf8('something else')

      await expect(client.why(task, contribution)).to.eventually.be.rejected.and.be.instanceOf(SourceError)
    })

    it('does not call verified a payout that is more than its share', async () => {
      const rich = paidState(state => ({ ...state, dataPool: 500n }))
      source.add(11, rich.map)
      withRecords()

      expect((await client.why(rich.task, rich.contribution)).steps.filter(step => !step.verified).map(step => step.title)).to.deep.equal(['It was paid its share'])
    })

    it('ends with an error when nothing was paid', async () => {
      await expect(client.why(task, cidOf(utf8('unpaid')))).to.eventually.be.rejected.and.be.instanceOf(NotPaidError).with.property('code', 'ERR_NOT_PAID')
    })
  })
})
