import { random } from './random.ts'
import type { Scenario } from './interface.ts'

/**
 * One validator is out of reach for some turns and comes back at any moment of a view, on a network
 * that is well but slower on some ways than on others: when its turn comes, some have just given
 * it up and some have just voted for its block.
 *
 * @param seed - draws who, when and which ways are slow
 * @param n - validators of equal stake
 * @param dead - whether another one never says anything
 */
export const returning = (seed: number, n: number, dead = false): Scenario => {
  const dice = random(seed ^ 0xbacc)
  const sleeper = dice.below(n)
  const backMs = dice.between(20_000, 26_000)
  const lagsMs = Array.from({ length: n * n }, () => dice.chance(300) ? dice.between(0, 400) : 0)

  return {
    seed,
    stakes: new Array<bigint>(n).fill(1n),
    villains: dead ? { [(sleeper + dice.between(1, n - 1)) % n]: 'silent' } : {},
    crashes: false,
    chaosMs: 0,
    calmMs: 45_000,
    pausesFromMs: backMs,
    timeouts: { silentTimeoutMs: 300 },
    lagMs: (from, to) => lagsMs[from * n + to],
    cut: (from, to, nowMs) => nowMs > 5_000 && nowMs < backMs && (from === sleeper || to === sleeper)
  }
}

/** One validator hears all and is heard by one other only: its blocks get votes, and never enough. */
export const mumbling = (seed: number, n: number): Scenario => {
  const speaker = random(seed ^ 0xbacc).below(n)
  const listener = (speaker + 1) % n

  return {
    seed,
    stakes: new Array<bigint>(n).fill(1n),
    villains: {},
    crashes: false,
    chaosMs: 0,
    calmMs: 40_000,
    // the first missed turn costs the whole timeout of a leader
    pausesFromMs: 15_000,
    cut: (from, to) => from === speaker && to !== listener
  }
}
