import assert from 'node:assert/strict'
import { mutate } from './mutants.ts'
import { mumbling, returning } from './returning.ts'
import { drawEras, simulate, tryEras, trySeed } from './simulator.ts'
import type { Scenario, Villain } from './interface.ts'
import type { Mutant } from './mutants.ts'

/** Rules without which consensus is unsafe or stuck. If one of these passes, the simulator is blind. */
const MUTANTS: Array<Mutant & { seeds: number }> = [
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

/** Rules of the change from one set of validators to the next. */
const ERA_MUTANTS: Array<Mutant & { from: number, seeds: number, villain?: Villain }> = [
  // one in some hundred seeds has such a leader just after a last block that was notarized and not final
  { name: 'an era that goes on after its last block', file: 'tree.ts', find: 'parent.view >= header.view || parent.last', replace: 'parent.view >= header.view', from: 221, seeds: 1, villain: 'overrunner' },
  { name: 'a last block that is not proposed again', file: 'rules.ts', find: "if (choice.type === 'again') {\n", replace: "if (choice.type === 'again') {\n    return\n", from: 1, seeds: 60 },
  { name: 'proposals of the last era held against who passes them on', file: 'proposals.ts', find: 'vote.era !== config.era', replace: 'vote.era > config.era', from: 1, seeds: 60 },
  { name: 'votes of another era restored', file: 'start.ts', find: "record.type === 'vote' && record.vote.era === config.era &&", replace: "record.type === 'vote' &&", from: 1, seeds: 30 },
  { name: 'certificates of another era restored', file: 'start.ts', find: "record.type === 'certificate' && record.certificate.era === config.era &&", replace: "record.type === 'certificate' &&", from: 1, seeds: 30 },
  { name: 'votes of another era counted', file: 'tally.ts', find: 'if (vote.era !== config.era) {', replace: 'if (vote.era < 0) {', from: 1, seeds: 30 }
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

/** Whether any of so many seeds shows that something is wrong. */
const isNoticed = async (mutant: Mutant, from: number, seeds: number, attempt: (seed: number, change: Partial<Scenario>) => string[]): Promise<boolean> => {
  const { machine, remove } = await mutate(mutant)

  try {
    return Array.from({ length: seeds }, (_, i) => from + i).some(seed => attempt(seed, { machine, calmMs: 60_000 }).length > 0)
  } finally {
    await remove()
  }
}

describe('the simulator against broken consensus', () => {
  for (const mutant of MUTANTS) {
    it(`notices ${mutant.name}`, async () => {
      assert.ok(await isNoticed(mutant, 1, mutant.seeds, trySeed), `${mutant.seeds} seeds did not notice it`)
    })
  }

  for (const mutant of ERA_MUTANTS) {
    it(`notices ${mutant.name}`, async () => {
      const { from, seeds, villain } = mutant
      const villainsOf = (seed: number): Scenario['villains'] =>
        Object.fromEntries(Object.entries(drawEras(seed).villains).map(([who, drawn]) => [who, villain ?? drawn]))

      assert.ok(await isNoticed(mutant, from, seeds, (seed, change) => tryEras(seed, { ...change, villains: villainsOf(seed) })), `${seeds} seeds did not notice it`)
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
