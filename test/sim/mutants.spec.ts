import assert from 'node:assert/strict'
import { mutate } from './mutants.ts'
import { mumbling, returning } from './returning.ts'
import { simulate, trySeed } from './simulator.ts'
import type { Scenario } from './interface.ts'
import type { Mutant } from './mutants.ts'

/** Rules without which consensus is unsafe or stuck. If one of these passes, the simulator is blind. */
const MUTANTS: Array<Mutant & { from?: number, seeds: number }> = [
  { name: 'a quorum of half the stake', file: 'certificates.ts', find: '* 2n / 3n + 1n', replace: '/ 2n + 1n', seeds: 10 },
  { name: 'a finalize vote after a nullify vote', file: 'rules.ts', find: 'own.finalize === null && own.nullify === null', replace: 'own.finalize === null', seeds: 20 },
  { name: 'votes that a restart forgets', file: 'start.ts', find: 'viewState(machine, vote.view).own[vote.kind] = vote', replace: '', seeds: 20 },
  {
    name: 'votes sent before they are written',
    file: 'rules.ts',
    find: "  emit(machine, { type: 'persist', record: { type: 'vote', vote } })\n  announce(vote)\n  emit(machine, { type: 'sendVote', vote })",
    replace: "  announce(vote)\n  emit(machine, { type: 'sendVote', vote })\n  emit(machine, { type: 'persist', record: { type: 'vote', vote } })",
    seeds: 5
  },
  { name: 'no nullify votes', file: 'rules.ts', find: 'machine.state.nowMs >= nullifyAtMs(machine)', replace: 'false', seeds: 10 },
  {
    name: 'nothing sent twice',
    file: 'rules.ts',
    find: '  if (config.self === null) {\n    return\n  }\n\n  for (const certificate of',
    replace: '  if (config.self !== undefined) {\n    return\n  }\n\n  for (const certificate of',
    seeds: 20
  },
  { name: 'votes for blocks that were not executed', file: 'rules.ts', find: "verdict.type === 'yes' && block.status === 'valid'", replace: "verdict.type === 'yes'", seeds: 20 },
  { name: 'signatures taken on trust', file: 'tally.ts', find: 'voteBytes(config.chain, votes[0].vote), signature) ? signature : null', replace: 'voteBytes(config.chain, votes[0].vote), signature) ? signature : signature', seeds: 30 },
  { name: 'certificates taken on trust', file: 'tally.ts', find: 'if (!certificateValid(certificate, config.validators, config.bls, config.chain)) {', replace: 'if (certificate.view < 0) {', seeds: 30 }
]

/** Rules without which consensus goes on, but only after a timeout that nobody had to wait for. */
const SLOW_MUTANTS: Array<Mutant & { scenario: Scenario, pauseMsMax: number }> = [
  {
    name: 'no notarize vote after a nullify vote',
    file: 'rules.ts',
    find: 'current.own.notarize !== null || current.equivocated) {',
    replace: 'current.own.notarize !== null || current.own.nullify !== null || current.equivocated) {',
    scenario: returning(8, 4, true),
    pauseMsMax: 5_000
  },
  {
    name: 'waiting for a view that cannot be finalized any more',
    file: 'pacing.ts',
    find: 'against > spare',
    replace: 'false',
    scenario: mumbling(1, 4),
    pauseMsMax: 3_000
  },
  {
    name: 'waiting for a leader that gave up itself',
    file: 'pacing.ts',
    find: 'proposal === null && votes.nullify.has(leader(machine, state.view))',
    replace: 'false',
    scenario: returning(18, 4),
    pauseMsMax: 3_000
  }
]

describe('the simulator against broken consensus', () => {
  for (const mutant of MUTANTS) {
    it(`notices ${mutant.name}`, async () => {
      const { machine, remove } = await mutate(mutant)

      try {
        let noticed = false

        for (let seed = 1; seed <= mutant.seeds && !noticed; seed++) {
          noticed = trySeed(seed, { machine, calmMs: 60_000 }).length > 0
        }

        assert.ok(noticed, `${mutant.seeds} seeds did not notice it`)
      } finally {
        await remove()
      }
    })
  }

  for (const mutant of SLOW_MUTANTS) {
    it(`notices ${mutant.name}`, async () => {
      const { machine, remove } = await mutate(mutant)
      const { scenario, pauseMsMax } = mutant

      try {
        assert.ok(simulate(scenario).longestPauseMs < pauseMsMax)
        assert.ok(simulate({ ...scenario, machine }).longestPauseMs > pauseMsMax)
      } finally {
        await remove()
      }
    })
  }
})
