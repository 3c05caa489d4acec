import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../node/index.ts'
import type { AnswerView } from '../interface/index.ts'

/** What the demo has done so far, so that a second start goes on where the first one ended. */
export interface DemoState {
  datanet?: string
  /** CIDs by president */
  contributions: Record<string, string>
  training?: string
  adapter?: string
  proposal?: number
  /** epoch in which the vote was executed: it holds from the next one on */
  executedIn?: number
  /** questions that were answered and paid, by their text */
  answers: Record<string, AnswerView>
  /** task hashes by epoch's question set: first and later */
  tasks: { first?: string, later?: string }
  /** seconds that steps took, over all starts */
  seconds: Record<string, number>
}

export interface Journal {
  readonly state: DemoState
  save (change: Partial<DemoState>): Promise<void>
}

export async function openJournal (dataDir: string): Promise<Journal> {
  const path = join(dataDir, 'demo.json')
  const empty: DemoState = { contributions: {}, answers: {}, tasks: {}, seconds: {} }
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const state: DemoState = text == null ? empty : { ...empty, ...JSON.parse(text) as DemoState }

  let written: Promise<void> = Promise.resolve()

  return {
    state,
    async save (change) {
      Object.assign(state, change)

      // steps run side by side; their writes go one after the other
      written = written.catch(() => {}).then(async () => writeWhole(path, `${JSON.stringify(state, null, 2)}\n`))

      return written
    }
  }
}
