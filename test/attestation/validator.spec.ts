import { expect } from 'aegir/chai'
import { drawBelow, earlierOf, validator } from '../../src/attestation/index.ts'
import { signRecord } from '../../src/identity/index.ts'
import { listAttestations, readAccount, readAdapter, readContribution } from '../../src/ledger/index.ts'
import { RAW, adapterCodec, attestationCodec, cidOf, contributionCodec, domains, recipeCodec, shardCodec, signedCodec, snapshotCodec } from '../../src/wire/index.ts'
import { Swarm, prose, speeches } from '../datanets/fixtures.ts'
import { alice, attestBody, base, bob, carol, curator, developer, PARAMS, validators } from '../ledger/network.ts'
import type { AdapterCheck, Validator, ValidatorEvents, ValidatorInit } from '../../src/attestation/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Adapter, Attestation, Contribution, Recipe, Row, Signed } from '../../src/interface/index.ts'
import type { TestNode } from '../datanets/fixtures.ts'
import type { CID } from 'multiformats/cid'

const contributions = signedCodec(contributionCodec)
const attestations = signedCodec(attestationCodec)

const next = async <K extends keyof ValidatorEvents> (service: Validator, type: K, subject?: CID): Promise<ValidatorEvents[K]['detail']> =>
  new Promise(resolve => {
    const listener = (event: ValidatorEvents[K]): void => {
      if (subject === undefined || event.detail.subject.equals(subject)) {
        service.removeEventListener(type, listener as EventListener)
        resolve(event.detail)
      }
    }
    service.addEventListener(type, listener as EventListener)
  })

describe('validator', function () {
  this.timeout(60_000)
  let swarm: Swarm

  beforeEach(() => { swarm = new Swarm() })
  afterEach(async () => swarm.end())

  const judge = (node: TestNode, signer: Signer, adapterCheck?: AdapterCheck, init: ValidatorInit = { retryMs: 20 }): Validator => {
    const service = validator(init)({ storage: node.store, datanets: node.nets, chain: swarm.chain, signer, adapterCheck })
    swarm.onEnd(async () => service.stop())
    return service
  }

  /** Three judges suffice for two thirds of four. */
  const judges = async (count = 3, adapterCheck?: AdapterCheck, init?: ValidatorInit): Promise<Validator[]> => {
    const services: Validator[] = []
    for (const signer of validators.slice(0, count)) {
      const service = judge(await swarm.node(), signer, adapterCheck, init)
      await service.start()
      services.push(service)
    }
    return services
  }

  const contribute = async (node: TestNode, datanet: CID, rows: Row[], signer: Signer = alice): Promise<CID> =>
    (await node.nets.contribute({ datanet, title: 'Rows', rows, signer })).contribution

  const verdicts = async (services: Validator[], subject: CID): Promise<Attestation[]> =>
    Promise.all(services.map(async service => (await next(service, 'attested', subject)).record.payload))

  const attestsSent = (): number => swarm.chain.sent.filter(({ kind }) => kind === 'attest').length

  it('fetches, checks and attests what is pending, so that a quorum admits it', async () => {
    const contributor = await swarm.node()
    const services = await judges()
    const { datanet } = await contributor.nets.create(speeches, curator)
    const subject = contributor.nets.contribute({ datanet, title: 'Rows', rows: prose(100, 1), signer: alice })
    const details = await Promise.all(services.map(async service => next(service, 'attested')))
    const { contribution } = await subject

    expect(readContribution(swarm.chain.state(), contribution)?.status).to.equal('admitted')
    expect([...listAttestations(swarm.chain.state(), contribution)].length).to.equal(3)
    // anybody can fetch the signed attestation and reads there what the ledger says
    const signed = attestations.decode(await contributor.store.get(details[0].attestation))
    expect(signed).to.deep.equal(details[0].record)
    expect(signed.payload.checks.map(({ name }) => name)).to.include.members(['schema', 'near-duplicates', 'personal-data', 'quality'])
    // the same measures by all
    expect(details.map(({ record }) => record.payload.checks)).to.deep.equal(details.map(() => signed.payload.checks))
  })

  it('admits the first and rejects a copy of it, whoever looks', async () => {
    const contributor = await swarm.node()
    const services = await judges()
    const { datanet } = await contributor.nets.create(speeches, curator)
    const original = prose(30, 1)
    const originals = Promise.all(services.map(async service => next(service, 'attested')))
    const first = await contribute(contributor, datanet, original)
    const copied = Promise.all(services.map(async service => {
      let detail = await next(service, 'attested')
      while (detail.subject.equals(first)) {
        detail = await next(service, 'attested')
      }
      return detail.record.payload
    }))
    const copy = await contribute(contributor, datanet, original.map(row => ({ ...row, text: String(row.text).replace('every', 'each') })), bob)
    await originals
    const records = await copied
    expect(records.map(({ verdict }) => verdict)).to.deep.equal(['reject', 'reject', 'reject'])
    expect(records.map(({ checks }) => checks)).to.deep.equal(records.map(() => records[0].checks))
    expect(records[0].checks.filter(({ passed }) => !passed).map(({ name }) => name)).to.deep.equal(['near-duplicates'])
    expect(readContribution(swarm.chain.state(), first)?.status).to.equal('admitted')
    expect(readContribution(swarm.chain.state(), copy)?.status).to.equal('rejected')
  })

  it('postpones what nobody gives, and admits it when somebody does', async () => {
    const contributor = await swarm.node()
    const node = await swarm.node({}, { fetchTimeoutMs: 100, fetchAttemptsMax: 1 })
    const service = judge(node, validators[0])
    await service.start()
    const { datanet } = await contributor.nets.create(speeches, curator)
    const rows = prose(10, 2)
    const shard = shardCodec.encode({ type: 'shard', version: 1, rows })
    const payload: Contribution = {
      type: 'contribution', version: 1, datanet, contributor: alice.account, title: 'Later', licence: speeches.licence, rows: 10, bytes: shard.byteLength, shards: [cidOf(shard)]
    }
    const record = contributions.encode(signRecord(domains.contribution, contributionCodec, payload, alice))
    const subject = cidOf(record)
    const postponed = next(service, 'postponed', subject)
    await swarm.chain.send({ kind: 'contribute', datanet, contribution: subject, rows: 10, bytes: shard.byteLength, shards: 1 }, alice)
    expect((await postponed).error).to.have.property('code', 'ERR_BLOCK_UNAVAILABLE')

    // the record alone is not enough
    const again = next(service, 'postponed', subject)
    await contributor.store.put(record)
    await again
    expect(attestsSent()).to.equal(0)

    const attested = next(service, 'attested', subject)
    await contributor.store.put(shard)
    expect((await attested).record.payload.verdict).to.equal('admit')
  })

  it('attests what came in blocks that it passed over', async () => {
    const contributor = await swarm.node()
    const service = judge(await swarm.node({ follow: 'all' }), validators[0])
    await service.start()
    swarm.chain.passedOver = true
    const { datanet } = await contributor.nets.create(speeches, curator)
    const subject = await contribute(contributor, datanet, prose(10, 1))
    expect(service.pending).to.equal(0)

    const attested = next(service, 'attested', subject)
    swarm.chain.leap()
    expect((await attested).record.payload.verdict).to.equal('admit')
  })

  it('attests once, also over a restart', async () => {
    const contributor = await swarm.node()
    const node = await swarm.node()
    const service = judge(node, validators[0])
    await service.start()
    const { datanet } = await contributor.nets.create(speeches, curator)
    const first = next(service, 'attested')
    await contribute(contributor, datanet, prose(10, 1))
    await first
    await service.stop()
    await contribute(contributor, datanet, prose(10, 2))
    expect(attestsSent()).to.equal(1)

    const again = judge(node, validators[0])
    const second = next(again, 'attested')
    await again.start()
    await second
    expect(attestsSent()).to.equal(2)
    expect(again.pending).to.be.lessThan(2)
  })

  it('rejects a contribution whose record lies about its rows', async () => {
    const villain = await swarm.node()
    const [service] = await judges(1)
    const { datanet } = await villain.nets.create(speeches, curator)
    const honest = await villain.nets.contribute({ datanet, title: 'Honest', rows: prose(10, 1), signer: alice })
    const { payload } = honest.record
    const lie = signRecord(domains.contribution, contributionCodec, { ...payload, contributor: bob.account, rows: 11 }, bob)
    const subject = await villain.store.put(contributions.encode(lie))
    const verdict = verdicts([service], subject)
    await swarm.chain.send({ kind: 'contribute', datanet, contribution: subject, rows: 11, bytes: payload.bytes, shards: payload.shards.length }, bob)
    const [attestation] = await verdict
    expect(attestation.verdict).to.equal('reject')
    expect(attestation.checks[0].detail).to.include('expected rows 11, got 10')
  })

  it('rejects what a squatter was quicker with, so that its author contributes it all the same', async () => {
    const author = await swarm.node()
    await judges(4)
    const { datanet } = await author.nets.create(speeches, curator)
    const { datanet: other } = await author.nets.create({ ...speeches, name: 'more-speeches' }, curator)
    const { contribution } = await author.nets.contribute({ datanet, title: 'Rows', rows: prose(20, 1), signer: alice }, {
      onProgress: event => {
        if (event.type === 'datanets:contribute:announced') {
          void swarm.chain.send({ kind: 'contribute', datanet: other, contribution: event.contribution, rows: 20, bytes: 900, shards: 1 }, bob)
        }
      }
    })

    await swarm.chain.waitFor(state => readContribution(state, contribution)?.status === 'admitted')
    expect(readContribution(swarm.chain.state(), contribution)).to.deep.include({ contributor: alice.account, rows: 20 })
    for (const { nets } of [author, await swarm.node({ follow: 'all' })]) {
      expect(nets.contributions(datanet).map(one => one.contribution.toString())).to.deep.equal([contribution.toString()])
      expect(nets.contributions(other)).to.deep.equal([])
      expect((await nets.snapshot([other, datanet])).snapshot.contributions.map(String)).to.deep.equal([contribution.toString()])
    }
    // the squatter lost a deposit
    expect(readAccount(swarm.chain.state(), alice.account).balance).to.equal(readAccount(swarm.chain.state(), bob.account).balance + PARAMS.contributionDeposit)
  })

  it('holds a rejected record that another account enters against the ledger again, though it knows it', async () => {
    const author = await swarm.node()
    const services = await judges()
    const { datanet } = await author.nets.create(speeches, curator)
    const failed = async (judged: Promise<Attestation[]>): Promise<string[][]> =>
      (await judged).map(({ checks }) => checks.filter(({ passed }) => !passed).map(({ name }) => name))
    const judged = async (): Promise<Attestation[]> => Promise.all(services.map(async service => (await next(service, 'attested')).record.payload))
    const original = judged()
    await contribute(author, datanet, prose(30, 1))
    await original
    const copied = judged()
    const copy = await contribute(author, datanet, prose(30, 1), carol)
    expect(await failed(copied)).to.deep.equal(services.map(() => ['exact-duplicates', 'near-duplicates']))
    expect(readContribution(swarm.chain.state(), copy)?.status).to.equal('rejected')
    const entered = judged()
    await swarm.chain.send({ kind: 'contribute', datanet, contribution: copy, rows: 30, bytes: 900, shards: 1 }, bob)
    expect(await failed(entered)).to.deep.equal(services.map(() => ['record']))
  })

  it('compares with the same contributions before and after others were decided', async () => {
    const node = await swarm.node()
    const { datanet } = await node.nets.create(speeches, curator)
    const decide = async (subject: CID, verdict: 'admit' | 'reject'): Promise<void> => {
      for (const signer of validators.slice(0, 3)) {
        await swarm.chain.send(attestBody(swarm.chain.state(), subject, verdict), signer)
      }
    }
    const early = await contribute(node, datanet, prose(3, 1))
    await decide(early, 'reject')
    const rejectedLater = await contribute(node, datanet, prose(3, 2))
    const admittedLater = await contribute(node, datanet, prose(3, 3))
    const subject = await contribute(node, datanet, prose(3, 4))
    await contribute(node, datanet, prose(3, 5))

    const compared = (): string[] => {
      const all = node.nets.contributions(datanet)
      const entry = all.find(({ contribution }) => contribution.equals(subject)) ?? all[0]
      return earlierOf(entry, all, swarm.chain.state()).map(({ contribution }) => contribution.toString())
    }
    const before = compared()
    expect(before).to.deep.equal([rejectedLater, admittedLater].map(String))
    await decide(rejectedLater, 'reject')
    await decide(admittedLater, 'admit')
    await decide(subject, 'admit')
    expect(compared()).to.deep.equal(before)
  })

  describe('of adapters', () => {
    interface Published { subject: CID, adapter: Adapter }

    const publish = async (node: TestNode, change: (adapter: Adapter) => Adapter = adapter => adapter, count = 1): Promise<Published> => {
      const { datanet } = await node.nets.create(speeches, curator)
      for (let i = 1; i <= count; i++) {
        const subject = await contribute(node, datanet, prose(5, i), carol)
        for (const signer of validators.slice(0, 3)) {
          await swarm.chain.send(attestBody(swarm.chain.state(), subject), signer)
        }
      }
      const { cid: snapshot, snapshot: { contributions: used } } = await node.nets.snapshot([datanet])
      const recipe: Recipe = {
        type: 'recipe',
        version: 1,
        base,
        snapshot,
        engine: 'datanet-engine/1',
        rank: 2,
        alpha: 4,
        targets: ['q_proj'],
        steps: 4,
        batchSize: 2,
        sequenceLength: 16,
        learningRateNano: 1_000_000,
        warmupSteps: 0,
        beta1Nano: 900_000_000,
        beta2Nano: 990_000_000,
        epsilonNano: 1,
        seed: 1,
        checkpointEverySteps: 2
      }
      const file = await node.store.put(Uint8Array.of(1, 2, 3), { codec: RAW })
      const adapter = change({
        type: 'adapter',
        version: 1,
        name: 'test',
        developer: developer.account,
        base,
        snapshot,
        recipe: await node.store.put(recipeCodec.encode(recipe)),
        weights: file,
        checkpoints: [file, file],
        lossMicro: [4, 3, 2, 1],
        method: 'trajectory',
        influence: { form: 'reverse' },
        pricePerThousandTokens: 1n
      })
      const signed: Signed<Adapter> = signRecord(domains.adapter, adapterCodec, adapter, developer)
      const cid = await node.store.put(signedCodec(adapterCodec).encode(signed))
      expect(snapshotCodec.decode(await node.store.get(snapshot)).contributions.length).to.equal(count)
      const { ok } = await swarm.chain.send({ kind: 'publish-adapter', adapter: cid, base, snapshot, contributions: used }, developer)
      expect(ok).to.equal(true)
      return { subject: cid, adapter }
    }

    it('recomputes a drawn segment and admits', async () => {
      const segments: number[] = []
      const services = await judges(3, {
        spotCheck: async (adapter, segment) => {
          segments.push(segment)
          return { ok: adapter.checkpoints.length === 2, detail: `segment ${segment} ends in the same bytes` }
        }
      })
      const details = Promise.all(services.map(async service => {
        let detail = await next(service, 'attested')
        while (detail.record.payload.subjectKind !== 'adapter') {
          detail = await next(service, 'attested')
        }
        return detail.record.payload
      }))
      const { subject } = await publish(await swarm.node())
      expect((await details).map(({ verdict }) => verdict)).to.deep.equal(['admit', 'admit', 'admit'])
      expect(readAdapter(swarm.chain.state(), subject)?.status).to.equal('admitted')
      expect(segments.every(segment => segment === 0 || segment === 1)).to.equal(true)
    })

    it('rejects what does not recompute, and records that do not fit together', async () => {
      const [service] = await judges(1, { spotCheck: async () => ({ ok: false, detail: 'checkpoint 1 differs' }) })
      const node = await swarm.node()
      const failing = await publish(node)
      const [first] = await verdicts([service], failing.subject)
      expect(first.checks.find(({ passed }) => !passed)).to.include({ name: 'segment', detail: 'checkpoint 1 differs' })

      const short = await publish(node, adapter => ({ ...adapter, name: 'short', checkpoints: adapter.checkpoints.slice(1), lossMicro: [1] }))
      const [second] = await verdicts([service], short.subject)
      expect(second.checks.filter(({ passed }) => !passed).map(({ name }) => name)).to.deep.equal(['checkpoints', 'losses'])

      const foreign = await publish(node, adapter => ({ ...adapter, name: 'foreign', developer: bob.account }))
      const [third] = await verdicts([service], foreign.subject)
      expect(third.checks.map(({ name, passed }) => [name, passed])).to.deep.equal([['ledger', false], ['checkpoints', true], ['losses', true], ['columns', true]])
    })

    it('leaves adapters to others without a training service', async () => {
      const [service] = await judges(1)
      const skipped = next(service, 'skipped')
      const { subject } = await publish(await swarm.node())
      expect((await skipped).subject.equals(subject)).to.equal(true)
    })

    it('draws every segment about as often, by beacon, adapter and validator', () => {
      const drawn = new Array<number>(4).fill(0)
      for (let i = 0; i < 4_000; i++) {
        drawn[drawBelow(4, cidOf(Uint8Array.of(i % 256, i >> 8)).multihash.digest, base, alice.account, 0)]++
      }
      expect(Math.min(...drawn)).to.be.greaterThan(850)
    })
  })
})
