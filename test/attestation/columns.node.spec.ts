import { join } from 'node:path'
import { decode, encode } from '@ipld/dag-cbor'
import { expect } from 'aegir/chai'
import { Level } from 'level'
import { columns, countVoices, drawAccounts, drawComputers, signColumn, signedColumnCodec } from '../../src/attestation/index.ts'
import { accountToString, signRecord } from '../../src/identity/index.ts'
import { DatanetError } from '../../src/utils/index.ts'
import { RAW, adapterCodec, cidOf, domains, rawCid, recipeCodec, signedCodec } from '../../src/wire/index.ts'
import { Swarm, prose, speeches } from '../datanets/fixtures.ts'
import { alice, base, bob, carol, curator, developer, signer, validators, attestBody } from '../ledger/network.ts'
import type { ColumnComputer, ColumnStatement, Columns, ColumnsInit } from '../../src/attestation/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Adapter, Recipe } from '../../src/interface/index.ts'
import type { TestNode } from '../datanets/fixtures.ts'
import type { CID } from 'multiformats/cid'

const file = (text: string): CID => rawCid(new TextEncoder().encode(text))
const event = async (target: EventTarget, type: string): Promise<unknown> =>
  new Promise(resolve => { target.addEventListener(type, event => { resolve('detail' in event ? event.detail : undefined) }, { once: true }) })
const truth = (column: number): string => `column ${column}`

describe('the draw of columns', () => {
  const accounts = Array.from({ length: 20 }, (_, i) => signer(`computer ${i}`).account)

  it('gives every account about as many columns', () => {
    const drawn = new Map<string, number>()
    for (let column = 0; column < 1_000; column++) {
      drawComputers(base, column, accounts).slice(0, 2).forEach(account => { drawn.set(accountToString(account), (drawn.get(accountToString(account)) ?? 0) + 1) })
    }
    expect(drawn.size).to.equal(20)
    expect(Math.min(...drawn.values())).to.be.greaterThan(65)
    expect(Math.max(...drawn.values())).to.be.lessThan(140)
  })

  it('is the same whatever the order of accounts, and moves nothing but what a leaver had', () => {
    for (let column = 0; column < 50; column++) {
      const line = drawComputers(base, column, accounts)
      expect(drawComputers(base, column, accounts.toReversed())).to.deep.equal(line)
      expect(drawComputers(base, column, accounts.filter(account => account !== line[1]))).to.deep.equal(line.filter(account => account !== line[1]))
    }
  })

  it('bounds the accounts of one adapter, and gives others to the next', () => {
    const many = Array.from({ length: 200 }, (_, i) => signer(`many ${i}`).account)
    const one = drawAccounts(cidOf(Uint8Array.of(1)), many).map(accountToString)
    const two = drawAccounts(cidOf(Uint8Array.of(2)), many).map(accountToString)
    expect([one.length, two.length]).to.deep.equal([64, 64])
    expect(two.filter(account => one.includes(account)).length).to.be.lessThan(40)
  })
})

describe('voices on a column', () => {
  const voice = ({ account }: Signer, text: string): { account: Uint8Array, file: CID } => ({ account, file: file(text) })

  it('agree with two for the same bytes and fewer for any other', () => {
    expect(countVoices(0, [voice(alice, 'a')]).agreed).to.equal(null)
    expect(String(countVoices(0, [voice(alice, 'a'), voice(bob, 'a')]).agreed)).to.equal(String(file('a')))
    // the same word twice is one voice
    expect(countVoices(0, [voice(alice, 'a'), voice(alice, 'a')]).agreed).to.equal(null)
  })

  it('show a disagreement with both its sides, in any order', () => {
    const voices = [voice(alice, 'a'), voice(bob, 'b'), voice(carol, 'a')]
    const { agreed, files } = countVoices(3, voices)
    expect(String(agreed)).to.equal(String(file('a')))
    expect(files.map(one => one.voices.length)).to.deep.equal([2, 1])
    expect(files[1].voices).to.deep.equal([bob.account])
    expect(countVoices(3, voices.toReversed())).to.deep.equal({ column: 3, agreed, files })
    expect(countVoices(3, [...voices, voice(curator, 'b')]).agreed).to.equal(null)
  })

  it('do not count an account that says two things, and still name it', () => {
    const { agreed, files } = countVoices(0, [voice(alice, 'a'), voice(alice, 'b'), voice(bob, 'a'), voice(carol, 'b')])
    expect(agreed).to.equal(null)
    expect(files.map(one => one.voices.map(accountToString))).to.deep.include([alice, bob].map(({ account }) => accountToString(account)).sort())
    expect(files.flatMap(one => one.voices)).to.have.length(4)
  })
})

describe('columns of an adapter', function () {
  this.timeout(60_000)
  let swarm: Swarm

  beforeEach(() => { swarm = new Swarm() })
  afterEach(async () => swarm.end())

  interface Computer { node: TestNode, service: Columns, db: Level, computed: number[] }

  /** A node of the swarm that computes columns as `say` has them, or only listens without a signer. */
  const computer = async (signer?: Signer, say = truth, init: ColumnsInit = { columnsMax: 16 }): Promise<Computer> => {
    const node = await swarm.node()
    const db = new Level(join(await swarm.folder(), 'db'))
    await db.open()
    swarm.onEnd(async () => db.close())
    const computed: number[] = []
    const compute: ColumnComputer = {
      columns: async (_, columns) => Promise.all(columns.map(async column => {
        computed.push(column)
        return node.store.put(new TextEncoder().encode(say(column)), { codec: RAW })
      }))
    }
    const service = columns(init)({ chain: swarm.chain, network: node.network, storage: node.store, db, ...(signer === undefined ? {} : { compute, signer }) })
    await service.start()
    swarm.onEnd(async () => service.stop())
    return { node, service, db, computed }
  }

  const send = async (body: Parameters<Swarm['chain']['send']>[0], signer: Signer): Promise<void> => {
    expect(await swarm.chain.send(body, signer)).to.have.property('ok', true)
  }

  const admit = async (subject: CID): Promise<void> => {
    for (const one of validators.slice(0, 3)) {
      await send(attestBody(swarm.chain.state(), subject), one)
    }
  }

  /** An admitted adapter of three contributions; its record says what the developer published. */
  const publish = async (node: TestNode, influence: Adapter['influence'] = { form: 'reverse' }, beforeAdmission = (): void => {}): Promise<{ subject: CID, record: Adapter }> => {
    const { datanet } = await node.nets.create(speeches, curator)
    for (let i = 1; i <= 3; i++) {
      await admit((await node.nets.contribute({ datanet, title: 'Rows', rows: prose(3, i), signer: carol })).contribution)
    }
    const { cid: snapshot, snapshot: { contributions } } = await node.nets.snapshot([datanet])
    const recipe: Recipe = {
      type: 'recipe',
      version: 1,
      base,
      snapshot,
      engine: 'datanet-engine/1',
      rank: 2,
      alpha: 4,
      targets: ['q_proj'],
      steps: 2,
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
    const record: Adapter = {
      type: 'adapter',
      version: 1,
      name: 'test',
      developer: developer.account,
      base,
      snapshot,
      recipe: await node.store.put(recipeCodec.encode(recipe)),
      weights: file('weights'),
      checkpoints: [file('state')],
      lossMicro: [2, 1],
      method: 'trajectory',
      influence,
      pricePerThousandTokens: 1n
    }
    const subject = await node.store.put(signedCodec(adapterCodec).encode(signRecord(domains.adapter, adapterCodec, record, developer)))
    await send({ kind: 'publish-adapter', adapter: subject, base, snapshot, contributions }, developer)
    beforeAdmission()
    await admit(subject)
    return { subject, record }
  }

  const heard = async ({ service }: Computer, subject: CID, count: number): Promise<void> => {
    const statements = (): number => [0, 1, 2].reduce((sum, column) => sum + service.proof(subject, column).length, 0)
    while (statements() < count) {
      await event(service, 'statement')
    }
  }

  /** All know each other's topic, so that nothing is said to nobody. */
  const meet = async (all: Computer[]): Promise<void> => {
    while (all.some(({ node }) => node.network.libp2p.services.pubsub.getSubscribers('/datanet/test-1/columns/1').length < all.length - 1)) {
      await new Promise(resolve => { setImmediate(resolve) })
    }
  }

  it('are computed by two drawn nodes each, and everybody knows who agreed', async () => {
    const all = [await computer(validators[0]), await computer(validators[1]), await computer(validators[2]), await computer(validators[3]), await computer()]
    await meet(all)
    const { subject } = await publish(all[0].node)
    await Promise.all(all.map(async one => heard(one, subject, 6)))

    expect(all.flatMap(({ computed }) => computed).sort()).to.deep.equal([0, 0, 1, 1, 2, 2])
    for (const { service } of all) {
      const agreement = service.agreement(subject)
      expect(agreement.map(({ agreed }) => String(agreed))).to.deep.equal([0, 1, 2].map(column => String(file(truth(column)))))
      expect(agreement.map(({ files }) => files.map(({ voices }) => voices.length))).to.deep.equal([[2], [2], [2]])
      expect(agreement).to.deep.equal(all[0].service.agreement(subject))
    }
    // whoever was not there asks
    const late = await computer()
    await late.service.refresh(subject)
    expect(late.service.agreement(subject)).to.deep.equal(all[0].service.agreement(subject))
  })

  it('that a developer published falsely are outvoted, and both sides are named', async () => {
    const all = [await computer(validators[0]), await computer(validators[1]), await computer(validators[2]), await computer(validators[3])]
    await meet(all)
    const { subject, record } = await publish(all[0].node, { form: 'forward', columns: [file(truth(0)), file('forged'), file(truth(2))] })
    await heard(all[0], subject, 6)

    const agreement = all[0].service.agreement(subject, record)
    expect(agreement.map(({ agreed }) => String(agreed))).to.deep.equal([0, 1, 2].map(column => String(file(truth(column)))))
    expect(agreement.map(({ files }) => files.map(({ voices }) => voices.length))).to.deep.equal([[3], [2, 1], [3]])
    expect(agreement[1].files[1]).to.deep.equal({ file: file('forged'), voices: [developer.account] })
  })

  it('are not computed again after a restart, nor beyond what a node is told to take', async () => {
    const one = await computer(validators[0], truth, { columnsMax: 1 })
    const none = await computer(validators[1], truth, { columnsMax: 0 })
    await meet([one, none])
    const { subject } = await publish(one.node)
    await heard(none, subject, 1)
    expect(none.computed).to.deep.equal([])
    await one.service.stop()

    const node = await swarm.node()
    const again = columns({ columnsMax: 1 })({
      chain: swarm.chain, network: node.network, storage: node.store, db: one.db, signer: validators[0], compute: { columns: async () => { throw new RangeError('computed again') } }
    })
    swarm.onEnd(async () => again.stop())
    const failed: unknown[] = []
    again.addEventListener('failed', ({ detail }) => { failed.push(detail) })
    await again.start()
    await send({ kind: 'transfer', to: bob.account, amount: 1n }, alice)
    expect(again.agreement(subject)).to.deep.equal(none.service.agreement(subject))
    await again.stop()
    expect(failed).to.deep.equal([])
  })

  it('are computed for an adapter that was admitted in blocks that were passed over', async () => {
    const one = await computer(validators[0])
    const { subject } = await publish(one.node, { form: 'reverse' }, () => { swarm.chain.passedOver = true })
    expect(one.computed).to.deep.equal([])

    swarm.chain.leap()
    // the first of those that it is drawn for
    await heard(one, subject, 1)
    expect(one.computed).to.not.deep.equal([])
  })

  it('wait for work that came first', async () => {
    const node = await swarm.node()
    const db = new Level(join(await swarm.folder(), 'db'))
    await db.open()
    swarm.onEnd(async () => db.close())
    let tries = 0
    const service = columns({ columnsMax: 16 })({
      chain: swarm.chain,
      network: node.network,
      storage: node.store,
      db,
      signer: validators[0],
      compute: {
        columns: async (_, wanted) => {
          if (tries++ === 0) {
            throw new DatanetError('ERR_PREEMPTED', 'other work came')
          }
          return Promise.all(wanted.map(async column => node.store.put(Uint8Array.of(column), { codec: RAW })))
        }
      }
    })
    await service.start()
    swarm.onEnd(async () => service.stop())
    const said = event(service, 'statement')
    await publish(node)
    for (let block = 0; block < 8; block++) {
      await send({ kind: 'transfer', to: bob.account, amount: 1n }, alice)
      await new Promise(resolve => { setImmediate(resolve) })
    }
    expect(accountToString((await said as ColumnStatement).computer)).to.equal(accountToString(validators[0].account))
  })

  it('are not verified again when a peer repeats what is known', async () => {
    const honest = await computer()
    const { subject } = await publish(honest.node)
    const known = signColumn({ adapter: subject, column: 0, file: file('one'), engine: 'datanet-engine/1' }, validators[0])
    const news = signColumn({ adapter: subject, column: 1, file: file('two'), engine: 'datanet-engine/1' }, validators[0])
    const broken = { ...known, signature: new Uint8Array(64) }
    let answer = [known]
    const peer = await swarm.node()

    peer.network.handle('/datanet/columns/1', { requestBytesMax: 1_024, responseBytesMax: 65_536 }, () => (async function * () {
      yield encode({ type: 'columns-part', statements: answer.map((signed): unknown => decode(signedColumnCodec.encode(signed))) })
    })())

    while (honest.node.network.peers().length === 0) {
      await new Promise(resolve => { setImmediate(resolve) })
    }

    for (answer of [[known], [broken, news]]) {
      await honest.service.refresh(subject)
    }

    // a false signature ends an answer: had it been looked at, the news behind it would be lost
    expect([0, 1].map(column => honest.service.proof(subject, column).length)).to.deep.equal([1, 1])
    expect(honest.service.proof(subject, 0)[0].signature).to.deep.equal(known.signature)
  })

  it('are not heard from accounts that are not drawn, nor with a false signature', async () => {
    const honest = await computer()
    const villain = await computer()
    await meet([honest, villain])
    const { subject } = await publish(honest.node)
    const statement = { adapter: subject, column: 0, file: file('lie'), engine: 'datanet-engine/1' }
    const listening = honest.node.network
    const topic = '/datanet/test-1/columns/1'
    const spread = async (bytes: Uint8Array): Promise<string> => {
      const refused = event(listening, 'gossip:refused')
      await villain.node.network.libp2p.services.pubsub.publish(topic, bytes)
      return (await refused as { code: string }).code
    }
    expect(await spread(signedColumnCodec.encode(signColumn(statement, bob)))).to.equal('ERR_COLUMN_NOT_DRAWN')
    const signed = signColumn(statement, validators[0])
    expect(await spread(signedColumnCodec.encode({ ...signed, payload: { ...signed.payload, file: file('other') } }))).to.equal('ERR_SIGNATURE')
    expect(await spread(signedColumnCodec.encode(signColumn({ ...statement, column: 3 }, validators[0])))).to.equal('ERR_COLUMN_NOT_DRAWN')
    expect(honest.service.agreement(subject).flatMap(({ files }) => files)).to.deep.equal([])
  })

  it('are not passed on again when somebody gossips what is known', async () => {
    const honest = await computer()
    const villain = await computer()
    await meet([honest, villain])
    const { subject } = await publish(honest.node)
    const bytes = signedColumnCodec.encode(signColumn({ adapter: subject, column: 0, file: file('one'), engine: 'datanet-engine/1' }, validators[0]))
    const { pubsub } = villain.node.network.libp2p.services
    const said = event(honest.service, 'statement')
    await pubsub.publish('/datanet/test-1/columns/1', bytes)
    await said

    const refused = event(honest.node.network, 'gossip:refused')
    await pubsub.publish('/datanet/test-1/columns/1', bytes)
    expect(await refused).to.include({ code: 'ERR_COLUMN_KNOWN', verdict: 'ignore' })
  })
})
