import { toError } from '../utils/index.ts'
import { cidOfBlock, DAG_PB, RAW } from './cid.ts'
import { FILE_BLOCK_BYTES_MAX, FILE_BYTES_MAX, FILE_CHUNK_BYTES, FILE_CONCURRENCY, FILE_DEPTH_MAX, FILE_LINKS_MAX, FILE_STREAM_BYTES_MAX } from './constants.ts'
import { FileTooLargeError, MalformedFileError } from './errors.ts'
import { decodeFileNode, encodeFileNode } from './unixfs.ts'
import type { FileNode } from './unixfs.ts'
import type { CID } from 'multiformats/cid'

export interface FileBlock {
  cid: CID
  bytes: Uint8Array
}

/** A file that is read by ranges within its size. */
export interface FileSource {
  /** bytes */
  readonly size: number
  read (offset: number, length: number): Promise<Uint8Array>
}

interface Subtree {
  cid: CID
  contentBytes: number
  treeBytes: number
}

/**
 * The blocks of a file, leaves first, root last: one raw block up to 1 MiB, else a balanced
 * UnixFS DAG over raw leaves of 256 KiB with at most 174 links a node.
 *
 * @throws {FileTooLargeError}
 */
export function * fileBlocks (bytes: Uint8Array): Generator<FileBlock> {
  if (bytes.byteLength > FILE_BYTES_MAX) {
    throw new FileTooLargeError(bytes.byteLength, FILE_BYTES_MAX)
  }
  if (bytes.byteLength <= FILE_BLOCK_BYTES_MAX) {
    yield { cid: cidOfBlock(bytes, RAW), bytes }
    return
  }
  const leaves: Subtree[] = []
  for (let at = 0; at < bytes.byteLength; at += FILE_CHUNK_BYTES) {
    const leaf = bytes.subarray(at, at + FILE_CHUNK_BYTES)
    const cid = cidOfBlock(leaf, RAW)
    leaves.push({ cid, contentBytes: leaf.byteLength, treeBytes: leaf.byteLength })
    yield { cid, bytes: leaf }
  }
  yield * nodesOver(leaves)
}

/** The same blocks from a file that is read leaf by leaf. */
export async function * fileBlocksFrom (source: FileSource): AsyncGenerator<FileBlock> {
  const { size } = source
  if (size > FILE_STREAM_BYTES_MAX) {
    throw new FileTooLargeError(size, FILE_STREAM_BYTES_MAX)
  }
  if (size <= FILE_BLOCK_BYTES_MAX) {
    yield * fileBlocks(await source.read(0, size))
    return
  }
  const leaves: Subtree[] = []
  for (let at = 0; at < size; at += FILE_CHUNK_BYTES) {
    const leaf = await source.read(at, Math.min(FILE_CHUNK_BYTES, size - at))
    const cid = cidOfBlock(leaf, RAW)
    leaves.push({ cid, contentBytes: leaf.byteLength, treeBytes: leaf.byteLength })
    yield { cid, bytes: leaf }
  }
  yield * nodesOver(leaves)
}

/** The inner nodes of a file over its leaves, the root last. */
function * nodesOver (leaves: Subtree[]): Generator<FileBlock> {
  let level = leaves
  while (level.length > 1) {
    const above: Subtree[] = []
    for (let at = 0; at < level.length; at += FILE_LINKS_MAX) {
      const children = level.slice(at, at + FILE_LINKS_MAX)
      const node: FileNode = {
        links: children.map(({ cid, treeBytes }) => ({ cid, treeBytes })),
        fileBytes: children.reduce((sum, child) => sum + child.contentBytes, 0),
        blockBytes: children.map(child => child.contentBytes)
      }
      const encoded = encodeFileNode(node)
      const cid = cidOfBlock(encoded, DAG_PB)
      above.push({ cid, contentBytes: node.fileBytes, treeBytes: encoded.byteLength + children.reduce((sum, child) => sum + child.treeBytes, 0) })
      yield { cid, bytes: encoded }
    }
    level = above
  }
}

/**
 * The CID of a file, from its bytes alone: a raw CID up to 1 MiB, else what
 * `ipfs add --cid-version 1` gives. The same bytes have the same CID on every machine.
 *
 * @throws {FileTooLargeError}
 */
export const fileCid = (bytes: Uint8Array): CID => {
  let root: CID | undefined
  for (const block of fileBlocks(bytes)) {
    root = block.cid
  }
  return root ?? cidOfBlock(bytes, RAW)
}

const decodeNode = (cid: CID, bytes: Uint8Array): FileNode => {
  try {
    return decodeFileNode(bytes, FILE_LINKS_MAX)
  } catch (err) {
    throw new MalformedFileError(cid, toError(err).message, err)
  }
}

interface Leaf { cid: CID, offset: number, bytes: number }

/**
 * The leaves of a file in their order. Each is as long as ours are and no part is empty, so that there
 * are no more of them than its size says, whatever its nodes link to.
 */
async function collectLeaves (root: CID, node: FileNode, get: (cid: CID) => Promise<Uint8Array>): Promise<Leaf[]> {
  const leaves: Leaf[] = []
  await collectUnder(root, node, 1, { size: node.fileBytes, get, leaves })
  return leaves
}

async function collectUnder (root: CID, node: FileNode, depth: number, { size, get, leaves }: { size: number, get (cid: CID): Promise<Uint8Array>, leaves: Leaf[] }): Promise<void> {
  for (const [index, link] of node.links.entries()) {
    const bytes = node.blockBytes[index] ?? 0
    const at = leaves.length * FILE_CHUNK_BYTES
    if (bytes === 0) {
      throw new MalformedFileError(root, 'a part of it is empty')
    }
    if (link.cid.code === RAW) {
      if (bytes !== Math.min(FILE_CHUNK_BYTES, size - at)) {
        throw new MalformedFileError(root, `${size} bytes are cut otherwise`)
      }
      leaves.push({ cid: link.cid, offset: at, bytes })
    } else {
      if (depth === FILE_DEPTH_MAX) {
        throw new MalformedFileError(root, `it is deeper than ${FILE_DEPTH_MAX} nodes`)
      }
      const child = decodeNode(link.cid, await get(link.cid))
      if (child.fileBytes !== bytes) {
        throw new MalformedFileError(root, `a part was announced with ${bytes} bytes and has ${child.fileBytes}`)
      }
      await collectUnder(root, child, depth + 1, { size, get, leaves })
    }
  }
}

/**
 * Joins a file. Its size is checked before any leaf is fetched, and its CID at the end, so that
 * bytes have one CID only, however they were cut.
 *
 * @throws {FileTooLargeError}, MalformedFileError, and what `get` throws
 */
export async function joinFile (cid: CID, bytesMax: number, get: (cid: CID) => Promise<Uint8Array>): Promise<Uint8Array> {
  const first = await get(cid)
  if (cid.code === RAW) {
    if (first.byteLength > bytesMax) {
      throw new FileTooLargeError(first.byteLength, bytesMax)
    }
    return first
  }
  if (cid.code !== DAG_PB) {
    throw new MalformedFileError(cid, `its codec is 0x${cid.code.toString(16)}`)
  }
  const root = decodeNode(cid, first)
  if (root.fileBytes > Math.min(bytesMax, FILE_BYTES_MAX)) {
    throw new FileTooLargeError(root.fileBytes, Math.min(bytesMax, FILE_BYTES_MAX))
  }
  const leaves = await collectLeaves(cid, root, get)
  const out = new Uint8Array(root.fileBytes)
  for (let at = 0; at < leaves.length; at += FILE_CONCURRENCY) {
    await Promise.all(leaves.slice(at, at + FILE_CONCURRENCY).map(async leaf => {
      const bytes = await get(leaf.cid)
      if (bytes.byteLength !== leaf.bytes) {
        throw new MalformedFileError(cid, `a leaf was announced with ${leaf.bytes} bytes and has ${bytes.byteLength}`)
      }
      out.set(bytes, leaf.offset)
    }))
  }
  if (!fileCid(out).equals(cid)) {
    throw new MalformedFileError(cid, `the same bytes are the file ${fileCid(out)}`)
  }
  return out
}

/**
 * A file to be read by ranges: its inner nodes are fetched and checked now, its leaves when they
 * are read. That the leaves make this CID and no other is checked before any of them is fetched.
 *
 * @throws {FileTooLargeError}, MalformedFileError, and what `get` throws
 */
export async function openFile (cid: CID, bytesMax: number, get: (cid: CID) => Promise<Uint8Array>): Promise<FileSource> {
  const first = await get(cid)
  if (cid.code === RAW) {
    if (first.byteLength > bytesMax) {
      throw new FileTooLargeError(first.byteLength, bytesMax)
    }
    return { size: first.byteLength, read: async (offset, length) => first.subarray(offset, offset + length) }
  }
  if (cid.code !== DAG_PB) {
    throw new MalformedFileError(cid, `its codec is 0x${cid.code.toString(16)}`)
  }
  const root = decodeNode(cid, first)
  const size = root.fileBytes
  if (size > Math.min(bytesMax, FILE_STREAM_BYTES_MAX)) {
    throw new FileTooLargeError(size, Math.min(bytesMax, FILE_STREAM_BYTES_MAX))
  }
  const leaves = await collectLeaves(cid, root, get)
  checkShape(cid, size, leaves)

  return {
    size,
    async read (offset, length) {
      const out = new Uint8Array(length)
      const wanted = leaves.slice(Math.floor(offset / FILE_CHUNK_BYTES), Math.ceil((offset + length) / FILE_CHUNK_BYTES))
      for (let at = 0; at < wanted.length; at += FILE_CONCURRENCY) {
        await Promise.all(wanted.slice(at, at + FILE_CONCURRENCY).map(async leaf => {
          const bytes = await get(leaf.cid)
          if (bytes.byteLength !== leaf.bytes) {
            throw new MalformedFileError(cid, `a leaf was announced with ${leaf.bytes} bytes and has ${bytes.byteLength}`)
          }
          const from = Math.max(offset, leaf.offset)
          const to = Math.min(offset + length, leaf.offset + leaf.bytes)
          out.set(bytes.subarray(from - leaf.offset, to - leaf.offset), from - offset)
        }))
      }
      return out
    }
  }
}

/** One content has one CID: its leaves are under nodes that follow from their number. */
function checkShape (cid: CID, size: number, leaves: Leaf[]): void {
  if (size <= FILE_BLOCK_BYTES_MAX) {
    throw new MalformedFileError(cid, `${size} bytes are one block`)
  }
  let root: CID | undefined
  for (const block of nodesOver(leaves.map(leaf => ({ cid: leaf.cid, contentBytes: leaf.bytes, treeBytes: leaf.bytes })))) {
    root = block.cid
  }
  if (root?.equals(cid) !== true) {
    throw new MalformedFileError(cid, `the same leaves are the file ${String(root)}`)
  }
}
