/** The villains' games on a real base, cached by what is trained on. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digest } from './attribution-bank.ts'
import { bankRecipe, loadData } from './attribution-data.ts'
import { VILLAINS, judgeVillain, payoutsOf } from './attribution-villains.ts'
import type { Base, Size } from './attribution-data.ts'
import type { Contribution, Payouts, Scene, VillainResult } from './attribution-villains.ts'

export interface ManipulationResult {
  base: string
  size: Size
  steps: number
  seeds: number[]
  villains: VillainResult[]
}

/** What a full run plays, and what fits into seconds. */
const VILLAIN_SIZE: Size = { contributions: 6, examplesPerContribution: 6, queries: 12, sequenceLength: 32 }
const QUICK_SIZE: Size = { contributions: 4, examplesPerContribution: 3, queries: 4, sequenceLength: 32 }
const QUICK_VILLAINS = ['copier', 'sybil-2', 'segregator']

/** Few steps of full batches, see `Scene`, so each goes further than those of the preset; the rate falls along a cosine. */
const RECIPE = { steps: 6, learningRateNano: 10_000_000, schedule: undefined }

export async function manipulation (base: Base, folder: string, seeds: number[], quick: boolean, log: (line: string) => void): Promise<ManipulationResult> {
  const size = quick ? QUICK_SIZE : VILLAIN_SIZE
  const data = loadData('sotu', base.encoder, size)
  const longer = loadData('sotu', base.encoder, { ...size, examplesPerContribution: 2 * size.examplesPerContribution })
  const scene: Scene = {
    model: base.model,
    recipe: { ...bankRecipe(size.sequenceLength, 0), ...RECIPE },
    honest: Array.from({ length: size.contributions }, (_, c) => data.examples.filter((_, i) => data.groups[i] === c).map(({ tokens }) => tokens)),
    more: longer.examples.filter((_, i) => longer.groups[i] === 0).slice(size.examplesPerContribution).map(({ tokens }) => tokens),
    queries: data.queries
  }
  const villains: VillainResult[] = []
  let last = Promise.resolve()
  const payouts = (name: string, contributions: Contribution[], seed: number): Promise<Payouts> => {
    // one run at a time: they share the machine with everybody
    const next = last.then(async () => cached(folder, digest([base.digest, scene.recipe, scene.queries, contributions, seed]), async () => payoutsOf(scene, contributions, seed)))

    last = next.then(() => { log(`${name} seed ${seed}`) })

    return next
  }

  mkdirSync(folder, { recursive: true })

  for (const villain of VILLAINS.filter(({ name }) => !quick || QUICK_VILLAINS.includes(name))) {
    villains.push(await judgeVillain(villain, payouts, scene, seeds))
  }

  return { base: base.name, size, steps: RECIPE.steps, seeds, villains }
}

async function cached (folder: string, key: string, compute: () => Promise<Payouts>): Promise<Payouts> {
  const file = join(folder, `payouts-${key}.json`)

  const rules = ['clustered', 'plain', 'dropped'] as const

  if (existsSync(file)) {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Array<[string, number]>>
    const [clustered, plain, dropped] = rules.map(rule => new Map(stored[rule]))

    return { clustered, plain, dropped }
  }

  const payouts = await compute()

  writeFileSync(`${file}.${process.pid}`, JSON.stringify(Object.fromEntries(rules.map(rule => [rule, [...payouts[rule]]]))))
  renameSync(`${file}.${process.pid}`, file)

  return payouts
}
