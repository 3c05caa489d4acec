import { CID } from 'multiformats/cid'
import { PART_BYTES_MAX, openPart } from '../attribution/index.ts'
import { concatBytes, rawCid } from '../wire/index.ts'
import { SPAN_INDEX_BYTES_MAX } from './constants.ts'
import type { SpanPart } from '../attribution/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Level as Database } from 'level'

/** Where a part came from: which of the parts of which contribution. */
export interface Piece {
  contribution: CID
  part: number
}

/** One file of an index, and what is in it. */
export interface OpenLevel {
  file: CID
  part: SpanPart
}

/** What is known of indexes, and which of their files are open; files by the pieces that they index. */
export interface SpanStore {
  /** symbols of the parts of a contribution; undefined if it was never indexed */
  sizes (tokenizer: CID, contribution: CID): Promise<number[] | undefined>
  setSizes (tokenizer: CID, contribution: CID, sizes: number[]): Promise<void>
  /** files of an index over these contributions in this order; undefined if there is none */
  files (tokenizer: CID, digest: CID): Promise<CID[] | undefined>
  setFiles (tokenizer: CID, digest: CID, files: CID[]): Promise<void>
  has (tokenizer: CID, pieces: readonly Piece[]): Promise<boolean>
  /** the file and the part in it; undefined if it is not on this disk */
  open (tokenizer: CID, pieces: readonly Piece[], options: AbortOptions): Promise<OpenLevel | undefined>
  /** the same of an index by `contributionsDigest`; undefined unless all of its files are on this disk */
  openAll (tokenizer: CID, digest: CID, options: AbortOptions): Promise<OpenLevel[] | undefined>
  /** remembers a file that is on disk, and keeps it there */
  keep (tokenizer: CID, pieces: readonly Piece[], file: CID, part: SpanPart, options: AbortOptions): Promise<void>
  /** a file that a larger one replaced may go when the disk is tidied */
  release (tokenizer: CID, pieces: readonly Piece[], options: AbortOptions): Promise<void>
}

/** Contributions in their order, as a CID: what two nodes compare. */
export const contributionsDigest = (contributions: readonly CID[]): CID => rawCid(concatBytes(...contributions.map(({ bytes }) => bytes)))

export function spanStore ({ db, storage }: { db: Database, storage: Pick<Storage, 'getFile' | 'has' | 'pin' | 'unpin'> }): SpanStore {
  const root = db.sublevel<string, string>('span-index', { valueEncoding: 'json' })
  const sizes = root.sublevel<string, number[]>('sizes', { valueEncoding: 'json' })
  const levels = root.sublevel<string, string>('levels', { valueEncoding: 'utf8' })
  const sets = root.sublevel<string, string[]>('sets', { valueEncoding: 'json' })
  const opened = new Map<string, SpanPart>()

  const key = (tokenizer: CID, of: CID): string => `${tokenizer.toString()}/${of.toString()}`
  const levelKey = (tokenizer: CID, pieces: readonly Piece[]): string => {
    return key(tokenizer, rawCid(concatBytes(...pieces.flatMap(({ contribution, part }) => [contribution.bytes, Uint8Array.of(part >>> 8, part)]))))
  }

  const fileOf = async (tokenizer: CID, pieces: readonly Piece[]): Promise<CID | undefined> => {
    const file = await levels.get(levelKey(tokenizer, pieces))
    const cid = file == null ? undefined : CID.parse(file)

    return cid != null && await storage.has(cid) ? cid : undefined
  }

  /** The one that was used last is last in the map. */
  const hold = (file: CID, part: SpanPart): void => {
    opened.delete(file.toString())
    opened.set(file.toString(), part)

    let bytes = [...opened.values()].reduce((sum, one) => sum + one.bytes, 0)

    for (const [name, one] of opened) {
      if (bytes > SPAN_INDEX_BYTES_MAX && one !== part) {
        opened.delete(name)
        bytes -= one.bytes
      }
    }
  }

  const openFile = async (file: CID, { signal }: AbortOptions): Promise<OpenLevel> => {
    const part = opened.get(file.toString()) ?? openPart(await storage.getFile(file, { signal, bytesMax: PART_BYTES_MAX }))

    hold(file, part)

    return { file, part }
  }

  const filesOf = async (tokenizer: CID, digest: CID): Promise<CID[] | undefined> => (await sets.get(key(tokenizer, digest)))?.map(file => CID.parse(file))

  return {
    sizes: async (tokenizer, contribution) => sizes.get(key(tokenizer, contribution)),
    setSizes: async (tokenizer, contribution, value) => sizes.put(key(tokenizer, contribution), value),
    files: filesOf,
    setFiles: async (tokenizer, digest, files) => sets.put(key(tokenizer, digest), files.map(String)),
    has: async (tokenizer, pieces) => await fileOf(tokenizer, pieces) != null,
    async open (tokenizer, pieces, options) {
      const file = await fileOf(tokenizer, pieces)

      return file == null ? undefined : openFile(file, options)
    },
    async openAll (tokenizer, digest, options) {
      const files = await filesOf(tokenizer, digest) ?? []
      const here = await Promise.all(files.map(async file => storage.has(file)))

      return files.length > 0 && here.every(has => has) ? Promise.all(files.map(async file => openFile(file, options))) : undefined
    },
    async keep (tokenizer, pieces, file, part, { signal }) {
      await storage.pin(file, { signal })
      await levels.put(levelKey(tokenizer, pieces), file.toString())
      hold(file, part)
    },
    async release (tokenizer, pieces, { signal }) {
      const file = await fileOf(tokenizer, pieces)

      if (file != null) {
        await storage.unpin(file, { signal })
      }
    }
  }
}
