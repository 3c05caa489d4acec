import { FRONTIER_STATES_MAX, LOOK_AHEAD_STEPS, STEPS_PER_TOKEN, SUBTREE_TOKENS_MIN } from './constants.ts'
import type { Automaton, State } from './automaton.ts'
import type { KindTrie } from './kind-trie.ts'
import type { Vocabulary } from './vocabulary.ts'

/**
 * The tokens that a text may go on with, as bits by id. Where the text may end, or no token goes on,
 * the end is allowed. What is below a node is refused at once where the text does not get there, and
 * taken at once where nothing below can stop it.
 */
export function maskOf ({ size, eos }: Pick<Vocabulary, 'size' | 'eos'>, trie: KindTrie, automaton: Automaton, state: State): Uint32Array {
  const { kind, level, skip, start, ids } = trie
  const mask = new Uint32Array((size + 31) >>> 5)
  const path: State[] = [state]
  const budget = { steps: LOOK_AHEAD_STEPS }
  let count = 0

  for (let node = 1; node < kind.length;) {
    const next = automaton.stepKind(path[level[node] - 1], kind[node])

    if (next === null) {
      node = skip[node]
      continue
    }

    const tokens = start[skip[node]] - start[node]
    let behind = node + 1

    if (tokens >= SUBTREE_TOKENS_MIN && budget.steps > 0 && takesAll(trie, node, automaton, next, budget)) {
      behind = skip[node]
      budget.steps += tokens * STEPS_PER_TOKEN
    }

    for (let i = start[node]; i < start[behind]; i++) {
      mask[ids[i] >>> 5] |= 1 << (ids[i] & 31)
    }

    count += start[behind] - start[node]
    path[level[node]] = next
    node = behind
  }

  if (state.final || count === 0) {
    mask[eos >>> 5] |= 1 << (eos & 31)
  }

  return mask
}

/**
 * Whether a text may go on from a state with whatever is below a node: with the kinds that are there,
 * in any order, for as many bytes as there are. Says no as well where it would take long to see, as in
 * the middle of a character, and when the steps of the budget are used up.
 */
function takesAll ({ depth, below, words }: KindTrie, node: number, automaton: Automaton, state: State, budget: { steps: number }): boolean {
  const kinds = [...kindsIn(below.subarray(node * words, (node + 1) * words))]
  const met = new Set([state])
  let frontier = [state]

  for (let left = depth[node]; left > 0 && frontier.length > 0; left--) {
    const further = new Set<State>()

    for (const from of frontier) {
      for (const kind of kinds) {
        const next = automaton.stepKind(from, kind)

        if (next === null || further.size > FRONTIER_STATES_MAX || --budget.steps < 0) {
          return false
        }

        if (!met.has(next)) {
          further.add(next)
        }
      }
    }

    further.forEach(one => met.add(one))
    frontier = [...further]
  }

  return true
}

function * kindsIn (set: Uint32Array): Generator<number> {
  for (const [word, bits] of set.entries()) {
    for (let left = bits; left !== 0; left &= left - 1) {
      yield word * 32 + 31 - Math.clz32(left & -left)
    }
  }
}
