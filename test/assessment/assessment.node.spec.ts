import { expect } from 'aegir/chai'
import { raceSignal } from 'race-signal'
import { fetchScores } from '../../src/assessment/index.ts'
import { accountToString } from '../../src/identity/index.ts'
import { readAccount, readTask } from '../../src/ledger/index.ts'
import { scoreTree } from '../../src/scoring/index.ts'
import { training } from '../../src/training/index.ts'
import { codec, concatBytes, equalBytes, fileCid, hash, literal, nullable, rawCid, struct } from '../../src/wire/index.ts'
import { acquaint, assessors, OPEN, people, signal, validator } from '../serving/fixtures.ts'
import { court, faults, inPhase, paidOut, payouts, seat, trade } from './fixtures.ts'
import type { SeatOptions, Shop } from './fixtures.ts'
import type { Recomputer } from '../../src/assessment/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { AbortOptions, FinalisedBlock, TransactionBody } from '../../src/interface/index.ts'
import type { Training } from '../../src/training/index.ts'
import type { Market, Peer } from '../serving/fixtures.ts'
import type { CID } from 'multiformats/cid'

let honest: Record<string, string>

const markets: Market[] = []

const stateResponse = codec('step state response', struct({ type: literal('step-state-response'), state: nullable(fileCid) }))

afterEach(async () => {
  await Promise.all(markets.splice(0).map(async here => here.clean()))
})

async function opened (...args: Parameters<typeof court>): ReturnType<typeof court> {
  const made = await court(...args)

  markets.push(made.here)

  return made
}

/** So long that nobody computes the whole because a state is late. */
const PATIENT = { verdictBlocks: 600 }

const expectHonest = (paid: Record<string, string>): void => { expect(paid).to.deep.equal(honest) }

describe('a committee of seven', function () {
  this.timeout(180_000)

  it('agrees bit for bit on one and two threads, and pays contributors and developers', async () => {
    const { here, shop } = await opened()
    const seats = await Promise.all(assessors.map(async (who, i) => seat(here, shop, who, { training: training({ threads: 1 + i % 2 })(here.here.components) })))
    const answers = await trade(here, shop)
    const { task, state } = await paidOut(here)

    expect(state.fees).to.equal(answers[0].cosigned.payload.fee + answers[1].cosigned.payload.fee)
    expect(new Set(Object.values(faults(state)))).to.deep.equal(new Set([null]))
    expect(state.seats.every(one => one.scoreRoot != null && state.scoreRoot != null && equalBytes(one.scoreRoot, state.scoreRoot))).to.equal(true)

    // whoever asks gets the table, and can check it
    const { net } = await here.peer()

    await acquaint(net, seats[3].net)
    const table = await fetchScores(net, task, { signal: signal() })

    expect(scoreTree(table)).to.deep.include({ root: state.scoreRoot, total: state.total })
    honest = payouts(here, task)
    expect(Object.keys(honest)).to.have.length.of.at.least(5)
  })

  it('shows its scores to nobody before there is a result, so that nobody commits to them without the work', async () => {
    const { here, shop } = await opened({ commitBlocks: 600 })
    const one = await seat(here, shop, assessors[0])
    await trade(here, shop)
    const { task } = await inPhase(here, 'commit')
    await here.chain.waitFor(ledger => readTask(ledger, task)?.seats.some(({ commit }) => commit !== null), { signal: signal(60_000) })
    const { net } = await here.peer()

    await acquaint(net, one.net)
    const asked = await fetchScores(net, task, { signal: signal() }).catch((error: unknown) => error)

    expect(asked).to.have.property('code', 'ERR_SCORES_MISSING')
    expect(await one.service.table(task)).to.equal(undefined)
  })

  it('pays the same when one lies, one copies another\'s commit and one is silent, and slashes the three', async () => {
    const { here, shop } = await opened()
    const [liar, copier, silent, ...good] = assessors
    const real = training({ threads: 1 })(here.here.components)
    const lying: Recomputer = {
      async assess (...args) {
        const assessment = await real.assess(...args)
        const [first, ...rest] = assessment.table.entries

        return { ...assessment, table: { ...assessment.table, entries: [{ ...first, score: first.score + 1_000_000n }, ...rest] } }
      }
    }

    await seat(here, shop, liar, { training: lying })
    await seat(here, shop, validator)
    await Promise.all(good.map(async who => seat(here, shop, who)))
    copy(here, copier, good[0])
    await trade(here, shop)

    const staked = (who: typeof silent): bigint => readAccount(here.chain.state(), who.account).staked
    const { task, state } = await paidOut(here)

    expect(payouts(here, task)).to.deep.equal(honest)
    expect(faults(state)).to.deep.equal({
      ...Object.fromEntries(good.map(({ account }) => [accountToString(account), null])),
      [accountToString(liar.account)]: 'wrong-score',
      [accountToString(copier.account)]: 'withheld',
      [accountToString(silent.account)]: 'silent'
    })
    expect([liar, copier, silent, good[0]].map(staked)).to.deep.equal([150n, 145n, 195n, 200n].map(amount => amount * OPEN))
  })

  // two receipts, six steps of training, the cotangent, six steps back
  for (const [name, from, work] of [
    ['a step back', 11, { receipts: 0, gradients: 6, duals: 6 }],
    ['the table alone', 15, { receipts: 0, gradients: 0, duals: 0 }]
  ] as const) {
    it(`pays the same when one makes up ${name}, which validators find by that step alone`, async () => {
      const { here, shop } = await opened(PATIENT)
      const { judging, judged } = watched(training({ threads: 1 })(here.here.components))
      const { liar, good } = await disputants(here, shop, from, judging)
      const { task, state } = await paidOut(here)

      expectHonest(payouts(here, task))
      expect(faults(state)).to.deep.equal({ ...Object.fromEntries(good.map(({ account }) => [accountToString(account), null])), [accountToString(liar.account)]: from < 15 ? 'wrong-step' : 'wrong-score' })
      expect(judged).to.deep.equal([{ index: from, hasState: true, work }])
      expect(state.verdicts).to.deep.equal([])
    })
  }

  it('pays the same when nobody publishes the state that a step starts from, for the work of the whole', async () => {
    const { here, shop } = await opened({ verdictBlocks: 300 })
    const real = training({ threads: 1 })(here.here.components)
    const withholding: Recomputer = { assess: async (...args) => real.assess(...args) }
    const { judging, judged } = watched(real)
    const { liar } = await disputants(here, shop, 11, judging, () => withholding)
    const { task, state } = await paidOut(here)

    expect(payouts(here, task)).to.deep.equal(honest)
    expect(faults(state)).to.include({ [accountToString(liar.account)]: 'wrong-step' })
    expect(judged).to.deep.equal([{ index: 11, hasState: false, work: { receipts: 2, gradients: 42, duals: 18 } }])
  })

  it('pays the same when a peer promises the state and never sends it', async () => {
    const { here, shop } = await opened({ verdictBlocks: 300 })
    const real = training({ threads: 1 })(here.here.components)
    const { judging, judged } = watched(real)
    const promised = rawCid(Uint8Array.of(7))
    const endless = Object.create(here.here.storage, {
      getFile: { value: async (cid: CID, options: AbortOptions = {}) => cid.equals(promised) ? raceSignal(new Promise(() => {}), options.signal) : here.here.storage.getFile(cid) }
    })
    const hostile = await here.peer()

    hostile.net.handle('/datanet/step-states/1', { requestBytesMax: 1_024, responseBytesMax: 1_024 }, async () => stateResponse.encode({ type: 'step-state-response', state: promised }))
    const { liar } = await disputants(here, shop, 11, judging, () => ({ assess: async (...args) => real.assess(...args) }), assessors, { storage: endless, peers: [hostile] })
    const { task, state } = await paidOut(here)

    expect(payouts(here, task)).to.deep.equal(honest)
    expect(faults(state)).to.include({ [accountToString(liar.account)]: 'wrong-step' })
    expect(judged).to.deep.equal([{ index: 11, hasState: false, work: { receipts: 2, gradients: 42, duals: 18 } }])
  })

  it('pays the same when states are published that are not the ones that were agreed on', async () => {
    const five = assessors.slice(0, 5)
    const { here, shop } = await opened(PATIENT, five)
    const real = training({ threads: 1 })(here.here.components)
    const saboteurs: Array<(state: Uint8Array) => Uint8Array> = [
      // of another trace, with another number, far too large
      state => state.map((byte, i) => i === 5 ? byte ^ 1 : byte),
      state => state.map((byte, i) => i === state.length - 5 ? byte ^ 1 : byte),
      state => concatBytes(state, new Uint8Array(64 * state.length))
    ]
    const { judging, judged } = watched(real)
    const { liar, good } = await disputants(here, shop, 11, judging, place => ({
      assess: async (...args) => real.assess(...args),
      stepStateBytesMax: async (...args) => real.stepStateBytesMax(...args),
      stepState: async (...args) => (saboteurs.at(place) ?? (state => state))(await real.stepState(...args))
    }), five)
    const { task, state } = await paidOut(here)

    expectHonest(payouts(here, task))
    expect(faults(state)).to.deep.equal({ ...Object.fromEntries(good.map(({ account }) => [accountToString(account), null])), [accountToString(liar.account)]: 'wrong-step' })
    expect(judged.at(-1)).to.deep.equal({ index: 11, hasState: true, work: { receipts: 0, gradients: 6, duals: 6 } })
  })

  it('pays the same when one copies the scores without the work that led to them', async () => {
    const { here, shop } = await opened()
    const [copier, ...good] = assessors
    const real = training({ threads: 1 })(here.here.components)
    const idle: Recomputer = {
      async assess (...args) {
        const { trace, ...assessment } = await real.assess(...args)

        return { ...assessment, trace: trace.map((_, i) => hash('made up', Uint8Array.of(i))) }
      }
    }

    await seat(here, shop, copier, { training: idle })
    await Promise.all(good.map(async who => seat(here, shop, who)))
    await trade(here, shop)

    const { task, state } = await paidOut(here)

    expect(payouts(here, task)).to.deep.equal(honest)
    expect(faults(state)).to.include({ [accountToString(copier.account)]: 'bad-trace', [accountToString(good[0].account)]: null })
  })
})

/** A recomputer that cannot do more than single steps, and tells what each took. */
function watched (real: Training): { judging: Recomputer, judged: Judged[] } {
  const judged: Judged[] = []

  return {
    judged,
    judging: {
      assess: async () => expect.fail('one step is enough'),
      stepStateBytesMax: async (...args) => real.stepStateBytesMax(...args),
      async step (id, adapter, receipts, index, options) {
        let work

        const step = await real.step(id, adapter, receipts, index, {
          ...options,
          onProgress (event) {
            if (event.type === 'training:judged') {
              const { receipts, gradients, duals } = event

              work = { receipts, gradients, duals }
            }
          }
        })

        judged.push({ index, hasState: options?.from !== undefined, work })

        return step
      }
    }
  }
}

interface Judged {
  index: number
  hasState: boolean
  work?: { receipts: number, gradients: number, duals: number }
}

/** A committee whose first member makes its trace up from a step on, with other scores, and a validator that all know. */
async function disputants (here: Market, shop: Shop, from: number, judging: Recomputer, seatOf?: (place: number) => Recomputer, committee = assessors, { storage, peers = [] }: { storage?: SeatOptions['storage'], peers?: Peer[] } = {}): Promise<{ liar: Signer, good: Signer[] }> {
  const [liar, ...good] = committee
  const real = training({ threads: 1 })(here.here.components)
  const lying: Recomputer = {
    async assess (...args) {
      const { table, trace, ...rest } = await real.assess(...args)
      const [first, ...others] = table.entries

      return { ...rest, table: { ...table, entries: [{ ...first, score: first.score + 1_000_000n }, ...others] }, trace: trace.map((step, i) => i < from ? step : hash('made up', step)) }
    }
  }
  const all = [await seat(here, shop, liar, { training: lying }), ...await Promise.all(good.map(async (who, place) => seat(here, shop, who, { training: seatOf?.(place) })))]
  const judge = await seat(here, shop, validator, { training: judging, storage })

  await Promise.all([...all, ...peers].map(async one => acquaint(judge.net, one.net)))
  await trade(here, shop)

  return { liar, good }
}

/** Sends whatever another assessor sends, from its own account. */
function copy (here: Market, who: typeof validator, victim: typeof validator): void {
  const kinds: Array<TransactionBody['kind']> = ['commit', 'reveal', 'open']

  here.chain.addEventListener('block', ({ detail: { block } }: CustomEvent<FinalisedBlock>) => {
    for (const { signer, payload: { body } } of block.transactions) {
      if (equalBytes(signer, victim.account) && kinds.includes(body.kind)) {
        // refused where the ledger sees through it; the chain may stop meanwhile
        here.chain.send(body, who, { signal: signal() }).catch(() => {})
      }
    }
  })
}

describe('an assessor', function () {
  this.timeout(180_000)

  const three = assessors.slice(0, 3)

  it('that is killed between commit and reveal reveals what it committed to, without computing again', async () => {
    const { here, shop } = await opened({}, three)
    const [victim, ...others] = three
    const { promise: committed, resolve } = Promise.withResolvers<void>()
    const first = await seat(here, shop, victim, { onEvent: ({ type }) => { if (type === 'assessor:commit') { resolve() } } })

    await trade(here, shop)
    await committed
    await first.stop()
    await Promise.all(others.map(async who => seat(here, shop, who)))
    await inPhase(here, 'reveal')

    const again = await seat(here, shop, victim, {
      folder: first.folder,
      training: { assess: async () => expect.fail('it was computed and written down before') }
    })
    const { state } = await paidOut(here)

    expect(Object.values(faults(state))).to.deep.equal([null, null, null])
    expect(again.events.map(({ type }) => type)).to.include.members(['assessor:reveal', 'assessor:open'])
  })

  it('says that receipts cannot be had, and payers get their money back once the gateway is away for three epochs', async () => {
    const { here, shop } = await opened({ epochBlocks: 40 }, three)

    await Promise.all(three.map(async who => seat(here, shop, who)))

    const [{ cosigned }] = await trade(here, shop)

    await inPhase(here, 'collecting')
    await shop.gateway.stop()

    const before = readAccount(here.chain.state(), people[0].account).balance
    const { state } = await inPhase(here, 'unavailable', 100_000)

    expect(state.rollovers).to.equal(2)
    expect(state.sources.map(({ fault }) => fault)).to.deep.equal(['missing', 'missing'])

    // the third may come too late: two thirds end the phase
    expect(state.seats.filter(({ report }) => report?.fault === 'missing')).to.have.length.of.at.least(2)
    expect(state.seats.every(({ fault }) => fault == null)).to.equal(true)
    expect(readAccount(here.chain.state(), people[0].account).balance).to.equal(before + cosigned.payload.fee)
  })

  it('can be stopped and started on one network', async () => {
    const { here, shop } = await opened({}, three)
    const { service } = await seat(here, shop, three[0])

    await service.stop()
    await service.start()
    await service.start()
    await service.stop()
    expect(await service.table(new Uint8Array(32))).to.equal(undefined)
    expect(readTask(here.chain.state(), new Uint8Array(32))).to.equal(undefined)
  })
})
