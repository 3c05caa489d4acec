import assert from 'node:assert/strict'
import { proposalInput } from '../../src/consensus/index.ts'
import { headerHash } from '../../src/wire/index.ts'
import { GENESIS, NOTHING, bench, certificate, header, ofType, proposal, vote, votesIn } from './harness.ts'
import type { Header } from '../../src/interface/index.ts'

/** Of the set of all machines here: a header with another one ends the era. */
const validatorsHash = new Uint8Array(32)
const last: Header = { ...header(4, 1, 1, GENESIS), validatorsHash: new Uint8Array(32).fill(1) }
const hash = headerHash(last)

describe('the last block of an era', () => {
  it('is proposed again by the next leader, with its notarization, instead of a child', () => {
    const machine = bench(4, 2, { validatorsHash })

    machine.give(proposal(4, last))
    machine.give({ type: 'verified', hash, valid: true })
    const effects = [...machine.give({ type: 'certificate', certificate: certificate(4, 'notarize', 1, hash) }), ...machine.pass(1_500)]

    assert.deepEqual(ofType(effects, 'propose'), [])
    assert.deepEqual(ofType(effects, 'broadcastBlock').map(({ proposal: { header, vote, justification } }) => [header.view, vote.view, justification.map(({ kind, view }) => `${kind} ${view}`)]), [[1, 2, ['notarize 1']]])
    assert.ok(votesIn(effects).includes('notarize 2'))
  })

  it('is voted for again in a later view, and final by a certificate of it; then nothing is left to vote on', () => {
    const machine = bench(4, 0, { validatorsHash })
    const again = { block: { header: last, beaconSignature: new Uint8Array(96), transactions: [] }, vote: vote(2, 'notarize', 2, hash), justification: [certificate(4, 'notarize', 1, hash)] }

    machine.give(proposal(4, last))
    machine.give({ type: 'verified', hash, valid: true })
    const effects = machine.give(proposalInput(again))

    assert.ok(votesIn(effects).includes('notarize 2'), votesIn(effects).join())
    const done = machine.give({ type: 'certificate', certificate: certificate(4, 'finalize', 2, hash) })

    assert.deepEqual(ofType(done, 'finalise').map(({ height, view, direct }) => ({ height, view, direct })), [{ height: 1, view: 1, direct: true }])
    const later = machine.pass(60_000)

    assert.deepEqual([ofType(later, 'propose'), votesIn(later)], [[], []])
    assert.ok(ofType(later, 'broadcastCertificate').some(({ certificate: { kind, view } }) => kind === 'finalize' && view === 2))
  })

  it('is not voted for again without its notarization', () => {
    const machine = bench(4, 0, { validatorsHash })

    machine.give(proposal(4, last))
    machine.give({ type: 'verified', hash, valid: true })
    const effects = [...machine.give({ type: 'certificate', certificate: certificate(4, 'nullify', 1, NOTHING) }),
      ...machine.give(proposalInput({ block: { header: last, beaconSignature: new Uint8Array(96), transactions: [] }, vote: vote(2, 'notarize', 2, hash), justification: [] }))]

    assert.equal(votesIn(effects).includes('notarize 2'), false)
  })

  it('has no child in its era', () => {
    const machine = bench(4, 0, { validatorsHash })
    const child = header(4, 2, 2, hash)

    machine.give(proposal(4, last))
    machine.give({ type: 'verified', hash, valid: true })
    const effects = machine.give(proposal(4, child, [certificate(4, 'notarize', 1, hash)]))

    assert.deepEqual(ofType(effects, 'verify'), [])
    assert.equal(votesIn(effects).includes('notarize 2'), false)
  })

  it('begins the next era: its machine passes over the votes of the last one and repeats its certificate', () => {
    const final = { hash, height: 1, view: 1, certificate: certificate(4, 'finalize', 2, hash) }
    const old = vote(0, 'nullify', 2)
    const machine = bench(4, 0, { validatorsHash: last.validatorsHash, era: 1 }, { final, records: [{ type: 'vote', vote: old }] })

    assert.equal(machine.core.status().view, 2)
    assert.deepEqual(ofType(machine.give({ type: 'vote', from: 1, vote: vote(1, 'nullify', 2) }), 'judge').map(({ verdict }) => verdict), ['ignore'])
    assert.ok(ofType(machine.pass(5_000), 'broadcastCertificate').some(({ certificate: { era, view } }) => era === 0 && view === 2))
    assert.deepEqual(machine.core.certificates(1).map(({ era, kind }) => `${era} ${kind}`), ['0 finalize'])
  })
})

describe('a restored validator', () => {
  it('signs nothing at or below what it may have signed before', () => {
    const machine = bench(4, 0, { signedUpTo: { era: 0, view: 1 } })
    const first = header(4, 1, 1, GENESIS)

    machine.give(proposal(4, first))
    const silent = [...machine.give({ type: 'verified', hash: headerHash(first), valid: true }), ...machine.pass(20_000)]

    assert.deepEqual([votesIn(silent), ofType(silent, 'persist')], [[], []])
    machine.give({ type: 'certificate', certificate: certificate(4, 'nullify', 1, NOTHING) })
    assert.deepEqual(votesIn(machine.pass(20_000)).slice(0, 1), ['nullify 2'])
  })
})

describe('a chain at rest', () => {
  it('makes blocks more slowly, at once when there is something to do, and is more patient with leaders', () => {
    const timeouts = { minBlockIntervalMs: 1_000, restIntervalMs: 3_000, leaderTimeoutMs: 4_000 }
    const machine = bench(4, 1, { timeouts })
    const follower = bench(4, 0, { timeouts })

    const [asked] = ofType(machine.started, 'propose')
    const block = header(4, asked.view, asked.height, asked.parent)

    for (const one of [machine, follower]) {
      one.give({ type: 'pending', transactions: false, work: false })
    }

    machine.give({ type: 'proposed', view: 1, hash: headerHash(block), header: block })

    for (const view of [1, 2, 3, 4]) {
      machine.give({ type: 'certificate', certificate: view === 1 ? certificate(4, 'notarize', 1, headerHash(block)) : certificate(4, 'nullify', view) })
    }

    // view 5 is its own again; the last block came 0 ms ago
    assert.deepEqual(ofType(machine.pass(2_900), 'propose'), [])
    assert.equal(ofType(machine.give({ type: 'pending', transactions: true, work: true }), 'propose').length, 1)
    assert.equal(votesIn(follower.pass(5_900)).length, 0)
    assert.equal(votesIn(follower.pass(200))[0], 'nullify 1')
  })
})
