import { setImmediate } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { accountToString } from '../identity/index.ts'
import { readContribution } from '../ledger/index.ts'
import { indexPart, queryOf, questionWith, search } from '../retrieval/index.ts'
import { PromptTooLongError, promptTokens } from '../serving/index.ts'
import { byCommitment } from '../training/index.ts'
import { INDEX_TIMEOUT_MS, LOOKUP_TIMEOUT_MS, RETRIEVAL_INDEX_BYTES_MAX, ROWS_AT_ONCE } from './constants.ts'
import { dataset } from './dataset.ts'
import { NothingRetrievedError } from './errors.ts'
import type { Datanets } from '../datanets/index.ts'
import type { AbortOptions, Sources, SourceView } from '../interface/index.ts'
import type { Hit, IndexPart } from '../retrieval/index.ts'
import type { AskOptions, LoadedAdapter } from '../serving/index.ts'
import type { Chain } from '../settlement/index.ts'

export interface RetrievalComponents {
  datanets: Pick<Datanets, 'record' | 'manifest' | 'rows'>
  chain: Pick<Chain, 'state'>
}

/** A question that shows rows, and the rows. */
export interface Retrieved {
  question: AskOptions
  sources: SourceView[]
}

/** Rows of Datanets for questions: what a committee finds again. See protocols/retrieval. */
export interface Retrieval {
  /**
   * Puts the best rows before a question, as many of them as fit beside the answer.
   *
   * @param adapter - who is asked: within its snapshot is searched
   * @param question - without rows
   * @param wanted - what is searched
   * @param wanted.datanet - whose rows, by CID
   * @param wanted.rows - how many at most
   * @param options - ends the search
   * @throws {NothingRetrievedError} if the snapshot has nothing of the Datanet, or no row has a word of the question
   * @throws {PromptTooLongError} if not even one row fits
   */
  into (adapter: LoadedAdapter, question: AskOptions, wanted: { datanet: string, rows: number }, options?: AbortOptions): Promise<Retrieved>
}

/**
 * Indexes contributions one by one when somebody first searches them, and keeps indexes in memory
 * up to RETRIEVAL_INDEX_BYTES_MAX: a contribution never changes, so a new snapshot costs what is new
 * in it. After a restart they are made again from the rows on disk, some 10,000 a second.
 */
export function retrieval ({ datanets, chain }: RetrievalComponents): Retrieval {
  const kept = new Map<string, { part: Promise<IndexPart>, bytes: number }>()
  const texts = dataset(datanets)

  async function build (contribution: CID): Promise<IndexPart> {
    const signal = AbortSignal.timeout(INDEX_TIMEOUT_MS)
    const builder = indexPart()
    let rows = 0

    for await (const text of texts.texts(contribution, { signal })) {
      builder.add(text)

      if (++rows % ROWS_AT_ONCE === 0) {
        await setImmediate(undefined, { signal })
      }
    }

    return builder.end()
  }

  async function part (contribution: CID): Promise<IndexPart> {
    const key = contribution.toString()
    const entry = kept.get(key) ?? { part: build(contribution), bytes: 0 }

    // last in the map is most recently used
    kept.delete(key)
    kept.set(key, entry)

    try {
      const built = await entry.part

      entry.bytes = built.bytes
      evict(kept, key)

      return built
    } catch (err) {
      kept.delete(key)
      throw err
    }
  }

  async function view (contribution: CID, { row, text }: Hit): Promise<SourceView> {
    const state = readContribution(chain.state(), contribution)
    const title = await datanets.record(contribution, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) }).then(({ payload }) => payload.title, () => contribution.toString())

    return { contribution: contribution.toString(), contributor: state == null ? '' : accountToString(state.contributor), title, row, text }
  }

  return {
    async into (adapter, question, wanted, options) {
      const datanet = datanetOf(wanted.datanet)
      const { contributions } = adapter.snapshot
      const state = chain.state()
      const searched = byCommitment(contributions, cid => readContribution(state, cid))
        .map(place => contributions[place])
        .filter(contribution => readContribution(state, contribution)?.datanet.equals(datanet) === true)
      const parts: IndexPart[] = []

      for (const contribution of searched) {
        options?.signal?.throwIfAborted()
        parts.push(await part(contribution))
      }

      const query = queryOf(question)
      const hits = search(parts, query, wanted.rows)

      if (hits.length === 0) {
        throw new NothingRetrievedError(wanted.datanet, parts.length)
      }

      const fitting = fit(adapter, question, hits)
      const sources: Sources = { datanet, query, rows: fitting.map(({ part, row }) => ({ contribution: searched[part], row })) }

      return {
        question: { ...question, ...questionWith(question, fitting.map(({ text }) => text)), conditions: { ...question.conditions, sources } },
        sources: await Promise.all(fitting.map(async hit => view(searched[hit.part], hit)))
      }
    }
  }
}

/** @throws {NothingRetrievedError} for what is no CID: no snapshot has it */
function datanetOf (text: string): CID {
  try {
    return CID.parse(text)
  } catch {
    throw new NothingRetrievedError(text, 0)
  }
}

/** The first hits, as many as leave room for question and answer. */
function fit (adapter: LoadedAdapter, question: AskOptions, hits: readonly Hit[]): Hit[] {
  for (let count = hits.length; ; count--) {
    const some = hits.slice(0, count)

    try {
      promptTokens(adapter, { ...question, ...questionWith(question, some.map(({ text }) => text)) })

      return some
    } catch (err) {
      if (!(err instanceof PromptTooLongError) || count === 1) {
        throw err
      }
    }
  }
}

function evict (kept: Map<string, { bytes: number }>, keep: string): void {
  let bytes = [...kept.values()].reduce((sum, entry) => sum + entry.bytes, 0)

  for (const [key, entry] of kept) {
    if (bytes > RETRIEVAL_INDEX_BYTES_MAX && key !== keep && entry.bytes > 0) {
      kept.delete(key)
      bytes -= entry.bytes
    }
  }
}
