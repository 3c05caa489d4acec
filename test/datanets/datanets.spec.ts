import { expect } from 'aegir/chai'
import all from 'it-all'
import { contributionsTopic } from '../../src/datanets/index.ts'
import { signRecord } from '../../src/identity/index.ts'
import { listContributions, readAccount, readContribution } from '../../src/ledger/index.ts'
import { RECORD_BYTES_MAX, cidOf, compareBytes, contributionCodec, domains, equalBytes, signedCodec } from '../../src/wire/index.ts'
import { alice, attestBody, bob, curator, validators } from '../ledger/network.ts'
import { Swarm, nextEvent, prose, speeches } from './fixtures.ts'
import type { ContributeEvent } from '../../src/datanets/index.ts'
import type { RefusedMessage } from '../../src/gossip/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Contribution, Signed } from '../../src/interface/index.ts'
import type { CID } from 'multiformats/cid'

const codec = signedCodec(contributionCodec)

describe('datanets', function () {
  this.timeout(60_000)
  let swarm: Swarm

  beforeEach(() => { swarm = new Swarm() })
  afterEach(async () => swarm.end())

  const admit = async (subject: CID): Promise<void> => {
    for (const validator of validators.slice(0, 3)) {
      const { ok } = await swarm.chain.send(attestBody(swarm.chain.state(), subject), validator)
      expect(ok).to.equal(true)
    }
  }

  it('takes a contribution from its source to the disk of a holder that follows', async () => {
    const contributor = await swarm.node()
    const holder = await swarm.node({ follow: 'all' })
    const { datanet, manifest } = await contributor.nets.create(speeches, curator)
    expect(contributor.nets.list().map(entry => entry.state.name)).to.deep.equal(['speeches'])
    expect((await holder.nets.get(datanet)).manifest).to.deep.equal(manifest)

    const held = nextEvent(holder.nets, 'contribution:held')
    const rows = prose(2_000, 1)
    const events: ContributeEvent[] = []
    const { contribution, record } = await contributor.nets.contribute({ datanet, title: 'A thousand and one', rows, signer: alice }, { onProgress: event => { events.push(event) } })

    expect(record.payload.rows).to.equal(2_000)
    expect(record.payload.shards.length).to.be.greaterThan(1)
    expect(events.map(({ type }) => type)).to.include.members(['datanets:contribute:shard', 'datanets:contribute:stored', 'datanets:contribute:final'])
    expect((await held).contribution.equals(contribution)).to.equal(true)
    expect(await holder.nets.holds(contribution)).to.equal(true)

    // the contributor is gone, the rows are not
    await contributor.network.stop()
    expect(await all(holder.nets.rows(contribution))).to.deep.equal(rows)
    expect(await all(holder.nets.texts(contribution))).to.deep.equal(rows.map(row => row.text))
  })

  it('makes the same contribution of the same rows, and pays once', async () => {
    const { nets } = await swarm.node()
    const { datanet } = await nets.create(speeches, curator)
    const again = await nets.create(speeches, curator)
    expect(again.datanet.equals(datanet)).to.equal(true)
    const init = { datanet, title: 'Twice', rows: prose(10, 2), signer: alice }
    const first = await nets.contribute(init)
    const { balance } = readAccount(swarm.chain.state(), alice.account)
    const second = await nets.contribute(init)
    expect(second.contribution.equals(first.contribution)).to.equal(true)
    expect(readAccount(swarm.chain.state(), alice.account).balance).to.equal(balance)
  })

  it('is content with what was sent before a crash and comes to the ledger first, and with what somebody else put there only once it is rejected', async () => {
    const { nets } = await swarm.node()
    const { datanet } = await nets.create(speeches, curator)
    const ahead = (signer: Signer): void => {
      const send = swarm.chain.send.bind(swarm.chain)
      swarm.chain.send = async (...sent) => {
        swarm.chain.send = send
        await send(sent[0], signer)
        return send(...sent)
      }
    }

    const decide = async (who: Signer, verdict: 'admit' | 'reject'): Promise<void> => {
      const { contribution } = await swarm.chain.waitFor(state => [...listContributions(state)].find(({ state: { contributor, status } }) => status === 'pending' && equalBytes(contributor, who.account)))
      for (const validator of validators.slice(0, 3)) {
        await swarm.chain.send(attestBody(swarm.chain.state(), contribution, verdict), validator)
      }
    }

    ahead(alice)
    const { contribution } = await nets.contribute({ datanet, title: 'Sent twice', rows: prose(10, 5), signer: alice })
    expect(nets.contributions(datanet).map(entry => entry.contribution.toString())).to.deep.equal([contribution.toString()])

    ahead(bob)
    const taken = nets.contribute({ datanet, title: 'Taken', rows: prose(10, 6), signer: alice })
    await decide(bob, 'reject')
    const { contribution: own } = await taken
    expect(readContribution(swarm.chain.state(), own)?.contributor).to.deep.equal(alice.account)

    ahead(bob)
    const lost = nets.contribute({ datanet, title: 'Lost', rows: prose(10, 7), signer: alice })
    await Promise.all([decide(bob, 'admit'), expect(lost).to.eventually.be.rejected.with.property('code', 'ERR_CONTRIBUTION_EXISTS')])

    ahead(curator)
    expect((await nets.create({ ...speeches, name: 'more speeches' }, curator)).manifest.name).to.equal('more speeches')
  })

  it('finds what it holds and resumes what it lacks after a restart', async () => {
    const contributor = await swarm.node()
    const dataDir = await swarm.folder()
    const holder = await swarm.node({ follow: 'all' }, { dataDir })
    const { datanet } = await contributor.nets.create(speeches, curator)
    const held = nextEvent(holder.nets, 'contribution:held')
    const first = await contributor.nets.contribute({ datanet, title: 'Before', rows: prose(50, 3), signer: alice })
    await held
    await holder.nets.stop()
    const second = await contributor.nets.contribute({ datanet, title: 'Meanwhile', rows: prose(50, 4), signer: bob })
    await holder.store.stop()
    await holder.store.start()
    const caughtUp = nextEvent(holder.nets, 'contribution:held')
    await holder.nets.start()
    expect((await caughtUp).contribution.equals(second.contribution)).to.equal(true)
    expect(await holder.nets.holds(first.contribution)).to.equal(true)
  })

  it('sees to what came in blocks that it passed over', async () => {
    const contributor = await swarm.node()
    const holder = await swarm.node({ follow: 'all' })
    swarm.chain.passedOver = true
    const { datanet } = await contributor.nets.create(speeches, curator)
    const { contribution } = await contributor.nets.contribute({ datanet, title: 'Rows', rows: prose(50, 3), signer: alice })
    expect(holder.nets.list()).to.deep.equal([])

    const held = nextEvent(holder.nets, 'contribution:held')
    swarm.chain.leap()
    expect((await held).contribution.equals(contribution)).to.equal(true)
    expect(holder.nets.list().map(one => one.datanet.equals(datanet))).to.deep.equal([true])
  })

  it('makes one snapshot of the admitted contributions, whoever makes it', async () => {
    const [a, b] = [await swarm.node(), await swarm.node()]
    const { datanet } = await a.nets.create(speeches, curator)
    const contributions: CID[] = []
    for (const seed of [5, 6, 7, 8]) {
      const { contribution } = await a.nets.contribute({ datanet, title: `No. ${seed}`, rows: prose(3, seed), signer: alice })
      contributions.push(contribution)
    }
    for (const contribution of contributions.slice(1)) {
      await admit(contribution)
    }
    const { cid, snapshot } = await a.nets.snapshot([datanet, datanet])
    expect(snapshot.contributions.map(String)).to.deep.equal(contributions.slice(1).sort((x, y) => compareBytes(x.bytes, y.bytes)).map(String))
    expect((await b.nets.snapshot([datanet])).cid.equals(cid)).to.equal(true)
    expect(a.nets.contributions(datanet).map(({ contribution }) => String(contribution))).to.deep.equal(contributions.map(String))
  })

  it('names what is wrong with a contribution before anything is paid', async () => {
    const { nets } = await swarm.node()
    const { datanet } = await nets.create({ ...speeches, admission: { ...speeches.admission, rowsMin: 2, rowsMax: 4 } }, curator)
    const { balance } = readAccount(swarm.chain.state(), alice.account)
    const contribute = async (rows: Array<Record<string, string | number>>): Promise<unknown> => nets.contribute({ datanet, title: 'Wrong', rows, signer: alice })

    await expect(contribute([{ text: 'one' }])).to.eventually.be.rejected.with.property('code', 'ERR_ROW_COUNT')
    await expect(contribute(prose(5, 1))).to.eventually.be.rejected.with.property('code', 'ERR_ROW_COUNT')
    await expect(contribute([{ year: 1 }, { text: 'two' }])).to.eventually.be.rejected.with.property('code', 'ERR_INVALID_ROW')
    await expect(contribute([{ text: 'one', year: 1.5 }])).to.eventually.be.rejected.with.property('code', 'ERR_INVALID_ROW')
    await expect(contribute([{ text: 'one', colour: 'red' }])).to.eventually.be.rejected.with.property('code', 'ERR_INVALID_ROW')
    await expect(nets.contribute({ datanet: cidOf(new Uint8Array(1)), title: 'Nowhere', rows: prose(3, 1), signer: alice })).to.eventually.be.rejected.with.property('code', 'ERR_UNKNOWN_DATANET')
    expect(readAccount(swarm.chain.state(), alice.account).balance).to.equal(balance)
  })

  it('refuses and does not keep a contribution whose shards are not what its record says', async () => {
    const villain = await swarm.node()
    const holder = await swarm.node({ follow: 'all' })
    const { datanet } = await villain.nets.create(speeches, curator)
    const shard = await villain.store.put(new Uint8Array(100))
    const payload: Contribution = {
      type: 'contribution', version: 1, datanet, contributor: alice.account, title: 'Rubbish', licence: speeches.licence, rows: 10, bytes: 100, shards: [shard]
    }
    const contribution = await villain.store.put(codec.encode(signRecord(domains.contribution, contributionCodec, payload, alice)))
    const refused = nextEvent(holder.nets, 'contribution:refused')
    await swarm.chain.send({ kind: 'contribute', datanet, contribution, rows: 10, bytes: 100, shards: 1 }, alice)
    expect((await refused).error).to.have.property('code', 'ERR_MALFORMED_RECORD')
    expect(await holder.nets.holds(contribution)).to.equal(false)
  })

  it('lets go of what was rejected', async () => {
    const contributor = await swarm.node()
    const holder = await swarm.node({ follow: 'all' })
    const { datanet } = await contributor.nets.create(speeches, curator)
    const held = nextEvent(holder.nets, 'contribution:held')
    const { contribution } = await contributor.nets.contribute({ datanet, title: 'Unwanted', rows: prose(3, 9), signer: alice })
    await held
    for (const validator of validators.slice(0, 3)) {
      await swarm.chain.send(attestBody(swarm.chain.state(), contribution, 'reject'), validator)
    }
    await holder.nets.stop()
    await holder.nets.start()
    const gone = async (): Promise<void> => {
      await holder.store.collect()
      if (await holder.store.has(contribution)) {
        await new Promise(resolve => { setImmediate(resolve) })
        await gone()
      }
    }
    await gone()
    expect(await holder.nets.holds(contribution)).to.equal(false)
  })

  it('keeps the rows of a contribution whose copy is rejected, at holders and at who contributed them twice', async () => {
    const contributor = await swarm.node({ follow: 'all' })
    const villain = await swarm.node()
    const holder = await swarm.node({ follow: 'all' })
    const { datanet } = await contributor.nets.create(speeches, curator)
    const rows = prose(40, 12)
    const keep = async (title: string, node: typeof villain, signer: typeof alice): Promise<CID> => {
      const held = nextEvent(holder.nets, 'contribution:held')
      const { contribution } = await node.nets.contribute({ datanet, title, rows, signer })
      await held
      return contribution
    }
    const original = await keep('Mine', contributor, alice)
    await admit(original)
    for (const copy of [await keep('Mine too', villain, bob), await keep('Once more', contributor, alice)]) {
      for (const validator of validators.slice(0, 3)) {
        await swarm.chain.send(attestBody(swarm.chain.state(), copy, 'reject'), validator)
      }
    }
    await villain.network.stop()
    for (const { nets, store } of [contributor, holder]) {
      // pins take turns: after this one, what was to be let go is
      await nets.stop()
      await nets.start()
      await store.unpin(datanet)
      await store.collect()
      const { payload: { shards } } = await nets.record(original)
      expect(await nets.holds(original)).to.equal(true)
      for (const shard of shards) {
        expect(await store.has(shard)).to.equal(true)
      }
    }
  })

  describe('announcements', () => {
    const publishRaw = async (bytes: (datanet: CID, good: Signed<Contribution>) => Uint8Array): Promise<{ refused: RefusedMessage, announced: number }> => {
      const holder = await swarm.node({ follow: 'all' })
      const villain = await swarm.node()
      let announced = 0
      holder.nets.addEventListener('contribution:announced', () => { announced++ })
      const { datanet } = await holder.nets.create(speeches, curator)
      const payload: Contribution = {
        type: 'contribution', version: 1, datanet, contributor: alice.account, title: 'Good', licence: speeches.licence, rows: 1, bytes: 1, shards: [datanet]
      }
      const good = signRecord(domains.contribution, contributionCodec, payload, alice)
      const topic = villain.network.topic<Uint8Array>({
        name: contributionsTopic(swarm.chain.id, datanet),
        codec: { encode: value => value, decode: value => value },
        bytesMax: RECORD_BYTES_MAX,
        validate: () => 'accept'
      })
      const refused = new Promise<RefusedMessage>(resolve => {
        holder.network.addEventListener('gossip:refused', event => { resolve(event.detail) })
      })
      // the mesh forms at the next heartbeat
      const send = setInterval(() => { topic.publish(bytes(datanet, good)).catch(() => {}) }, 200)
      try {
        return { refused: await refused, announced }
      } finally {
        clearInterval(send)
      }
    }

    it('rejects malformed bytes', async () => {
      const { refused, announced } = await publishRaw(() => Uint8Array.of(1, 2, 3))
      expect(refused.verdict).to.equal('reject')
      expect(announced).to.equal(0)
    })

    it('rejects a forged signature', async () => {
      const { refused, announced } = await publishRaw((_, good) => codec.encode({ ...good, signature: new Uint8Array(64) }))
      expect(refused).to.include({ verdict: 'reject', code: 'ERR_SIGNATURE' })
      expect(announced).to.equal(0)
    })

    it('rejects a contribution signed by another account', async () => {
      const { refused } = await publishRaw((_, { payload }) => codec.encode(signRecord(domains.contribution, contributionCodec, payload, bob)))
      expect(refused).to.include({ verdict: 'reject', code: 'ERR_WRONG_AUTHOR' })
    })

    it('rejects a contribution to another Datanet', async () => {
      const { refused } = await publishRaw((_, { payload }) => codec.encode(signRecord(domains.contribution, contributionCodec, { ...payload, datanet: cidOf(new Uint8Array(3)) }, alice)))
      expect(refused).to.include({ verdict: 'reject', code: 'ERR_FOREIGN_CONTRIBUTION' })
    })

    it('rejects a contribution under another licence', async () => {
      const { refused } = await publishRaw((_, { payload }) => codec.encode(signRecord(domains.contribution, contributionCodec, { ...payload, licence: 'MIT' }, alice)))
      expect(refused).to.include({ verdict: 'reject', code: 'ERR_LICENCE_MISMATCH' })
    })

    it('spreads a good one', async () => {
      const holder = await swarm.node({ follow: 'all' })
      const contributor = await swarm.node({ follow: 'all' })
      const { datanet } = await holder.nets.create(speeches, curator)
      await holder.nets.manifest(datanet)
      await contributor.nets.manifest(datanet)
      const announced = nextEvent(holder.nets, 'contribution:announced')
      let seed = 100
      const again = setInterval(() => {
        contributor.nets.contribute({ datanet, title: 'News', rows: prose(2, seed++), signer: alice }).catch(() => {})
      }, 300)
      try {
        const { contribution, record } = await announced
        expect(record.payload.title).to.equal('News')
        expect(contribution.equals(cidOf(codec.encode(record)))).to.equal(true)
      } finally {
        clearInterval(again)
      }
    })
  })
})
