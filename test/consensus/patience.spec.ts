import assert from 'node:assert/strict'
import { headerHash } from '../../src/wire/index.ts'
import { bench, certificate, GENESIS, header, proposal, vote, votesIn } from './harness.ts'
import type { Bench } from './harness.ts'

const N = 4

/** Validator 0 of 4, in view `view`, on top of `parent`. */
interface Place {
  machine: Bench
  view: number
  parent: Uint8Array
}

/** One good view: the proposal comes after `proposalMs`, its certificates `certificateMs` later. */
const turn = (place: Place, proposalMs: number, certificateMs: number): void => {
  const { machine, view, parent } = place
  const block = header(N, view, view, parent)
  const hash = headerHash(block)

  if (view % N === 0) {
    machine.pass(200)
    machine.give({ type: 'proposed', view, hash, header: block })
  } else {
    machine.pass(proposalMs)
    machine.give(proposal(N, block, []))
    machine.give({ type: 'verified', hash, valid: true })
  }

  machine.pass(certificateMs)
  machine.give({ type: 'certificate', certificate: certificate(N, 'notarize', view, hash) })
  machine.give({ type: 'certificate', certificate: certificate(N, 'finalize', view, hash) })
  assert.equal(machine.core.status().final.height, view)
  place.view++
  place.parent = hash
}

/** Good views until validator 1, which is heard of, is to lead again. */
const after = (views: number, proposalMs: number, certificateMs: number, minMs?: number): Place => {
  const place = { machine: bench(N, 0, { timeouts: { minBlockIntervalBusyMs: 50, minBlockIntervalMs: 100, timeoutMinMs: minMs ?? 500 } }), view: 1, parent: GENESIS }

  while (place.view <= views) {
    turn(place, proposalMs, certificateMs)
  }

  assert.equal(place.view % N, 1)

  return place
}

/** How long the machine waits until it gives the current view up. */
const untilNullify = ({ machine, view }: Place): number => {
  const enteredMs = machine.nowMs

  while (!votesIn(machine.pass(10)).includes(`nullify ${view}`)) {
    assert.ok(machine.nowMs < enteredMs + 60_000)
  }

  return machine.nowMs - enteredMs
}

describe('patience with leaders', () => {
  it('is the given one until four turns of a leader went well, then twice what they took', () => {
    assert.equal(untilNullify(after(12, 400, 100)), 4000)
    assert.equal(untilNullify(after(16, 400, 100)), 800)
  })

  it('is never less than the least wait, nor more than the given one', () => {
    assert.equal(untilNullify(after(16, 20, 100)), 500)
    assert.equal(untilNullify(after(16, 20, 100, 900)), 900)
    assert.equal(untilNullify(after(16, 3_000, 100)), 4_000)
  })

  it('counts a slow turn at once and forgets it slowly', () => {
    const place = after(16, 300, 100)

    turn(place, 580, 100)
    while (place.view % N !== 1) { turn(place, 300, 100) }
    turn(place, 300, 100)
    while (place.view % N !== 1) { turn(place, 300, 100) }

    // 580, then a quarter of the way down to 300
    assert.equal(untilNullify(place), 2 * Math.ceil((3 * 580 + 300) / 4))
  })

  it('for a certificate is measured from the proposal', () => {
    const place = after(16, 100, 300)
    const { machine, view, parent } = place

    machine.give(proposal(N, header(N, view, view, parent), []))
    assert.equal(untilNullify(place), 600)
  })

  it('is the given one again after a lost turn, and for that leader alone', () => {
    const place = after(16, 100, 100)
    const lost = (): void => {
      const { machine, view } = place
      const leader = view % N

      machine.give({ type: 'vote', from: leader, vote: vote(leader, 'notarize', view + 1, GENESIS) })
      machine.give({ type: 'certificate', certificate: certificate(N, 'nullify', view) })
      place.view++
    }

    assert.equal(untilNullify(place), 500)
    lost()
    // the growth of views lost in a row is on top of what is measured
    assert.equal(untilNullify(place), 750)
    lost()
    lost()
    turnAfterLost(place)
    assert.equal(place.view % N, 1)
    assert.equal(untilNullify(place), 4000)
  })
})

/** This machine's own turn after nullified views: proposed on the last final block. */
const turnAfterLost = (place: Place): void => {
  const { machine, view } = place
  const { height, hash: parent } = machine.core.status().final
  const block = header(N, view, height + 1, parent)
  const hash = headerHash(block)

  machine.pass(200)
  machine.give({ type: 'proposed', view, hash, header: block })
  machine.give({ type: 'certificate', certificate: certificate(N, 'notarize', view, hash) })
  machine.give({ type: 'certificate', certificate: certificate(N, 'finalize', view, hash) })
  assert.equal(machine.core.status().final.height, height + 1)
  place.view++
}
