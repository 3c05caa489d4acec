import { accountToString } from '../identity/index.ts'
import { readContribution } from '../ledger/index.ts'
import { CITATION_MARGIN_TOKENS, LOOKUP_TIMEOUT_MS } from './constants.ts'
import { spanIndexes } from './span-index.ts'
import type { SnapshotSpans, SpanIndexes, SpanIndexesComponents } from './span-index.ts'
import type { Span } from '../attribution/index.ts'
import type { AbortOptions, SpanView } from '../interface/index.ts'
import type { LoadedAdapter } from '../serving/index.ts'
import type { CID } from 'multiformats/cid'

/** What of an answer stands in the data word for word. */
export interface Citations extends Pick<SpanIndexes, 'serve'> {
  /** Has the index of an adapter's snapshot ready. */
  prepare (adapter: LoadedAdapter, options?: AbortOptions): Promise<void>
  /** The files of that index, by which others can load it. */
  files (adapter: LoadedAdapter, options?: AbortOptions): Promise<CID[]>
  /** The rarest spans first, with the rows that have them. */
  of (adapter: LoadedAdapter, output: readonly number[], options?: AbortOptions): Promise<SpanView[]>
}

/** Citations from indexes that are made once for each tokenizer and Datanet. See protocols/spans. */
export function citations (components: SpanIndexesComponents): Citations {
  const { datanets, chain } = components
  const indexes = spanIndexes(components)

  async function spansOf ({ base, snapshot }: LoadedAdapter, options?: AbortOptions): Promise<SnapshotSpans> {
    return indexes.of(base, snapshot.contributions, options)
  }

  async function view (adapter: LoadedAdapter, output: readonly number[], found: SnapshotSpans, { from, end, count, rarity, citations }: Span): Promise<SpanView> {
    const { tokenizer } = adapter.base

    return {
      from,
      end,
      text: tokenizer.decode(output.slice(from, end)),
      count,
      rarityBits: rarity / 1024,
      citations: await Promise.all(citations.map(async ({ source, row, token }) => {
        const contribution = adapter.snapshot.contributions[source]
        const state = readContribution(chain.state(), contribution)
        const tokens = [...found.index.row(source, row)]
        const title = await datanets.record(contribution, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) }).then(({ payload }) => payload.title, () => contribution.toString())

        return {
          contribution: contribution.toString(),
          contributor: state == null ? '' : accountToString(state.contributor),
          title,
          row,
          before: tokenizer.decode(tokens.slice(Math.max(0, token - CITATION_MARGIN_TOKENS), token)),
          after: tokenizer.decode(tokens.slice(token + end - from, token + end - from + CITATION_MARGIN_TOKENS))
        }
      }))
    }
  }

  return {
    serve: indexes.serve,
    async prepare (adapter, options) {
      await spansOf(adapter, options)
    },
    async files (adapter, options) {
      return (await spansOf(adapter, options)).files
    },
    async of (adapter, output, options) {
      const found = await spansOf(adapter, options)

      return Promise.all(found.index.find(output).map(async span => view(adapter, output, found, span)))
    }
  }
}
