import { expect } from 'aegir/chai'
import { readAdapter, readChain } from '../../src/ledger/index.ts'
import { assessmentCommit, scoreTree, taskId, traceTree } from '../../src/scoring/index.ts'
import { hash, rawCid, utf8 } from '../../src/wire/index.ts'
import { adapter, admitAdapter, alice, assessors, attestBody, base, baseDeveloper, bob, CHAIN, cid, developer, gateway, Network, OPEN, openChannel, redeemBody, treasury, validators } from './network.ts'
import type { Request } from './network.ts'
import type { Hash, TransactionBody } from '../../src/interface/index.ts'

const FEES = 8_000_000_000_000_000_003n
const imported = cid('imported')
const weights = rawCid(utf8('weights of elsewhere'))
const importing: TransactionBody = { kind: 'import-adapter', adapter: imported, base, weights }

function attestAll (network: Network, subject = imported, verdict: 'admit' | 'reject' = 'admit'): void {
  network.must(...validators.slice(0, 3).map((who): Request => [who, attestBody(network.state, subject, verdict)]))
}

function withImported (): Network {
  const network = new Network()

  admitAdapter(network)
  network.must([alice, importing])
  attestAll(network)

  return network
}

describe('imported adapters', () => {
  it('are admitted by validators without any contribution, and give the deposit back', () => {
    const network = withImported()

    expect(readAdapter(network.state, imported)).to.deep.include({ status: 'admitted', snapshot: null, contributions: [], deposit: 0n })
    expect(readAdapter(network.state, imported)?.weights?.toString()).to.equal(weights.toString())
    expect(network.balance(alice)).to.equal(10_000n * OPEN)
  })

  it('need a known base, a new CID and weights that no other import has', () => {
    const network = withImported()

    expect(network.try(bob, importing)).to.equal('ERR_ADAPTER_EXISTS')
    expect(network.try(bob, { ...importing, adapter })).to.equal('ERR_ADAPTER_EXISTS')
    expect(network.try(bob, { ...importing, adapter: cid('copy') })).to.equal('ERR_WEIGHTS_EXIST')
    expect(network.try(bob, { ...importing, adapter: cid('copy'), weights: rawCid(utf8('other')), base: cid('nothing') })).to.equal('ERR_BASE_UNKNOWN')
    expect(network.try(bob, { ...importing, adapter: cid('own'), weights: rawCid(utf8('own weights')) })).to.equal('ok')
  })

  it('lose the deposit and free their weights when they are rejected', () => {
    const network = new Network()

    network.must([alice, importing])
    attestAll(network, imported, 'reject')

    expect(network.balance(treasury)).to.equal(2n * OPEN)
    expect(network.try(bob, { ...importing, adapter: cid('honest import') })).to.equal('ok')
  })

  it('lock no share of the data away for scores that seats made up', () => {
    const network = withImported()
    const channel = openChannel(network)
    const task = taskId(CHAIN, readChain(network.state).epoch, imported)

    network.must([gateway, { ...redeemBody(channel, FEES), batches: [{ adapter: imported, receiptsRoot: hash('receipts'), receipts: 1, fees: FEES }] } as TransactionBody])
    network.until(() => network.task(task).phase === 'commit')
    replay(network, task, 14n)

    expect(network.task(task)).to.deep.include({ phase: 'settled', total: 14n, dataPool: 0n })
  })

  it('leave the share of the data to the treasury, whoever imported them', () => {
    const network = withImported()
    const channel = openChannel(network)
    const task = taskId(CHAIN, readChain(network.state).epoch, imported)
    const before = network.balance(treasury)

    network.must([gateway, { ...redeemBody(channel, FEES), batches: [{ adapter: imported, receiptsRoot: hash('receipts'), receipts: 1, fees: FEES }] } as TransactionBody])
    network.until(() => network.task(task).phase === 'commit')
    replay(network, task)

    const developers = FEES / 5n
    const work = assessors.reduce((sum, who) => sum + network.balance(who) - 9_500n * OPEN, 0n) + validators.reduce((sum, who) => sum + network.balance(who), 0n)

    expect(network.task(task)).to.deep.include({ phase: 'settled', total: 0n, dataPool: 0n })
    expect(network.balance(alice) - 10_000n * OPEN).to.equal(developers - developers / 2n)
    expect(network.balance(baseDeveloper)).to.equal(developers / 2n)
    expect(network.balance(treasury) - before).to.equal(FEES - developers - work)
    expect(Number(network.balance(treasury) - before)).to.be.above(Number(FEES) * 0.59)
  })
})

describe('deprecation', () => {
  const deprecate: TransactionBody = { kind: 'deprecate-adapter', adapter, reason: 'trained on half of the speeches', successor: imported }

  it('is written by the developer alone, and changes nothing but what is said', () => {
    const network = withImported()
    const before = readAdapter(network.state, adapter)

    expect(network.try(alice, deprecate)).to.equal('ERR_NOT_DEVELOPER')
    expect(network.try(developer, deprecate)).to.equal('ok')

    const { deprecated, ...rest } = readAdapter(network.state, adapter) ?? expect.fail()

    expect(rest).to.deep.equal(before)
    expect(deprecated).to.deep.include({ reason: 'trained on half of the speeches', height: network.state.height })
    expect(deprecated?.successor?.toString()).to.equal(imported.toString())
  })

  it('names only another adapter that is admitted, or none', () => {
    const network = withImported()

    network.must([bob, { ...importing, adapter: cid('pending'), weights: rawCid(utf8('pending')) }])
    expect(network.try(developer, { ...deprecate, successor: adapter })).to.equal('ERR_SUCCESSOR')
    expect(network.try(developer, { ...deprecate, successor: cid('pending') })).to.equal('ERR_SUCCESSOR')
    expect(network.try(developer, { ...deprecate, successor: cid('nothing') })).to.equal('ERR_SUCCESSOR')
    expect(network.try(developer, { ...deprecate, adapter: cid('nothing') })).to.equal('ERR_ADAPTER_UNKNOWN')
    expect(network.try(developer, { ...deprecate, successor: null })).to.equal('ok')
  })

  it('leaves a deprecated adapter on sale', () => {
    const network = withImported()

    network.must([developer, { ...deprecate, successor: null }])

    const channel = openChannel(network)

    expect(network.try(gateway, redeemBody(channel, FEES))).to.equal('ok')
  })
})

/** A committee that replays one receipt and has nothing to score. */
function replay (network: Network, task: Hash, total = 0n): void {
  const { root: scoreRoot } = scoreTree({ type: 'scores', version: 1, adapter: imported, method: 'none', engine: 'datanet-engine/1', entries: [] })
  const seats = assessors.map(who => ({ who, salt: hash('salt', who.account), trace: traceTree(who.account, [hash('receipt')]) }))

  network.must(...seats.map(({ who, salt, trace }): Request => [who, {
    kind: 'commit',
    task,
    fees: network.task(task).fees,
    commit: assessmentCommit({ chain: CHAIN, epoch: network.task(task).epoch, task, scoreRoot, total, traceRoot: trace.root, traceLength: trace.length, salt, assessor: who.account })
  }]))
  network.must(...seats.map(({ who, salt, trace }): Request => [who, { kind: 'reveal', task, scoreRoot, total, traceRoot: trace.root, traceLength: trace.length, salt }]))
  network.must(...seats.map(({ who, trace }): Request => [who, { kind: 'open', task, openings: network.task(task).openings.map(index => trace.open(index)) }]))
  network.until(() => network.task(task).phase === 'settled')
}
