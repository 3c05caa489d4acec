import { setImmediate } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { PART_BYTES_MAX, openPart, partBuilder, spansIndex } from '../attribution/index.ts'
import { accountToString } from '../identity/index.ts'
import { readContribution } from '../ledger/index.ts'
import { CITATIONS_TIMEOUT_MS, CITATION_MARGIN_TOKENS, LOOKUP_TIMEOUT_MS, ROWS_AT_ONCE, SPAN_INDEX_BYTES_MAX } from './constants.ts'
import { dataset } from './dataset.ts'
import type { Span, SpanPart, SpanSource } from '../attribution/index.ts'
import type { Datanets } from '../datanets/index.ts'
import type { AbortOptions, SpanView } from '../interface/index.ts'
import type { LoadedAdapter } from '../serving/index.ts'
import type { Chain } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Level } from 'level'

export interface CitationsComponents {
  db: Level
  storage: Pick<Storage, 'putFile' | 'getFile'>
  datanets: Pick<Datanets, 'record' | 'manifest' | 'rows'>
  chain: Pick<Chain, 'state'>
}

/** What of an answer stands in the data word for word. */
export interface Citations {
  /** Indexes the contributions of an adapter's snapshot, those that no answer needed before. */
  prepare (adapter: LoadedAdapter, options?: AbortOptions): Promise<void>
  /** The rarest spans first, with the rows that have them. */
  of (adapter: LoadedAdapter, output: readonly number[], options?: AbortOptions): Promise<SpanView[]>
}

/**
 * Indexes contributions for spans, once for each tokenizer, and keeps the indexes as files by CID.
 * See protocols/spans.
 */
export function citations ({ db, storage, datanets, chain }: CitationsComponents): Citations {
  const known = db.sublevel<string, string[]>('spans', { valueEncoding: 'json' })
  const open = new Map<string, { parts: Promise<SpanPart[]>, bytes: number }>()
  const texts = dataset(datanets)

  async function build (adapter: LoadedAdapter, contribution: CID, signal: AbortSignal): Promise<Uint8Array[]> {
    const { tokenizer, record: { config } } = adapter.base
    const builder = partBuilder({ vocabularySize: config.vocabularySize })
    const parts: Uint8Array[] = []
    let rows = 0

    for await (const text of texts.texts(contribution, { signal })) {
      parts.push(...[builder.add(Uint32Array.from(tokenizer.encode(text)))].filter(part => part != null))

      if (++rows % ROWS_AT_ONCE === 0) {
        await setImmediate(undefined, { signal })
      }
    }

    return [...parts, ...[builder.end()].filter(part => part != null)]
  }

  async function load (key: string, adapter: LoadedAdapter, contribution: CID): Promise<SpanPart[]> {
    const signal = AbortSignal.timeout(CITATIONS_TIMEOUT_MS)
    const cids = await known.get(key)

    if (cids != null) {
      return Promise.all(cids.map(async cid => openPart(await storage.getFile(CID.parse(cid), { signal, bytesMax: PART_BYTES_MAX }))))
    }

    const parts = await build(adapter, contribution, signal)
    const stored = await Promise.all(parts.map(async part => storage.putFile(part, { signal, pin: true })))

    await known.put(key, stored.map(String))

    return parts.map(openPart)
  }

  async function parts (adapter: LoadedAdapter, contribution: CID): Promise<SpanPart[]> {
    const key = `${adapter.base.record.tokenizer.toString()}/${contribution.toString()}`
    const entry = open.get(key) ?? { parts: load(key, adapter, contribution), bytes: 0 }

    // last in the map is most recently used
    open.delete(key)
    open.set(key, entry)

    try {
      const opened = await entry.parts

      entry.bytes = opened.reduce((sum, { bytes }) => sum + bytes, 0)
      evict(open, key)

      return opened
    } catch (err) {
      open.delete(key)
      throw err
    }
  }

  /** One contribution after the other: it is work for the processor. */
  async function sources (adapter: LoadedAdapter, { signal }: AbortOptions = {}): Promise<SpanSource[]> {
    const found: SpanSource[] = []

    for (const [source, contribution] of adapter.snapshot.contributions.entries()) {
      signal?.throwIfAborted()
      found.push({ source, parts: await parts(adapter, contribution) })
    }

    return found
  }

  async function view (adapter: LoadedAdapter, output: readonly number[], found: SpanSource[], { from, end, count, rarity, citations }: Span): Promise<SpanView> {
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
        const tokens = rowTokens(found[source].parts, row)
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
    async prepare (adapter, options) {
      await sources(adapter, options)
    },
    async of (adapter, output, options) {
      const found = await sources(adapter, options)

      return Promise.all(spansIndex(found).find(output).map(async span => view(adapter, output, found, span)))
    }
  }
}

function rowTokens (parts: readonly SpanPart[], row: number): number[] {
  const part = parts.find(({ firstRow, rows }) => row >= firstRow && row < firstRow + rows)
  const tokens: number[] = []

  if (part == null) {
    return tokens
  }

  let place = part.rowStart(row - part.firstRow)

  while (part.symbol(place) > 0) {
    tokens.push(part.symbol(place++) - 1)
  }

  return tokens
}

function evict (open: Map<string, { bytes: number }>, keep: string): void {
  let bytes = [...open.values()].reduce((sum, entry) => sum + entry.bytes, 0)

  for (const [key, entry] of open) {
    if (bytes > SPAN_INDEX_BYTES_MAX && key !== keep && entry.bytes > 0) {
      open.delete(key)
      bytes -= entry.bytes
    }
  }
}
