import { setImmediate } from 'node:timers/promises'
import { PART_SYMBOLS_MAX, SORTED_TOGETHER_MIN, joinParts, levelsOf, mergeParts, openPart, partBuilder } from '../attribution/index.ts'
import { ROWS_AT_ONCE } from './constants.ts'
import { FalseSpansError } from './errors.ts'
import { inTurns } from './in-turns.ts'
import type { OpenLevel, Piece, SpanStore } from './span-store.ts'
import type { Level, SpanPart } from '../attribution/index.ts'
import type { LoadedBase } from '../models/index.ts'
import type { Storage } from '../storage/index.ts'
import type { TrainingComponents } from '../training/index.ts'
import type { CID } from 'multiformats/cid'

/** What is needed to index contributions; `signal` ends it. */
export interface SpanBuild {
  store: SpanStore
  storage: Pick<Storage, 'putFile'>
  texts: TrainingComponents['dataset']
  base: Pick<LoadedBase, 'record' | 'tokenizer'>
  signal: AbortSignal
}

/**
 * The index of contributions in their order, as few files as their sizes make levels. What is on
 * disk is taken from there: a contribution at the end has itself indexed and some levels merged.
 */
export async function buildLevels (build: SpanBuild, contributions: readonly CID[]): Promise<OpenLevel[]> {
  const { store, base } = build
  const pieces: Piece[] = []
  const sizes: number[] = []

  for (const contribution of contributions) {
    const known = await store.sizes(base.record.tokenizer, contribution) ?? await indexContribution(build, contribution)

    known.forEach((size, part) => {
      pieces.push({ contribution, part })
      sizes.push(size)
    })
  }

  const levels: OpenLevel[] = []

  for (const level of levelsOf(sizes)) {
    levels.push(await openLevel(build, pieces, level))
  }

  return levels
}

/** From disk, or made and put there. */
async function openLevel (build: SpanBuild, pieces: readonly Piece[], level: Level): Promise<OpenLevel> {
  const { store, storage, base: { record: { tokenizer } }, signal } = build
  const own = pieces.slice(level.first, level.end)
  const known = await store.open(tokenizer, own, { signal })

  if (known != null) {
    await store.keep(tokenizer, own, known.file, known.part, { signal })

    return known
  }

  const part = await makeLevel(build, pieces, level)
  const file = await storage.putFile(part.encoded, { signal, pin: true })

  await store.keep(tokenizer, own, file, part, { signal })

  for (const { first, end } of level.halves == null ? [] : await knownBelow(build, pieces, level)) {
    await store.release(tokenizer, pieces.slice(first, end), { signal })
  }

  return { file, part }
}

async function makeLevel (build: SpanBuild, pieces: readonly Piece[], level: Level): Promise<SpanPart> {
  const { store, base: { record: { tokenizer } }, signal } = build
  const { first, end, symbols, halves } = level
  const known = await store.open(tokenizer, pieces.slice(first, end), { signal })

  if (known != null) {
    return known.part
  }

  if (halves == null) {
    // it was on disk once: what it is made of still is
    await indexContribution(build, pieces[first].contribution)

    const made = await store.open(tokenizer, pieces.slice(first, end), { signal })

    if (made == null) {
      // sizes out of a peer's index that nobody drew; from now on they are our own
      throw new FalseSpansError(`expected part ${pieces[first].part} of ${pieces[first].contribution.toString()} but its rows make fewer`)
    }

    return made.part
  }

  const below = await knownBelow(build, pieces, level)

  if (symbols <= PART_SYMBOLS_MAX && below.length >= SORTED_TOGETHER_MIN) {
    const parts: SpanPart[] = []

    for (const one of below) {
      parts.push(await makeLevel(build, pieces, one))
    }

    return openPart(joinParts(parts))
  }

  const [before, after] = halves

  return openPart(await inTurns(mergeParts(await makeLevel(build, pieces, before), await makeLevel(build, pieces, after)), signal))
}

/** The largest levels of which one is made that are on disk, and parts of contributions where there are none. */
async function knownBelow ({ store, base: { record: { tokenizer } } }: SpanBuild, pieces: readonly Piece[], { halves }: Level): Promise<Level[]> {
  const found: Level[] = []
  const open = halves?.toReversed() ?? []

  for (let level = open.pop(); level != null; level = open.pop()) {
    if (level.halves == null || await store.has(tokenizer, pieces.slice(level.first, level.end))) {
      found.push(level)
    } else {
      open.push(...level.halves.toReversed())
    }
  }

  return found
}

/** Cuts a contribution's rows into tokens and indexes them by themselves. */
async function indexContribution ({ store, storage, texts, base: { record, tokenizer }, signal }: SpanBuild, contribution: CID): Promise<number[]> {
  const builder = partBuilder({ vocabularySize: record.config.vocabularySize, contribution })
  const sizes: number[] = []
  let rows = 0

  const add = async (encoded: Uint8Array | undefined): Promise<void> => {
    if (encoded != null) {
      const part = openPart(encoded)

      await store.keep(record.tokenizer, [{ contribution, part: sizes.length }], await storage.putFile(encoded, { signal, pin: true }), part, { signal })
      sizes.push(part.symbols)
    }
  }

  for await (const text of texts.texts(contribution, { signal })) {
    await add(builder.add(Uint32Array.from(tokenizer.encode(text))))

    if (++rows % ROWS_AT_ONCE === 0) {
      await setImmediate(undefined, { signal })
    }
  }

  await add(builder.end())
  await store.setSizes(record.tokenizer, contribution, sizes)

  return sizes
}
