/**
 * Contributors who try to be paid for more than they give, against the payout rule on real runs.
 * A scene is honest contributors and questions; a villain changes what is contributed.
 */
import { createHash } from 'node:crypto'
import { evaluator, reverseReplay, train } from '../../src/attribution/index.ts'
import { initialTheta, loraObjective, loraShape, trainingPlan } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { contributionScores, nearDuplicates } from '../../src/scoring/index.ts'
import type { Sequence } from './attribution-data.ts'
import type { LlamaModel, Preset } from '../../src/models/index.ts'

export interface Scene {
  model: LlamaModel
  /**
   * Its batch size is not used: every step sees all examples. In smaller batches the order of the
   * examples, which any change of the snapshot deals anew, moves pay more than most villains do.
   */
  recipe: Preset
  /** rows of tokens of each honest contributor */
  honest: Uint32Array[][]
  /** as many rows again that the first one has and does not contribute */
  more: Uint32Array[]
  queries: Sequence[]
}

export interface Contribution {
  owner: string
  rows: Uint32Array[]
}

export interface Villain {
  name: string
  /** what he does, one line for the docs */
  does: string
  /** contributions in their order of commitment, if he plays by the rules */
  before (scene: Scene): Contribution[]
  /** and if he does not */
  after (scene: Scene): Contribution[]
  /** what adds as much honestly, where he adds what nobody has; gain and loss are against it then */
  instead? (scene: Scene): Contribution[]
  /** whose loss is the victim's; the worst honest one where nobody in particular is meant */
  victim?: string
}

/** Payouts as shares of the data pool, by owner. */
export type Shares = Map<string, number>

/**
 * `dropped` is how the network trains and pays: near duplicates of earlier examples take no part.
 * `clustered`: recipes that keep them, near duplicates are one player. `plain` is without clusters.
 */
export type Payouts = Record<'clustered' | 'plain' | 'dropped', Shares>

export interface VillainResult {
  name: string
  does: string
  /** villain's payout against what he is paid if he plays by the rules; what is honest adds as much as he, if anything new */
  gain: number
  /** share of the victim's payout that is gone */
  victimLoss: number
  /** against adding nothing */
  overNothing: { gain: number, victimLoss: number }
  /** by a recipe that keeps near duplicates, with and without clusters */
  kept: { gain: number, victimLoss: number }
  unclustered: { gain: number, victimLoss: number }
}

const ATTACKER = 'honest-0'
const VICTIM = 'honest-1'

const plain = ({ honest }: Scene): Contribution[] => honest.map((rows, i) => ({ owner: `honest-${i}`, rows }))
const also = (rows: (scene: Scene) => Uint32Array[]) => (scene: Scene): Contribution[] => [...plain(scene), { owner: ATTACKER, rows: rows(scene) }]
const total = (rows: Uint32Array[]): number => rows.reduce((sum, row) => sum + row.length, 0)

/** Every n-th token becomes another one of the text: new words in the same place. */
function reworded (rows: Uint32Array[], every: number): Uint32Array[] {
  const random = prng(3)
  const all = rows.flatMap(row => Array.from(row))

  return rows.map(row => row.map((token, i) => i % every === every - 1 ? all[random.nextBelow(all.length)] : token))
}

function split (rows: Uint32Array[], parts: number): Contribution[] {
  return Array.from({ length: parts }, (_, part) => ({ owner: ATTACKER, rows: rows.filter((_, i) => i % parts === part) })).filter(({ rows }) => rows.length > 0)
}

/** As many tokens as the rows have, in an order that says nothing. */
function shuffled (rows: Uint32Array[]): Uint32Array[] {
  const random = prng(4)
  const all = rows.flatMap(row => Array.from(row))
  const order = random.shuffle(all.length)
  let at = 0

  return rows.map(row => row.map(() => all[order[at++]]))
}

const withBad = (scene: Scene): Contribution[] => plain(scene).map(one => one.owner === ATTACKER ? { ...one, rows: [...one.rows, ...shuffled(one.rows)] } : one)

export const VILLAINS: Villain[] = [
  { name: 'copier', does: 'contributes another\'s rows once more', before: plain, after: also(({ honest }) => honest[1]), victim: VICTIM },
  { name: 'paraphraser', does: 'contributes another\'s rows with one token in eight replaced', before: plain, after: also(({ honest }) => reworded(honest[1], 8)), victim: VICTIM },
  { name: 'rewriter', does: 'the same with one token in three replaced', before: plain, after: also(({ honest }) => reworded(honest[1], 3)), victim: VICTIM },
  ...[2, 5, 10].map((parts): Villain => ({ name: `sybil-${parts}`, does: `splits his rows among up to ${parts} identities`, before: plain, after: scene => [...split(scene.honest[0], parts), ...plain(scene).slice(1)] })),
  { name: 'merger', does: 'contributes his own and a friend\'s rows as one', before: scene => plain(scene).map(one => one.owner === 'honest-2' ? { ...one, owner: ATTACKER } : one), after: scene => [{ owner: ATTACKER, rows: [...scene.honest[0], ...scene.honest[2]] }, ...plain(scene).filter((_, i) => i !== 0 && i !== 2)] },
  { name: 'segregator', does: 'keeps his bad rows under another identity', before: withBad, after: scene => [...plain(scene), { owner: ATTACKER, rows: shuffled(scene.honest[0]) }] },
  { name: 'stuffer', does: 'adds one of his rows over and over', before: plain, after: also(({ honest }) => honest[0].map(() => honest[0][0])) },
  { name: 'poisoner', does: 'adds rows of words in random order', before: plain, after: also(({ honest }) => shuffled(honest[0])), instead: also(({ more }) => more) },
  {
    name: 'query-copier',
    does: 'adds the questions that others ask',
    before: plain,
    instead: also(({ more }) => more),
    after: also(({ honest, queries }) => {
      const rows = queries.map(({ tokens, mask }) => tokens.filter((_, i) => mask?.[i] !== 1))

      return rows.slice(0, Math.max(1, Math.ceil(total(honest[0]) / (total(rows) / rows.length))))
    })
  }
]

interface Example {
  tokens: Uint32Array
  contribution: number
}

/** Payouts by each rule; the last takes a run of its own where there is something to drop. */
export async function payoutsOf (scene: Scene, contributions: Contribution[], seed: number): Promise<Payouts> {
  // a snapshot's order is that of its CIDs, which has nothing to do with who came first
  const keys = contributions.map(({ rows }) => createHash('sha256').update(JSON.stringify(rows.map(row => Array.from(row)))).digest('hex'))
  const order = keys.map((_, i) => i).sort((a, b) => Buffer.compare(Buffer.from(keys[a]), Buffer.from(keys[b])) || a - b)
  const examples = order.flatMap((original, contribution) => cut(contributions[original].rows, scene.recipe.sequenceLength).map(tokens => ({ tokens, contribution })))
  const groups = Uint32Array.from(examples, ({ contribution }) => contribution)
  const representatives = nearDuplicates(examples.map(({ tokens }) => tokens), groups, order)
  const owners = order.map(original => contributions[original].owner)
  const exampleScores = await scoresOf(scene, examples, seed)
  const clustered = sharesOf(owners, contributionScores(exampleScores, groups, owners.length, representatives))
  const kept = examples.filter((_, i) => representatives[i] === i)
  const dropped = kept.length === examples.length
    ? clustered
    : sharesOf(owners, contributionScores(await scoresOf(scene, kept, seed), Uint32Array.from(kept, ({ contribution }) => contribution), owners.length))

  return { clustered, plain: sharesOf(owners, contributionScores(exampleScores, groups, owners.length)), dropped }
}

function sharesOf (owners: string[], scores: bigint[]): Shares {
  const sum = scores.reduce((all, score) => all + score, 0n)
  const shares: Shares = new Map()

  scores.forEach((score, c) => { shares.set(owners[c], (shares.get(owners[c]) ?? 0) + Number(score) / Number(sum)) })

  return shares
}

/** Exact scores of all examples for all questions together. */
async function scoresOf (scene: Scene, examples: Example[], seed: number): Promise<Float64Array> {
  const { model } = scene
  const recipe = { ...scene.recipe, batchSize: examples.length, seed }
  const shape = loraShape(model.config, recipe)
  const theta0 = initialTheta(shape, seed)
  const plan = trainingPlan(recipe, examples.length)
  const run = evaluator(loraObjective({ model, shape, examples: examples.map(({ tokens }) => tokens) })())
  let theta = theta0

  for await (const { state } of train(run, plan, { theta0 })) {
    theta = state.theta
  }

  return (await reverseReplay(run, plan, { theta0, cotangent: cotangentOf(scene, theta) })).exampleScores
}

/** All questions weigh the same. */
function cotangentOf ({ model, recipe, queries }: Scene, theta: Float64Array): Float64Array {
  const shape = loraShape(model.config, recipe)
  const asked = loraObjective({ model, shape, examples: queries.map(({ tokens }) => tokens), lossMasks: queries.map(({ tokens, mask }) => mask ?? new Uint8Array(tokens.length).fill(1)) })()
  const gradient = new Float32Array(shape.parameters)
  const cotangent = new Float64Array(shape.parameters)

  for (let q = 0; q < queries.length; q++) {
    asked.gradient(theta, q, gradient)
    cotangent.forEach((_, i) => { cotangent[i] -= gradient[i] / queries.length })
  }

  return cotangent
}

/** Windows of a contribution as training cuts them. */
function cut (rows: Uint32Array[], length: number): Uint32Array[] {
  const tokens = rows.flatMap(row => Array.from(row))
  const windows: Uint32Array[] = []

  for (let at = 0; tokens.length - at >= Math.min(16, length); at += length) {
    windows.push(Uint32Array.from(tokens.slice(at, at + length)))
  }

  return windows
}

type PayoutsOf = (name: string, contributions: Contribution[], seed: number) => Promise<Payouts>

/** How a villain fares, over the mean of several seeds of training. */
export async function judgeVillain ({ name, does, before, after, instead, victim }: Villain, payouts: PayoutsOf, scene: Scene, seeds: number[]): Promise<VillainResult> {
  const play = async (what: string, contributions: Contribution[]): Promise<Payouts[]> => Promise.all(seeds.map(async seed => payouts(`${name}-${what}`, contributions, seed)))
  const idle = await play('before', before(scene))
  const honest = instead === undefined ? idle : await play('instead', instead(scene))
  const attacked = await play('after', after(scene))
  const against = (baseline: Payouts[], rule: keyof Payouts): { gain: number, victimLoss: number } => {
    const [fair, foul] = [meanShares(baseline.map(one => one[rule])), meanShares(attacked.map(one => one[rule]))]
    const losses = [...fair].filter(([owner, share]) => share > 0 && owner !== ATTACKER && (victim === undefined || owner === victim)).map(([owner, share]) => 1 - (foul.get(owner) ?? 0) / share)

    return { gain: (foul.get(ATTACKER) ?? 0) / (fair.get(ATTACKER) ?? 0), victimLoss: Math.max(...losses) }
  }

  return { name, does, ...against(honest, 'dropped'), overNothing: against(idle, 'dropped'), kept: against(honest, 'clustered'), unclustered: against(honest, 'plain') }
}

function meanShares (shares: Shares[]): Shares {
  return new Map([...shares[0].keys()].map(owner => [owner, shares.reduce((sum, one) => sum + (one.get(owner) ?? 0), 0) / shares.length]))
}
