import { trainingPlan } from '../models/index.ts'
import { COMPARED_TOKENS_MIN } from './constants.ts'
import { TrainingInputError } from './errors.ts'
import type { AssessOptions, TrainingComponents } from './interface.ts'
import type { AbortOptions, Recipe, Snapshot } from '../interface/index.ts'
import type { Examples, TrainingPlan } from '../models/index.ts'
import type { CID } from 'multiformats/cid'

/** The examples of a run as far as they may repeat each other. */
export interface Players {
  snapshot: Snapshot
  pool: {
    readonly cutExamples: number
    /** the example that stands for each, by the places of contributions in the order of commitment */
    representatives (places: Uint32Array, options?: AbortOptions): Promise<Uint32Array>
  }
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
export async function representativesOf ({ snapshot, pool }: Players, { commitmentOf, signal }: Pick<AssessOptions, 'commitmentOf' | 'signal'>): Promise<Uint32Array | undefined> {
  if (commitmentOf === undefined) {
    return undefined
  }

  const order = byCommitment(snapshot.contributions, commitmentOf)
  const places = new Uint32Array(order.length)

  order.forEach((contribution, place) => { places[contribution] = place })

  return pool.representatives(places, { signal })
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
export async function planOf (recipe: Recipe, run: Players, { commitmentOf }: Pick<TrainingComponents, 'commitmentOf'>, { signal }: AbortOptions): Promise<{ plan: TrainingPlan, dropped: ReadonlySet<number> }> {
  const { pool: { cutExamples }, snapshot } = run

  if (recipe.duplicates === 'keep') {
    return { plan: trainingPlan(recipe, cutExamples), dropped: new Set() }
  }

  const unknown = snapshot.contributions.find(cid => commitmentOf?.(cid) === undefined)

  // one contribution alone is in order
  if (unknown !== undefined && snapshot.contributions.length > 1) {
    throw new TrainingInputError(`the recipe leaves out near duplicates of earlier commitments, but contribution ${unknown} is not on the ledger that this node knows: wait until it is synced, or choose a recipe that keeps near duplicates`)
  }

  const representatives = await representativesOf(run, { commitmentOf: cid => commitmentOf?.(cid), signal })
  const examples = Uint32Array.from({ length: cutExamples }, (_, i) => i)
  const kept = examples.filter(i => representatives === undefined || representatives[i] === i)
  const plan = trainingPlan(recipe, kept.length)

  return {
    plan: { ...plan, batches: plan.batches.map(batch => batch.map(i => kept[i])) },
    dropped: new Set(examples.filter(i => representatives !== undefined && representatives[i] !== i))
  }
}
