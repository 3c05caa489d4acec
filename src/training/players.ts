import { trainingPlan } from '../models/index.ts'
import { nearDuplicates } from '../scoring/index.ts'
import { COMPARED_TOKENS_MIN } from './constants.ts'
import { TrainingInputError } from './errors.ts'
import type { AssessOptions, TrainingComponents } from './interface.ts'
import type { Recipe, Snapshot } from '../interface/index.ts'
import type { Examples, TrainingPlan } from '../models/index.ts'
import type { CID } from 'multiformats/cid'

/** The data of a run: what each example is compared by, and its contribution, as an index into the snapshot. */
export interface Cut {
  snapshot: Snapshot
  compared: Uint32Array[]
  groups: Uint32Array
}

/**
 * What makes examples near duplicates: their tokens that count in the loss, so that conversations are
 * not taken for copies because they share a system prompt; all tokens where few count.
 */
export function comparedTokens ({ examples, lossMasks }: Pick<Examples, 'examples' | 'lossMasks'>): Uint32Array[] {
  return examples.map((tokens, i) => {
    const counted = tokens.filter((_, at) => lossMasks?.[i][at] !== 0)

    return counted.length < COMPARED_TOKENS_MIN ? tokens : counted
  })
}

/**
 * Which example stands for which: near duplicates are one player, and the earliest commitment wins.
 * Contributions in the order of their heights, then of their places in their Datanets, then of their
 * CIDs; those that are not on the ledger come last.
 *
 * @returns undefined where nobody says when contributions were committed: each example stands for itself
 */
export function representativesOf ({ snapshot, compared, groups }: Cut, { commitmentOf }: Pick<AssessOptions, 'commitmentOf'>): Uint32Array | undefined {
  if (commitmentOf === undefined) {
    return undefined
  }

  const order = byCommitment(snapshot.contributions, commitmentOf)
  const places = new Uint32Array(order.length)

  order.forEach((contribution, place) => { places[contribution] = place })

  return nearDuplicates(compared, groups, places)
}

/** Indexes of contributions, the earliest commitment first; those that are not on the ledger come last. */
export function byCommitment (contributions: readonly CID[], commitmentOf: AssessOptions['commitmentOf']): number[] {
  const commitments = contributions.map(cid => commitmentOf?.(cid) ?? { height: Infinity, index: 0 })

  return commitments.map((_, i) => i).sort((a, b) => {
    const [first, second] = [commitments[a], commitments[b]]

    return first.height === second.height ? first.index - second.index || a - b : first.height - second.height
  })
}

/**
 * The plan of a run, and the examples that it leaves out because they nearly repeat earlier ones.
 *
 * @throws {TrainingInputError} when near duplicates are to be dropped and a contribution's place on the ledger is not known
 */
export function planOf (recipe: Recipe, run: Cut, { commitmentOf }: Pick<TrainingComponents, 'commitmentOf'>): { plan: TrainingPlan, dropped: ReadonlySet<number> } {
  const { compared, snapshot } = run

  if (recipe.duplicates === 'keep') {
    return { plan: trainingPlan(recipe, compared.length), dropped: new Set() }
  }

  const unknown = snapshot.contributions.find(cid => commitmentOf?.(cid) === undefined)

  // one contribution alone is in order
  if (unknown !== undefined && snapshot.contributions.length > 1) {
    throw new TrainingInputError(`the recipe leaves out near duplicates of earlier commitments, but contribution ${unknown} is not on the ledger that this node knows: wait until it is synced, or choose a recipe that keeps near duplicates`)
  }

  const representatives = representativesOf(run, { commitmentOf: cid => commitmentOf?.(cid) })
  const kept = Uint32Array.from(compared.keys()).filter(i => representatives === undefined || representatives[i] === i)
  const plan = trainingPlan(recipe, kept.length)

  return {
    plan: { ...plan, batches: plan.batches.map(batch => batch.map(i => kept[i])) },
    dropped: new Set([...compared.keys()].filter(i => representatives !== undefined && representatives[i] !== i))
  }
}
