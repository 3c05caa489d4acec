import { expect } from 'aegir/chai'
import { fetchScores } from '../../src/assessment/index.ts'
import { signRecord } from '../../src/identity/index.ts'
import { listPayouts, readAccount, readAdapter, readContribution, readTask } from '../../src/ledger/index.ts'
import { lightClient } from '../../src/light-client/index.ts'
import { MERGED_TOTAL, scoreTree } from '../../src/scoring/index.ts'
import { lorasOf, modelLibrary } from '../../src/serving/index.ts'
import { training } from '../../src/training/index.ts'
import { compareBytes, domains, equalBytes, mergedAdapterCodec, signedCodec } from '../../src/wire/index.ts'
import { attestBody } from '../ledger/network.ts'
import { acquaint, alice, assessors, developer, market, PRICE, question, shopkeeper, signal, validator } from '../serving/fixtures.ts'
import { court, faults, inPhase, seat, trade } from './fixtures.ts'
import type { MergedAdapter } from '../../src/interface/index.ts'
import type { ModelLibrary } from '../../src/serving/index.ts'
import type { Market } from '../serving/fixtures.ts'
import type { CID } from 'multiformats/cid'

const markets: Market[] = []

afterEach(async () => {
  await Promise.all(markets.splice(0).map(async here => here.clean()))
})

/** A second adapter of another seed, and both merged by somebody who made neither. */
async function merged (here: Market): Promise<{ merge: CID, second: CID }> {
  const { adapter } = await training({ threads: 1 })(here.here.components).train({ name: 'second', recipe: { ...here.here.recipe, seed: 2 }, developer: developer.account, pricePerThousandTokens: PRICE, influence: 'reverse' })
  const second = await here.admit(adapter)
  const record: MergedAdapter = {
    type: 'merged-adapter',
    version: 1,
    name: 'both',
    developer: alice.account,
    base: here.record.base,
    parents: [{ adapter: here.adapter, weightMilli: 1500 }, { adapter: second, weightMilli: 2500 }].sort((a, b) => compareBytes(a.adapter.bytes, b.adapter.bytes)),
    pricePerThousandTokens: PRICE
  }
  const merge = await here.here.storage.put(signedCodec(mergedAdapterCodec).encode(signRecord(domains.adapter, mergedAdapterCodec, record, alice)))

  await here.must({ kind: 'merge-adapters', adapter: merge, base: record.base, parents: record.parents }, alice)
  await here.must(attestBody(here.chain.state(), merge), validator)

  return { merge, second }
}

describe('answers of merged adapters', function () {
  this.timeout(180_000)

  it('are bought, recomputed to the same bits by every seat, and paid to the developers and the data of all parents', async () => {
    const committee = assessors.slice(0, 3)
    const { here, shop } = await court({ seats: 3 }, committee)

    markets.push(here)

    const { merge, second } = await merged(here)
    const seats = await Promise.all(committee.map(async (who, i) => seat(here, shop, who, { training: training({ threads: 1 + i % 2 })(here.here.components) })))
    const before = readAccount(here.chain.state(), alice.account).balance
    const answers = await trade(here, shop, merge)
    const { task } = await inPhase(here, 'settled', 120_000)
    const state = await here.chain.waitFor(ledger => {
      const now = readTask(ledger, task)

      // rounding leaves less than a base unit for each behind
      return now?.developers != null && now.dataPool - now.paid < 4n && now.developers.pool - now.developers.paid < 3n ? now : undefined
    }, { signal: signal(60_000) })

    expect(state.adapter.equals(merge)).to.equal(true)
    expect(state.fees).to.equal(answers[0].cosigned.payload.fee + answers[1].cosigned.payload.fee)
    expect(new Set(Object.values(faults(state)))).to.deep.equal(new Set([null]))
    expect(state.seats.every(one => one.scoreRoot != null && state.scoreRoot != null && equalBytes(one.scoreRoot, state.scoreRoot))).to.equal(true)

    const { net } = await here.peer()

    await acquaint(net, seats[2].net)

    const table = await fetchScores(net, task, { signal: signal() })
    const ledger = here.chain.state()
    const paid = new Map([...listPayouts(ledger, task)].map(({ contribution, state }) => [contribution.toString(), state]))
    const scoreOf = (cid: CID): bigint => table.entries.find(({ contribution }) => contribution.equals(cid))?.score ?? expect.fail('no entry')

    expect(table.method).to.equal('merged')
    expect(scoreTree(table)).to.deep.include({ root: state.scoreRoot, total: state.total })
    expect(scoreOf(here.adapter) + scoreOf(second)).to.equal(MERGED_TOTAL)

    for (const parent of [here.adapter, second].filter(one => scoreOf(one) > 0n)) {
      expect(readAdapter(ledger, parent)?.earned).to.equal(state.developers == null ? undefined : state.developers.pool * scoreOf(parent) / MERGED_TOTAL)
      expect(paid.get(parent.toString())?.contributor).to.deep.equal(developer.account)
    }

    for (const contribution of here.here.snapshot.contributions.filter(one => scoreOf(one) > 0n)) {
      expect(readContribution(ledger, contribution)?.earned).to.equal(state.dataPool * scoreOf(contribution) / (state.total - MERGED_TOTAL))
    }

    // a light client follows it from the payout over the parents to the contribution
    const [paidOne] = here.here.snapshot.contributions.filter(one => scoreOf(one) > 0n)
    const client = lightClient({
      genesis: here.genesis,
      source: {
        latest: async () => here.chain.certified(),
        eraChange: async era => here.chain.eraChange(era),
        header: async height => here.chain.certified(height),
        proof: async (key, height) => here.chain.prove(key, height),
        scores: async () => table
      }
    })
    const why = await client.why(task, paidOne, { signal: signal() })

    // the records behind these contributions are made up
    expect(why.steps.filter(({ verified }) => !verified)).to.deep.equal([])
    expect(why.steps.find(({ title }) => title === 'The answers were of several adapters')?.detail).to.include(`${here.adapter.toString()} (1.5 times)`).and.include(`${second.toString()} (2.5 times)`)
    expect(why).to.include({ adapter: merge.toString(), score: String(scoreOf(paidOne)), totalScore: String(state.total - MERGED_TOTAL) })

    expect(readAdapter(ledger, merge)?.earned).to.equal(0n)
    // who published the merge is a contributor too, and has that share alone
    expect(readAccount(ledger, alice.account).balance - before).to.equal([...paid.values()].reduce((sum, one) => sum + (equalBytes(one.contributor, alice.account) ? one.amount : 0n), 0n))
  })

  it('are refused by payers where they are of other weights than the merge says', async () => {
    const here = await market()

    markets.push(here)

    const { merge } = await merged(here)
    const honest = modelLibrary()({ storage: here.here.storage })
    const loaded = await honest.adapter(merge)
    // a gateway that serves the first parent alone, at ten times its weight
    const cheap: ModelLibrary = {
      ...honest,
      adapter: async (cid, options) => {
        const adapter = await honest.adapter(cid, options)

        return adapter.parents == null ? adapter : { ...adapter, parents: [{ ...adapter.parents[0], weightMilli: -10_000 }] }
      }
    }
    const shop = await here.shop({ seed: 201, who: shopkeeper, library: cheap })
    const { payer } = await here.customer([shop])

    expect(lorasOf(loaded).map(({ weightMilli }) => weightMilli).toSorted()).to.deep.equal([1500, 2500])
    await expect(payer.ask(question(merge, 'the state of', 24), assessors[0])).to.eventually.be.rejected.with.property('code', 'ERR_BAD_RECEIPT')
  })
})
