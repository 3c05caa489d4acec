import { randomInt } from 'node:crypto'
import { MERGE_SYMBOLS_AT_ONCE, PART_BYTES_MAX, checkPart, levelsOf, openPart, partRow, partSizes } from '../attribution/index.ts'
import { codec, fileCid, list, nullable, struct } from '../wire/index.ts'
import { SPAN_CONTRIBUTIONS_CHECKED, SPAN_FILES_MAX, SPAN_INDEX_BYTES_MAX, SPAN_PEERS_ASKED, SPAN_REQUEST_TIMEOUT_MS } from './constants.ts'
import { FalseSpansError } from './errors.ts'
import { inTurns } from './in-turns.ts'
import { contributionsDigest } from './span-store.ts'
import type { SpanBuild } from './span-levels.ts'
import type { OpenLevel, Piece, SpanStore } from './span-store.ts'
import type { SpanPart, Work } from '../attribution/index.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

export const spansRequestCodec = codec('spans request', struct({ tokenizer: fileCid, contributions: fileCid }))
export const spansAnswerCodec = codec('spans answer', struct({ files: nullable(list(fileCid, { max: SPAN_FILES_MAX })) }))

export const spansProtocol = (chain: string): string => `/datanet/${chain}/spans/1`

/** What of gossip is needed to share indexes. */
export type SpansNetwork = Pick<Network, 'handle' | 'peers' | 'request'>

/** Tells peers which files an index is. Register once; building is left to whoever wants it. */
export function serveSpans (network: SpansNetwork, chain: string, store: SpanStore): void {
  network.handle(spansProtocol(chain), {
    requestBytesMax: spansRequestCodec.bytesMax, responseBytesMax: spansAnswerCodec.bytesMax, timeoutMs: SPAN_REQUEST_TIMEOUT_MS
  }, async request => {
    const { tokenizer, contributions } = spansRequestCodec.decode(request)

    return spansAnswerCodec.encode({ files: await store.files(tokenizer, contributions) ?? null })
  })
}

/** @returns the files of an index as the first peer names them that has one; none may be true */
export async function askForSpans (network: SpansNetwork, chain: string, tokenizer: CID, contributions: readonly CID[], { signal }: AbortOptions): Promise<CID[] | undefined> {
  const request = spansRequestCodec.encode({ tokenizer, contributions: contributionsDigest(contributions) })
  const options = { signal, timeoutMs: SPAN_REQUEST_TIMEOUT_MS, responseBytesMax: spansAnswerCodec.bytesMax }

  const answers = await Promise.all(network.peers().slice(0, SPAN_PEERS_ASKED).map(async ({ peer }) => {
    return network.request(peer, spansProtocol(chain), request, options).then(bytes => spansAnswerCodec.decode(bytes).files, () => null)
  }))

  signal?.throwIfAborted()

  return answers.find(files => files != null) ?? undefined
}

/**
 * Takes an index from elsewhere. Its order is checked in full, in linear time; so is whether its
 * contributions are those, whole rows in a row, in the levels that their sizes make. Of some
 * contributions, drawn here, all rows are cut into tokens and compared: of `n` of which `f` are
 * false, one is found with 1 − (1 − f/n)⁴, and all are compared where there are four or fewer.
 *
 * @throws {FalseSpansError}, SpanIndexError and what the store throws
 */
export async function takeLevels (build: SpanBuild & { storage: Pick<Storage, 'getFile'> }, contributions: readonly CID[], files: readonly CID[]): Promise<OpenLevel[]> {
  const { storage, store, base: { record }, signal } = build
  const levels: OpenLevel[] = []
  let bytesLeft = SPAN_INDEX_BYTES_MAX

  for (const file of files) {
    const part = openPart(await storage.getFile(file, { signal, bytesMax: Math.min(PART_BYTES_MAX, bytesLeft) }))

    bytesLeft -= part.bytes
    await inTurns(checkPart(part), signal)
    levels.push({ file, part })
  }

  const found = await inTurns(rowsOf(levels.map(({ part }) => part), contributions), signal)
  const sizes = found.map(({ tokens }) => partSizes(tokens))
  const expected = levelsOf(sizes.flat())

  if (levels.some(({ part }) => part.vocabularySize !== record.config.vocabularySize) || expected.length !== levels.length || expected.some(({ symbols }, i) => symbols !== levels[i].part.symbols)) {
    throw new FalseSpansError(`expected ${expected.length} levels of the base's vocabulary but got ${levels.map(({ part }) => part.symbols).join(', ')} symbols`)
  }

  for (const place of drawn(contributions.length)) {
    await compareRows(build, contributions[place], found[place].row, found[place].tokens.length)
  }

  const pieces = contributions.flatMap((contribution, i) => sizes[i].map((_, part): Piece => ({ contribution, part })))

  for (const [i, { first, end }] of expected.entries()) {
    await store.keep(record.tokenizer, pieces.slice(first, end), levels[i].file, levels[i].part, { signal })
  }

  for (const [i, contribution] of contributions.entries()) {
    await store.setSizes(record.tokenizer, contribution, sizes[i])
  }

  return levels
}

/** How many tokens each row of a contribution has, and the row itself. */
interface FoundRows {
  tokens: Uint32Array
  row (number: number): Uint32Array
}

/** Rows of a contribution that follow one another in a part, from a row of the part on. */
interface Run {
  part: SpanPart
  from: number
  /** number of the first in the contribution */
  firstRow: number
  rows: number
}

/**
 * Nothing is held for a row but four bytes: a stranger's parts may have tens of millions of empty ones.
 *
 * @throws {FalseSpansError} unless contributions come in their order, their rows from the first on
 */
function * rowsOf (parts: readonly SpanPart[], contributions: readonly CID[]): Work<FoundRows[]> {
  const found: FoundRows[] = []

  for (const runs of runsOf(parts, contributions)) {
    const last = runs.at(-1)
    const tokens = new Uint32Array(last == null ? 0 : last.firstRow + last.rows)

    for (const { part, from, firstRow, rows } of runs) {
      for (let row = 0; row < rows; row++) {
        tokens[firstRow + row] = part.rowStart(from + row + 1) - part.rowStart(from + row) - 1

        if (row % MERGE_SYMBOLS_AT_ONCE === 0) {
          yield
        }
      }
    }

    found.push({ tokens, row: number => rowIn(runs, number) })
  }

  return found
}

function rowIn (runs: readonly Run[], number: number): Uint32Array {
  const run = runs.find(({ firstRow, rows }) => number >= firstRow && number < firstRow + rows)

  return run == null ? new Uint32Array(0) : partRow(run.part, run.from + number - run.firstRow)
}

/** Where the rows of each contribution are. */
function runsOf (parts: readonly SpanPart[], contributions: readonly CID[]): Run[][] {
  const places = new Map(contributions.map((contribution, i) => [contribution.toString(), i]))
  const found = contributions.map((): Run[] => [])
  let last = 0

  for (const part of parts) {
    let from = 0

    for (const { contribution, firstRow, rows } of part.sources) {
      const place = places.get(contribution.toString()) ?? -1
      const before = found[place]?.at(-1)

      // rows of a part that follow one another are one run: a contribution has no more of them than there are files
      if (place < last || before?.part === part || firstRow !== (before == null ? 0 : before.firstRow + before.rows)) {
        throw new FalseSpansError(`expected rows of ${contributions.length} contributions in their order but got row ${firstRow} of ${contribution.toString()}`)
      }

      found[place].push({ part, from, firstRow, rows })
      from += rows
      last = place
    }
  }

  return found
}

/** Some places of so many, without order. */
function drawn (count: number): number[] {
  const places = Array.from({ length: count }, (_, i) => i)

  return Array.from({ length: Math.min(count, SPAN_CONTRIBUTIONS_CHECKED) }, () => places.splice(randomInt(places.length), 1)[0])
}

/** @throws {FalseSpansError} unless the rows are those of the contribution; what has no tokens at its end is not indexed */
async function compareRows ({ texts, base: { tokenizer }, signal }: SpanBuild, contribution: CID, row: FoundRows['row'], rows: number): Promise<void> {
  let number = 0

  for await (const text of texts.texts(contribution, { signal })) {
    const tokens = tokenizer.encode(text)
    const found = number < rows ? row(number) : []

    if (found.length !== tokens.length || Array.from(tokens).some((token, i) => token !== found[i])) {
      throw new FalseSpansError(`expected ${tokens.length} tokens in row ${number} of ${contribution.toString()} but the index has others`)
    }

    number++
  }

  if (number < rows) {
    throw new FalseSpansError(`expected ${number} rows of ${contribution.toString()} but the index has ${rows}`)
  }
}
