import { expect } from 'aegir/chai'
import { fetchScores } from '../../src/assessment/index.ts'
import { listPayouts } from '../../src/ledger/index.ts'
import { payout, scoreTree } from '../../src/scoring/index.ts'
import { training } from '../../src/training/index.ts'
import { equalBytes } from '../../src/wire/index.ts'
import { acquaint, assessors, signal } from '../serving/fixtures.ts'
import { court, faults, paidOut, seat, trade } from './fixtures.ts'
import type { AttributionMethod, ScoreTable } from '../../src/interface/index.ts'
import type { Market } from '../serving/fixtures.ts'

const SEATS = 3

describe('a task of an adapter that names a method of attribution', () => {
  const tables: ScoreTable[] = []
  let here: Market

  afterEach(async () => here.clean())

  async function settle (method: AttributionMethod): Promise<ScoreTable> {
    const opened = await court({ seats: SEATS }, assessors.slice(0, SEATS))

    here = opened.here

    const adapter = await here.admit({ method, influence: { form: 'reverse' } })
    const seats = await Promise.all(assessors.slice(0, SEATS).map(async (who, i) => seat(here, opened.shop, who, { training: training({ threads: 1 + i % 2 })(here.here.components) })))

    await trade(here, opened.shop, adapter)

    const { task, state } = await paidOut(here)

    expect(state.adapter.equals(adapter)).to.equal(true)
    expect(Object.values(faults(state))).to.deep.equal([null, null, null])
    expect(state.seats.every(({ scoreRoot }) => scoreRoot != null && state.scoreRoot != null && equalBytes(scoreRoot, state.scoreRoot))).to.equal(true)

    const { net } = await here.peer()

    await acquaint(net, seats[0].net)

    const table = await fetchScores(net, task, { signal: signal() })

    expect(table.method).to.equal(method)
    expect(scoreTree(table)).to.deep.include({ root: state.scoreRoot, total: state.total })

    for (const { contribution, state: paid } of listPayouts(here.chain.state(), task)) {
      expect(paid.amount).to.equal(payout(state.dataPool, table.entries.find(entry => entry.contribution.equals(contribution))?.score ?? -1n, state.total))
    }

    return table
  }

  it('is scored by gradient products at every seat, bit for bit on one and two threads, and paid by these scores', async () => {
    tables.push(await settle('graddot'))
  })

  it('is scored by curvature, and so paid', async () => {
    tables.push(await settle('ekfac'))
  })

  it('has other scores by another method', () => {
    expect(tables).to.have.length(2)
    expect(tables[0].entries).to.not.deep.equal(tables[1].entries)
  })
})
