import { expect } from 'aegir/chai'
import { readAdapter, readChain, readContribution, readMerge, readPayout } from '../../src/ledger/index.ts'
import { assessmentCommit, MERGED_TOTAL, scoreTree, taskId, traceTree } from '../../src/scoring/index.ts'
import { compareBytes, hash, rawCid, utf8 } from '../../src/wire/index.ts'
import { adapter, admitAdapter, alice, assessors, attestBody, base, baseDeveloper, bob, CHAIN, cid, contributions, contributors, developer, gateway, Network, OPEN, openChannel, redeemBody, sorted, treasury, validators } from './network.ts'
import type { Request } from './network.ts'
import type { Hash, MergeParent, TransactionBody } from '../../src/interface/index.ts'
import type { ScoreTree } from '../../src/scoring/index.ts'
import type { CID } from 'multiformats/cid'

const FEES = 8_000_000_000_000_000_003n
const DEVELOPERS = FEES / 5n
const DATA = FEES - FEES / 10n - 2n * DEVELOPERS
const second = cid('second')
const imported = cid('imported')
const merge = cid('merge')

type Merging = Extract<TransactionBody, { kind: 'merge-adapters' }>

/** Parents by CID and weight, in the order of a record. */
function parentsOf (...parents: Array<[CID, number]>): MergeParent[] {
  return parents.map(([adapter, weightMilli]) => ({ adapter, weightMilli })).sort((a, b) => compareBytes(a.adapter.bytes, b.adapter.bytes))
}

const merging: Merging = { kind: 'merge-adapters', adapter: merge, base, parents: parentsOf([adapter, 700], [second, 300]) }

function attestAll (network: Network, subject: CID, verdict: 'admit' | 'reject' = 'admit'): void {
  network.must(...validators.slice(0, 3).map((who): Request => [who, attestBody(network.state, subject, verdict)]))
}

/** Two trained adapters that share a contribution, by two developers, and an imported one. */
function withParents (): Network {
  const network = new Network()

  admitAdapter(network)
  network.must(
    [bob, { kind: 'publish-adapter', adapter: second, base, snapshot: cid('other snapshot'), contributions: contributions.slice(1) }],
    [alice, { kind: 'import-adapter', adapter: imported, base, weights: rawCid(utf8('weights')) }]
  )
  attestAll(network, second)
  attestAll(network, imported)

  return network
}

function withMerge (body: Merging = merging): Network {
  const network = withParents()

  network.must([developer, body])
  attestAll(network, body.adapter)

  return network
}

describe('merged adapters on the ledger', () => {
  it('stand on all contributions of their parents, each once, and give the deposit back', () => {
    const network = withMerge()

    expect(readAdapter(network.state, merge)).to.deep.include({ status: 'admitted', snapshot: null, deposit: 0n })
    expect(readAdapter(network.state, merge)?.contributions.map(String)).to.deep.equal(sorted(contributions).map(String))
    expect(network.balance(developer)).to.equal(10_000n * OPEN)
  })

  it('are found by parents and weights from their admission on', () => {
    const network = withParents()

    network.must([developer, merging])
    expect(readMerge(network.state, merging.parents)).to.equal(undefined)
    attestAll(network, merge)
    expect(readMerge(network.state, merging.parents)?.toString()).to.equal(merge.toString())
    expect(readMerge(network.state, parentsOf([adapter, 701], [second, 300]))).to.equal(undefined)
    expect(network.try(bob, { ...merging, adapter: cid('same') })).to.equal('ERR_MERGE_EXISTS')
    expect(network.try(bob, { ...merging, adapter: cid('other weights'), parents: parentsOf([adapter, 300], [second, 700]) })).to.equal('ok')
  })

  it('keep nobody from the same merge while they wait or when they are rejected, and the first admitted one counts', () => {
    const network = withParents()
    const late = cid('late')

    network.must([developer, { ...merging, adapter: cid('wrong record') }], [bob, merging], [alice, { ...merging, adapter: late }])
    attestAll(network, cid('wrong record'), 'reject')
    attestAll(network, merge)
    attestAll(network, late)

    expect(readAdapter(network.state, late)?.status).to.equal('admitted')
    expect(readMerge(network.state, merging.parents)?.toString()).to.equal(merge.toString())
    expect(network.balance(treasury)).to.equal(2n * OPEN)
  })

  it('need parents that are admitted, of the same base, not merged themselves and not withdrawn', () => {
    const network = withMerge()
    const another = { ...merging, adapter: cid('another') }

    network.must([bob, { kind: 'import-adapter', adapter: cid('pending'), base, weights: rawCid(utf8('pending')) }])
    expect(network.try(bob, { ...another, adapter: merge })).to.equal('ERR_ADAPTER_EXISTS')
    expect(network.try(bob, { ...another, parents: parentsOf([adapter, 1], [cid('nothing'), 1]) })).to.equal('ERR_ADAPTER_NOT_ADMITTED')
    expect(network.try(bob, { ...another, parents: parentsOf([adapter, 1], [cid('pending'), 1]) })).to.equal('ERR_ADAPTER_NOT_ADMITTED')
    expect(network.try(bob, { ...another, parents: parentsOf([adapter, 1], [merge, 1]) })).to.equal('ERR_MERGE_NESTED')
    expect(network.try(bob, { ...another, base: cid('foreign'), parents: parentsOf([adapter, 1], [second, 1]) })).to.equal('ERR_MERGE_BASE')

    network.must([contributors[2], { kind: 'withdraw-contribution', contribution: contributions[2] }])
    expect(network.try(bob, { ...another, parents: parentsOf([adapter, 1], [second, 1]) })).to.equal('ERR_CONTRIBUTION_WITHDRAWN')
  })
})

describe('the settlement of merged answers', () => {
  const third = MERGED_TOTAL / 3n

  it('pays the developers of the parents by effect, and who published the merge nothing', () => {
    const network = withMerge()
    const { task, tree, entries } = settled(network, merging, { [adapter.toString()]: 2n * third + 1n, [second.toString()]: third, [contributions[1].toString()]: MERGED_TOTAL })
    const pool = DEVELOPERS - DEVELOPERS / 2n

    expect(network.task(task)).to.deep.include({ phase: 'settled', dataPool: DATA, developers: { pool, paid: 0n } })
    expect(network.balance(baseDeveloper)).to.equal(DEVELOPERS / 2n)

    const before = [developer, bob].map(who => network.balance(who))

    network.must([alice, { kind: 'claim', task, claims: claimsOf(tree, entries, [adapter, second]) }])

    const gained = [developer, bob].map((who, i) => network.balance(who) - before[i])

    expect(gained).to.deep.equal([pool * (2n * third + 1n) / MERGED_TOTAL, pool * third / MERGED_TOTAL])
    expect(readAdapter(network.state, second)?.earned).to.equal(gained[1])
    expect(readAdapter(network.state, merge)?.earned).to.equal(0n)
    expect(readPayout(network.state, task, second)).to.deep.include({ score: third, amount: gained[1] })
    expect(network.try(bob, { kind: 'claim', task, claims: claimsOf(tree, entries, [second]) })).to.equal('ERR_ALREADY_CLAIMED')
  })

  it('pays contributions by their part of what is scored, and parents nothing of it', () => {
    const network = withMerge()
    const { task, tree, entries } = settled(network, merging, { [adapter.toString()]: MERGED_TOTAL, [contributions[0].toString()]: third, [contributions[1].toString()]: 2n * third })

    network.must([alice, { kind: 'claim', task, claims: claimsOf(tree, entries, contributions) }])
    expect(contributions.map(one => readContribution(network.state, one)?.earned)).to.deep.equal([network.task(task).dataPool / 3n, network.task(task).dataPool * 2n / 3n, 0n])
  })

  it('leaves the data\'s part of an imported parent to the treasury', () => {
    const mixed = { ...merging, parents: parentsOf([adapter, 500], [imported, 500]) }
    const network = withMerge(mixed)
    const { task } = settled(network, mixed, { [adapter.toString()]: MERGED_TOTAL / 4n, [imported.toString()]: MERGED_TOTAL * 3n / 4n, [contributions[0].toString()]: MERGED_TOTAL / 4n })

    expect(network.task(task).dataPool).to.equal(DATA / 4n)
    expect(network.balance(treasury) > DATA * 3n / 4n).to.equal(true)
  })

  it('pays no more than there is, whatever a committee agreed on', () => {
    const network = withMerge()
    const { task, tree, entries } = settled(network, merging, { [adapter.toString()]: 3n * MERGED_TOTAL, [second.toString()]: MERGED_TOTAL, [contributions[0].toString()]: 5n })
    const { pool } = network.task(task).developers ?? expect.fail()

    // all of the pool for the first, so nothing is left for the second; the network checks that no OPEN is made
    expect(network.try(alice, { kind: 'claim', task, claims: claimsOf(tree, entries, [adapter]) })).to.equal('ok')
    expect(network.task(task).developers).to.deep.equal({ pool, paid: pool })
    expect(network.try(alice, { kind: 'claim', task, claims: claimsOf(tree, entries, [second]) })).to.equal('ERR_CLAIM')
  })

  it('refuses a claim with a proof of another score', () => {
    const network = withMerge()
    const { task, tree, entries } = settled(network, merging, { [adapter.toString()]: third, [second.toString()]: 2n * third + 1n })
    const [claim] = claimsOf(tree, entries, [adapter])

    expect(network.try(developer, { kind: 'claim', task, claims: [{ ...claim, score: claim.score + 1n }] })).to.equal('ERR_CLAIM')
  })
})

interface Settled { task: Hash, tree: ScoreTree, entries: CID[] }

/** A task of the merge that a committee settles with these scores; 0 for what is not named. */
function settled (network: Network, { adapter: merged, parents }: Merging, scores: Record<string, bigint>): Settled {
  const channel = openChannel(network)
  const id = taskId(CHAIN, readChain(network.state).epoch, merged)

  network.must([gateway, { ...redeemBody(channel, FEES), batches: [{ adapter: merged, receiptsRoot: hash('receipts'), receipts: 1, fees: FEES }] } as TransactionBody])
  network.until(() => network.task(id).phase === 'commit')

  const entries = sorted([...readAdapter(network.state, merged)?.contributions ?? [], ...parents.map(one => one.adapter)])
  const tree = scoreTree({ type: 'scores', version: 1, adapter: merged, method: 'merged', engine: 'datanet-engine/1', entries: entries.map(contribution => ({ contribution, score: scores[contribution.toString()] ?? 0n })) })
  const seats = assessors.map(who => ({ who, salt: hash('salt', who.account), trace: traceTree(who.account, [hash('receipt')]) }))
  const { root: scoreRoot, total } = tree

  network.must(...seats.map(({ who, salt, trace }): Request => [who, {
    kind: 'commit',
    task: id,
    fees: network.task(id).fees,
    commit: assessmentCommit({ chain: CHAIN, epoch: network.task(id).epoch, task: id, scoreRoot, total, traceRoot: trace.root, traceLength: trace.length, salt, assessor: who.account })
  }]))
  network.must(...seats.map(({ who, salt, trace }): Request => [who, { kind: 'reveal', task: id, scoreRoot, total, traceRoot: trace.root, traceLength: trace.length, salt }]))
  network.must(...seats.map(({ who, trace }): Request => [who, { kind: 'open', task: id, openings: network.task(id).openings.map(index => trace.open(index)) }]))
  network.until(() => network.task(id).phase === 'settled')

  return { task: id, tree, entries }
}

function claimsOf (tree: ScoreTree, entries: CID[], wanted: CID[]): Array<ReturnType<ScoreTree['claim']>> {
  return wanted.map(one => tree.claim(entries.findIndex(entry => entry.equals(one))))
}
