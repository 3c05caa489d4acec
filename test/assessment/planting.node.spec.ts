import { expect } from 'aegir/chai'
import { listPlants, readAccount, readTask } from '../../src/ledger/index.ts'
import { defaultParams, PRICE_DEFAULT } from '../../src/node/index.ts'
import { deterredCost, deters } from '../../src/scoring/index.ts'
import { training } from '../../src/training/index.ts'
import { hash } from '../../src/wire/index.ts'
import { assessors, OPEN, signal, validator } from '../serving/fixtures.ts'
import { court, faults, inPhase, paidOut, payouts, seat, trade } from './fixtures.ts'
import type { Seat, Shop } from './fixtures.ts'
import type { Recomputer } from '../../src/assessment/index.ts'
import type { Market } from '../serving/fixtures.ts'

const three = assessors.slice(0, 3)
const markets: Market[] = []

afterEach(async () => {
  await Promise.all(markets.splice(0).map(async here => here.clean()))
})

async function opened (): ReturnType<typeof court> {
  // one validator, without a seat: every epoch is its turn
  const made = await court({ plantsPerEpoch: 1, challengeBlocks: 20, commitBlocks: 800 }, three)

  markets.push(made.here)

  return made
}

/** Seats wait until the planter has planted: beside each other on a busy machine, it may come too late, and nothing is planted. */
async function planted (here: Market, shop: Shop): Promise<Seat> {
  const planter = await seat(here, shop, validator)

  await trade(here, shop)
  await here.chain.waitFor(() => planter.events.some(({ type }) => type === 'assessor:plant'), { signal: signal(100_000) })

  return planter
}

describe('a validator whose turn it is to plant', () => {
  const staked = (here: Market): bigint[] => three.map(({ account }) => readAccount(here.chain.state(), account).staked)

  it('computes what the seats compute, says so before they reveal, and is paid when they were right', async () => {
    const { here, shop } = await opened()
    const planter = await planted(here, shop)

    await Promise.all(three.map(async who => seat(here, shop, who)))
    const { task, state } = await inPhase(here, 'challenge')

    await here.chain.waitFor(() => planter.events.some(({ type }) => type === 'assessor:expose'))
    expect([...listPlants(here.chain.state())]).to.deep.equal([])
    expect(readTask(here.chain.state(), task)).to.deep.include({ phase: 'challenge', challenge: null, scoreRoot: state.scoreRoot })
    expect(planter.events.map(({ type }) => type)).to.include.members(['assessor:plant', 'assessor:expose'])
    await paidOut(here)
    expect(staked(here)).to.deep.equal([200n, 200n, 200n].map(amount => amount * OPEN))
  })

  it('has seats that guess alike judged and slashed, and contributors paid by the true scores', async () => {
    const { here, shop } = await opened()
    const real = training({ threads: 1 })(here.here.components)
    // a cartel: one made-up table, no work, and nobody dissents
    const guess: Recomputer = {
      async assess (...args) {
        const { table, trace } = await real.assess(...args)

        return { table: { ...table, entries: table.entries.map(entry => ({ ...entry, score: 1_000n })) }, trace: trace.map((_, i) => hash('guess', Uint8Array.of(i))), refused: [] }
      }
    }
    const planter = await planted(here, shop)

    await Promise.all(three.map(async who => seat(here, shop, who, { training: guess })))
    const { task } = await inPhase(here, 'settled')
    const state = readTask(here.chain.state(), task) ?? expect.fail()

    expect(Object.values(faults(state))).to.deep.equal(['wrong-score', 'wrong-score', 'wrong-score'])
    expect(state.challenge).to.deep.include({ planted: true, bond: 0n })
    expect(staked(here)).to.deep.equal([150n, 150n, 150n].map(amount => amount * OPEN))
    expect(state.scoreRoot).to.not.equal(null)
    expect(payouts(here, task).root).to.not.equal('')
    expect(planter.events.map(({ type }) => type)).to.include.members(['assessor:plant', 'assessor:expose'])
  })
})

describe('the default parameters', () => {
  /** What a seat is paid for a task: half of the validators' share, in equal parts. */
  const payOf = (fees: bigint): bigint => fees * BigInt(defaultParams.feeSplit.validators) / 10_000n / 2n / BigInt(defaultParams.seats)
  const inspection = { planted: BigInt(defaultParams.plantsPerEpoch), tasks: 100n, detectionBp: 10_000n, colludingBp: 3_333n, slash: defaultParams.slashWrong }

  it('make a guess cost more than the work it saves: planted rate × detection × slash exceeds all that a seat is paid', () => {
    // whoever does the work spends less than its pay on it; a million tokens a task and epoch is more than a small network sells
    const fees = PRICE_DEFAULT * 1_000_000n / 1_000n

    expect(deters(inspection, payOf(fees))).to.equal(true)
    expect(deterredCost(inspection) > payOf(fees)).to.equal(true)
    // and no plants would deter nothing
    expect(deters({ ...inspection, planted: 0n }, 0n)).to.equal(false)
  })

  it('leave a planter a bond that it can lose and a reward that is worth a transaction', () => {
    expect(defaultParams.challengeBond > defaultParams.plantReward).to.equal(true)
    expect(defaultParams.plantReward > defaultParams.feePerByte * 2_000n).to.equal(true)
  })
})
