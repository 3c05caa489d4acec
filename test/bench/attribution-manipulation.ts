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

export const VILLAIN_SIZE: Size = { contributions: 6, examplesPerContribution: 6, queries: 12, sequenceLength: 32 }
/** Full batches, see `Scene`. */
const STEPS = 6

export async function manipulation (base: Base, folder: string, seeds: number[], log: (line: string) => void): Promise<ManipulationResult> {
  const data = loadData('sotu', base.encoder, VILLAIN_SIZE)
  const scene: Scene = {
    model: base.model,
    recipe: { ...bankRecipe(VILLAIN_SIZE.sequenceLength, 0), steps: STEPS },
    honest: Array.from({ length: VILLAIN_SIZE.contributions }, (_, c) => data.examples.filter((_, i) => data.groups[i] === c).map(({ tokens }) => tokens)),
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

  for (const villain of VILLAINS) {
    villains.push(await judgeVillain(villain, payouts, scene, seeds))
  }

  return { base: base.name, size: VILLAIN_SIZE, steps: STEPS, seeds, villains }
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
