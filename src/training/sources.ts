import { setImmediate as pause } from 'node:timers/promises'
import { loadTokenizer } from '../models/index.ts'
import { indexPart, search, shownWith } from '../retrieval/index.ts'
import { FILE_BYTES_MAX } from './constants.ts'
import { byCommitment } from './players.ts'
import type { AssessOptions, TrainingComponents } from './interface.ts'
import type { BaseModel, ReceiptOpening, Snapshot } from '../interface/index.ts'
import type { IndexPart } from '../retrieval/index.ts'
import type { CID } from 'multiformats/cid'

/** What an answer with rows has to show, and whose they are. */
export interface CheckedSources {
  shows: string
  /** of each row, as an index into the snapshot */
  contributions: number[]
}

/**
 * Searches again for what answers say that they were given. Only a Datanet's contributions within
 * the adapter's snapshot are searched, so that every assessor has them and everyone found can be paid.
 *
 * @returns for each answer; undefined where it says nothing, or other rows than are found
 */
export async function checkSources (components: TrainingComponents, snapshot: Snapshot, openings: readonly ReceiptOpening[], options: AssessOptions): Promise<Array<CheckedSources | undefined>> {
  const commitmentOf = options.commitmentOf ?? components.commitmentOf
  const indexes = new Map<string, Searched>()
  const checked: Array<CheckedSources | undefined> = []

  for (const { conditions } of openings) {
    const sources = conditions?.sources

    if (sources == null) {
      checked.push(undefined)
      continue
    }

    const key = sources.datanet.toString()
    const index = indexes.get(key) ?? await indexOf(components, snapshot, cid => commitmentOf?.(cid)?.datanet?.equals(sources.datanet) === true, { ...options, commitmentOf })

    indexes.set(key, index)
    // a search takes tens of milliseconds, and a task has many answers: the network gets its turn between them
    await pause()
    options.signal?.throwIfAborted()

    const hits = search(index.parts, sources.query, sources.rows.length)
    const isFound = hits.length === sources.rows.length && hits.every(({ part, row }, i) =>
      sources.rows[i].row === row && sources.rows[i].contribution.equals(snapshot.contributions[index.places[part]]))

    checked.push(isFound ? { shows: shownWith(hits.map(({ text }) => text), sources.query), contributions: hits.map(({ part }) => index.places[part]) } : undefined)
  }

  return checked
}

/** Whether the prompts of answers show the rows that they were to show, by their text alone. */
export async function showsRows ({ storage }: TrainingComponents, base: BaseModel, openings: readonly ReceiptOpening[], sources: ReadonlyArray<CheckedSources | undefined>, { signal }: AssessOptions): Promise<boolean[]> {
  if (sources.every(one => one === undefined)) {
    return sources.map(() => false)
  }

  const tokenizer = loadTokenizer(base, await storage.getFile(base.tokenizer, { signal, bytesMax: FILE_BYTES_MAX }))

  return openings.map(({ prompt }, i) => {
    const shows = sources[i]?.shows

    return shows !== undefined && tokenizer.decode(prompt).includes(shows)
  })
}

interface Searched {
  parts: IndexPart[]
  /** of each part, as an index into the snapshot */
  places: number[]
}

async function indexOf ({ dataset }: TrainingComponents, { contributions }: Snapshot, isMeant: (contribution: CID) => boolean, options: AssessOptions): Promise<Searched> {
  const places = byCommitment(contributions, options.commitmentOf).filter(i => isMeant(contributions[i]))
  const parts: IndexPart[] = []

  for (const place of places) {
    const part = indexPart()

    for await (const text of dataset.texts(contributions[place], options)) {
      options.signal?.throwIfAborted()
      part.add(text)
    }

    parts.push(part.end())
  }

  return { parts, places }
}
