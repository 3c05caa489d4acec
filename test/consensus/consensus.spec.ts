import assert from 'node:assert/strict'
import { consensus } from '../../src/consensus/index.ts'
import { headerHash } from '../../src/wire/index.ts'
import { fakeBls, fakeSigner } from '../sim/fake-bls.ts'
import { bench, certificate, CHAIN, GENESIS, header, NOTHING, ofType, proposal, validatorsOf, verdictIn, vote, votesIn } from './harness.ts'
import type { ConsensusEffect, DurableRecord } from '../../src/consensus/index.ts'

const first = header(4, 1, 1, GENESIS)
const firstHash = headerHash(first)

/** Validator 0 of 4 with the first block proposed and verified. */
const voted = (): { machine: ReturnType<typeof bench>, effects: ConsensusEffect[] } => {
  const machine = bench(4, 0)
  machine.give(proposal(4, first))

  return { machine, effects: machine.give({ type: 'verified', hash: firstHash, valid: true }) }
}

describe('consensus', () => {
  it('finalises alone if it is alone', () => {
    const machine = bench(1, 0)
    const asked = ofType(machine.started, 'propose')[0]
    const block = header(1, asked.view, asked.height, asked.parent)
    const effects = machine.give({ type: 'proposed', view: asked.view, hash: headerHash(block), header: block })

    assert.deepEqual(ofType(effects, 'finalise').map(({ height, direct }) => ({ height, direct })), [{ height: 1, direct: true }])
    assert.equal(machine.core.status().view, 2)
  })

  it('votes for a valid proposal after it was executed, and writes the vote before it sends it', () => {
    const machine = bench(4, 0)
    const asked = machine.give(proposal(4, first))

    assert.equal(verdictIn(asked), 'accept')
    assert.deepEqual(votesIn(asked), [])
    assert.equal(ofType(asked, 'verify').length, 1)

    const effects = machine.give({ type: 'verified', hash: firstHash, valid: true })

    assert.deepEqual(effects.map(({ type }) => type), ['persist', 'sendVote'])
    assert.deepEqual(votesIn(effects), ['notarize 1'])
  })

  it('goes from votes to the final block', () => {
    const { machine } = voted()

    machine.give({ type: 'vote', from: 1, vote: vote(1, 'notarize', 1, firstHash) })
    const notarized = machine.give({ type: 'vote', from: 2, vote: vote(2, 'notarize', 1, firstHash) })

    assert.deepEqual(votesIn(notarized), ['finalize 1'])
    assert.equal(machine.core.status().view, 2)

    machine.give({ type: 'vote', from: 1, vote: vote(1, 'finalize', 1, firstHash) })
    const done = machine.give({ type: 'vote', from: 3, vote: vote(3, 'finalize', 1, firstHash) })

    assert.deepEqual(ofType(done, 'finalise').map(({ height, view, direct }) => ({ height, view, direct })), [{ height: 1, view: 1, direct: true }])
    assert.equal(machine.core.status().final.height, 1)
  })

  it('nullifies at once what does not execute, and names the leader', () => {
    const machine = bench(4, 0)
    machine.give(proposal(4, first))
    const effects = machine.give({ type: 'verified', hash: firstHash, valid: false })

    assert.deepEqual(votesIn(effects), ['nullify 1'])
    assert.deepEqual(ofType(effects, 'penalise').map(({ validator, reason }) => ({ validator, reason })), [{ validator: 1, reason: 'invalid-block' }])
  })

  it('never votes for a block whose parent is not notarized', () => {
    const machine = bench(4, 0)
    machine.give({ type: 'certificate', certificate: certificate(4, 'nullify', 1) })
    machine.give(proposal(4, first))
    const child = header(4, 2, 2, firstHash)
    const effects = machine.give(proposal(4, child, []))

    assert.deepEqual(votesIn(effects), [])
    assert.equal(ofType(effects, 'verify').length, 0)
    assert.equal(ofType(effects, 'requestCertificates').length, 1)
  })

  it('never votes for a block that skips a view which was not nullified', () => {
    const machine = bench(4, 0)
    machine.give(proposal(4, first))
    machine.give({ type: 'verified', hash: firstHash, valid: true })
    machine.give({ type: 'certificate', certificate: certificate(4, 'notarize', 1, firstHash) })

    const rival = header(4, 2, 1, GENESIS)
    const effects = [...machine.give(proposal(4, rival)), ...machine.give({ type: 'verified', hash: headerHash(rival), valid: true })]

    assert.deepEqual(votesIn(effects), [])
  })

  it('takes what a proposal lacks from its justification', () => {
    const machine = bench(4, 0)
    const third = header(4, 3, 1, GENESIS)

    machine.give(proposal(4, third, [certificate(4, 'nullify', 1), certificate(4, 'nullify', 2)]))

    assert.equal(machine.core.status().view, 3)
    assert.deepEqual(votesIn(machine.give({ type: 'verified', hash: headerHash(third), valid: true })), ['notarize 3'])
  })

  it('notarizes what comes late, but does not finalize what it nullified', () => {
    const machine = bench(4, 0)

    assert.ok(votesIn(machine.pass(4000)).includes('nullify 1'))
    machine.give(proposal(4, first))

    assert.deepEqual(votesIn(machine.give({ type: 'verified', hash: firstHash, valid: true })), ['notarize 1'])
    assert.deepEqual(votesIn(machine.give({ type: 'certificate', certificate: certificate(4, 'notarize', 1, firstHash, [1, 2, 3]) })), [])
    assert.equal(machine.core.status().view, 2)
  })

  it('does not nullify what it finalized, not even without the certificate after a restart', () => {
    const machine = bench(4, 0, {}, { records: [{ type: 'vote', vote: vote(0, 'finalize', 1, firstHash) }] })

    machine.give({ type: 'vote', from: 2, vote: vote(2, 'nullify', 1) })
    machine.give({ type: 'vote', from: 3, vote: vote(3, 'nullify', 1) })
    assert.ok(!votesIn(machine.pass(30_000)).includes('nullify 1'))
    assert.equal(machine.core.status().view, 1)
  })

  it('gives a view up when so many did that it cannot be finalized, and not for what a third alone says', () => {
    const { machine } = voted()

    assert.deepEqual(votesIn(machine.give({ type: 'vote', from: 2, vote: vote(2, 'nullify', 1) })), [])
    assert.deepEqual(votesIn(machine.give({ type: 'vote', from: 3, vote: vote(3, 'nullify', 1) })), ['nullify 1'])
    assert.equal(machine.core.status().view, 2)
  })

  it('gives a view up when so many voted for other blocks that its own cannot be notarized', () => {
    const { machine } = voted()

    assert.deepEqual(votesIn(machine.give({ type: 'vote', from: 2, vote: vote(2, 'notarize', 1, GENESIS) })), [])
    assert.deepEqual(votesIn(machine.give({ type: 'vote', from: 3, vote: vote(3, 'notarize', 1, GENESIS) })), ['nullify 1'])
  })

  it('follows a leader that gives its turn up without a block', () => {
    const machine = bench(4, 0)

    assert.deepEqual(votesIn(machine.give({ type: 'vote', from: 1, vote: vote(1, 'nullify', 1) })), ['nullify 1'])
    assert.deepEqual(votesIn(voted().machine.give({ type: 'vote', from: 1, vote: vote(1, 'nullify', 1) })), [])
  })

  it('gives its own turn up after a second if it lacks the parent, and not while it executes it', () => {
    for (const [given, said] of [[false, ['nullify 2']], [true, []]] as const) {
      const machine = bench(4, 2)

      if (given) {
        machine.give(proposal(4, first))
      }

      machine.give({ type: 'certificate', certificate: certificate(4, 'notarize', 1, firstHash) })
      assert.deepEqual(votesIn(machine.pass(999)), [])
      assert.deepEqual(votesIn(machine.pass(1)), said)
    }
  })

  it('gives a proposal its time from when it came', () => {
    const machine = bench(4, 0)

    machine.pass(3900)
    machine.give(proposal(4, first))
    machine.give({ type: 'verified', hash: firstHash, valid: true })
    assert.ok(!votesIn(machine.pass(3999)).includes('nullify 1'))
    assert.ok(votesIn(machine.pass(1)).includes('nullify 1'))
  })

  it('stands by its votes after a restart', () => {
    const { effects } = voted()
    const records: DurableRecord[] = ofType(effects, 'persist').map(({ record }) => record)
    const machine = bench(4, 0, {}, { records })
    const other = header(4, 1, 1, GENESIS, 3)
    const after = [
      ...machine.give(proposal(4, other)),
      ...machine.give({ type: 'verified', hash: headerHash(other), valid: true }),
      ...machine.pass(2000)
    ]

    assert.deepEqual(ofType(after, 'sendVote').map(({ vote }) => vote.blockHash), [firstHash])
  })

  it('finds the false votes of a quorum, names and bars their senders, and goes on without them', () => {
    const machine = bench(10, 0)
    const block = header(10, 1, 1, GENESIS)
    const hash = headerHash(block)
    machine.give(proposal(10, block))
    machine.give({ type: 'verified', hash, valid: true })

    const effects = [2, 3, 4, 5, 6, 7, 8, 9].flatMap(from => {
      const cast = vote(from, 'notarize', 1, hash)

      return machine.give({ type: 'vote', from, vote: from === 3 || from === 6 ? { ...cast, signature: new Uint8Array(96).fill(from) } : cast })
    })

    assert.deepEqual(ofType(effects, 'penalise').map(({ validator }) => validator), [3, 6])
    assert.equal(machine.core.status().view, 2)
    assert.equal(verdictIn(machine.give({ type: 'vote', from: 3, vote: vote(3, 'finalize', 1, hash) })), 'ignore')
  })

  it('shows two signatures of whoever votes twice', () => {
    const machine = bench(4, 0)
    machine.give({ type: 'vote', from: 2, vote: vote(2, 'notarize', 1, firstHash) })
    const [shown] = ofType(machine.give({ type: 'vote', from: 2, vote: vote(2, 'notarize', 1, GENESIS) }), 'evidence')

    assert.equal(shown.evidence.type, 'conflicting-votes')
    machine.give({ type: 'vote', from: 3, vote: vote(3, 'nullify', 1) })
    assert.equal(ofType(machine.give({ type: 'vote', from: 3, vote: vote(3, 'finalize', 1, firstHash) }), 'evidence').length, 1)
  })

  it('accuses nobody without a true signature', () => {
    const machine = bench(4, 0)
    machine.give({ type: 'vote', from: 2, vote: vote(2, 'notarize', 1, firstHash) })
    const effects = machine.give({ type: 'vote', from: 2, vote: { ...vote(2, 'notarize', 1, GENESIS), signature: new Uint8Array(96) } })

    assert.equal(ofType(effects, 'evidence').length, 0)
    assert.equal(ofType(effects, 'penalise').length, 1)
  })

  it('gives a view up at once when its leader signed two blocks', () => {
    const { machine } = voted()

    assert.deepEqual(votesIn(machine.give(proposal(4, header(4, 1, 1, GENESIS, 3)))), ['nullify 1'])
  })

  it('tells gossip what to forward', () => {
    const machine = bench(4, 0)
    const good = proposal(4, first)

    assert.equal(verdictIn(machine.give({ ...good, proposal: { ...good.proposal, vote: { ...good.proposal.vote, signature: new Uint8Array(96) } } })), 'reject')
    assert.equal(verdictIn(machine.give(proposal(4, { ...first, proposer: new Uint8Array(32) }))), 'reject')
    assert.equal(verdictIn(machine.give(proposal(4, header(4, 30, 1, GENESIS)))), 'ignore')
    assert.equal(verdictIn(machine.give(good)), 'accept')
    assert.equal(verdictIn(machine.give(good)), 'ignore')
    assert.equal(verdictIn(machine.give({ type: 'certificate', certificate: certificate(4, 'nullify', 1, NOTHING, [1, 2]) })), 'reject')
    assert.equal(verdictIn(machine.give({ type: 'vote', from: 3, vote: vote(2, 'nullify', 1) })), 'reject')
    assert.equal(verdictIn(machine.give({ type: 'block', hash: GENESIS, header: first })), 'ignore')
  })

  it('asks for a missing block once a second, not with every message', () => {
    const machine = bench(4, 0)
    machine.give({ type: 'certificate', certificate: certificate(4, 'finalize', 1, firstHash) })
    const asked = [...machine.pass(3100)]

    for (let from = 1; from < 4; from++) {
      asked.push(...machine.give({ type: 'vote', from, vote: vote(from, 'nullify', 2) }))
    }

    assert.equal(ofType(asked, 'requestBlock').length, 3)
    assert.deepEqual(ofType(machine.give({ type: 'block', hash: firstHash, header: first }), 'finalise').map(({ height }) => height), [1])
  })

  it('asks each of those who have a block first in turn', () => {
    for (const n of [4, 9, 12]) {
      const machine = bench(n, null)
      machine.give({ type: 'certificate', certificate: certificate(n, 'finalize', 1, firstHash) })
      const asked = ofType(machine.pass(1_000 * n), 'requestBlock').map(({ peers }) => peers[0])

      assert.deepEqual(new Set(asked.slice(0, n)), new Set(Array.from({ length: n }, (_, i) => i)))
    }
  })

  it('asks again for a block that its driver lost, blames nobody for it, and votes when it is back', () => {
    const machine = bench(4, 0)
    machine.give(proposal(4, first))
    const lost = [...machine.give({ type: 'absent', hash: firstHash }), ...machine.pass(300)]

    assert.deepEqual(ofType(lost, 'requestBlock').map(({ hash }) => hash), [firstHash])
    assert.deepEqual(ofType(lost, 'penalise'), [])
    assert.deepEqual(votesIn(lost), [])
    assert.equal(ofType(machine.give({ type: 'block', hash: firstHash, header: first }), 'verify').length, 1)
    assert.deepEqual(votesIn(machine.give({ type: 'verified', hash: firstHash, valid: true })), ['notarize 1'])
  })

  it('asks to sync when the newest final block is far above', () => {
    const machine = bench(4, null)
    const far = header(4, 60, 50, firstHash)
    const hash = headerHash(far)
    const finalize = certificate(4, 'finalize', 60, hash)

    machine.give({ type: 'certificate', certificate: finalize })
    machine.pass(1000)
    const [sync] = ofType(machine.give({ type: 'block', hash, header: far }), 'sync')

    assert.equal(sync.height, 50)
    machine.give({ type: 'synced', hash, height: 50, view: 60, certificate: finalize })
    assert.deepEqual(machine.core.status().final, { hash, height: 50, view: 60, certificate: finalize })
    assert.equal(machine.core.status().view, 61)
  })

  it('proposes after a pause when idle, soon when there is work, on the notarized parent', () => {
    for (const [transactions, pauseMs] of [[false, 1000], [true, 250]] as const) {
      const machine = bench(4, 2)
      machine.give({ type: 'pending', transactions })
      machine.nowMs += 100
      machine.give(proposal(4, first))
      machine.give({ type: 'verified', hash: firstHash, valid: true })
      machine.give({ type: 'certificate', certificate: certificate(4, 'notarize', 1, firstHash) })

      assert.equal(ofType(machine.pass(pauseMs - 1), 'propose').length, 0)
      assert.deepEqual(ofType(machine.pass(1), 'propose'), [{ type: 'propose', view: 2, height: 2, parent: firstHash }])
    }
  })

  it('waits longer with every nullified view, and hardly at all for a leader that is known to be silent', () => {
    const machine = bench(4, 0)
    const patience: number[] = []

    // validators 1, 2 and 3 vote, so only their own silence as leaders counts; then validator 1 falls silent
    for (let view = 1; view <= 3; view++) {
      const enteredMs = machine.nowMs
      machine.nowMs += 10
      machine.give({ type: 'vote', from: view, vote: vote(view, 'notarize', view, firstHash) })
      machine.nowMs -= 10

      while (!votesIn(machine.pass(10)).includes(`nullify ${view}`)) { /* until it gives up */ }

      patience.push(machine.nowMs - enteredMs)
      machine.give({ type: 'certificate', certificate: certificate(4, 'nullify', view) })
    }

    assert.deepEqual(patience, [4000, 6000, 9000])

    const quiet = bench(4, 0)
    quiet.pass(4000)
    quiet.give({ type: 'certificate', certificate: certificate(4, 'nullify', 1) })
    assert.deepEqual(quiet.core.status().silent, [1])
    quiet.give({ type: 'certificate', certificate: certificate(4, 'nullify', 4) })
    assert.equal(quiet.core.status().leader, 1)
    assert.ok(votesIn(quiet.pass(1000)).includes('nullify 5'))
  })

  it('does not blame the leader when this machine itself was asleep', () => {
    const machine = bench(4, 0)
    machine.nowMs += 9000

    assert.deepEqual(votesIn(machine.give({ type: 'tick' })), [])
    machine.give(proposal(4, first))
    assert.deepEqual(votesIn(machine.give({ type: 'verified', hash: firstHash, valid: true })), ['notarize 1'])
  })

  it('asks what is final if views go by by proposals alone', () => {
    const machine = bench(4, null)
    const asked: ConsensusEffect[] = []
    let parent: Uint8Array = GENESIS

    for (let view = 1; view <= 10; view++) {
      const next = header(4, view, view, parent)
      asked.push(...machine.give(proposal(4, next, view === 1 ? [] : [certificate(4, 'notarize', view - 1, parent)])), ...machine.pass(1_000))
      parent = headerHash(next)
    }

    assert.equal(machine.core.status().view, 10)
    assert.equal(ofType(asked, 'requestCertificates').length, 1)
    assert.equal(ofType(machine.give({ type: 'certificate', certificate: certificate(4, 'finalize', 10, parent) }), 'finalise').length, 10)
    assert.deepEqual(ofType(machine.pass(1_000), 'requestCertificates'), [])
  })

  it('answers peers with the newest finalize certificate and what is above it', () => {
    const { machine } = voted()
    machine.give({ type: 'certificate', certificate: certificate(4, 'finalize', 1, firstHash) })
    machine.give({ type: 'certificate', certificate: certificate(4, 'nullify', 2) })
    machine.give({ type: 'certificate', certificate: certificate(4, 'nullify', 3) })

    assert.deepEqual(machine.core.certificates(3).map(({ kind, view }) => `${kind} ${view}`), ['finalize 1', 'nullify 3'])
  })

  it('refuses a configuration that cannot work, and a driver that does not start it', () => {
    const config = { chain: CHAIN, validators: validatorsOf(4), self: 0, bls: fakeBls, signer: fakeSigner(0) }

    assert.throws(() => consensus({ ...config, validators: [] }), { code: 'ERR_CONSENSUS_CONFIG' })
    assert.throws(() => consensus({ ...config, signer: undefined }), { code: 'ERR_CONSENSUS_CONFIG' })
    assert.throws(() => consensus({ ...config, signer: fakeSigner(1) }), { code: 'ERR_CONSENSUS_CONFIG' })
    assert.throws(() => consensus({ ...config, self: 4 }), { code: 'ERR_CONSENSUS_CONFIG' })
    assert.throws(() => consensus({ ...config, timeouts: { minBlockIntervalMs: 3000 } }), { code: 'ERR_CONSENSUS_CONFIG' })
    assert.throws(() => consensus(config).step({ type: 'tick' }, 0), { code: 'ERR_CONSENSUS_DRIVER' })
  })
})
