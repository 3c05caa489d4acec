import { STATE_DEPTH_MAX, STATE_PROOF_BYTES_MAX } from './constants.ts'
import { bit, branchDigest, commonBits, EMPTY, isLeaf, leafDigest, samePath, treeDigest } from './sparse-tree.ts'
import type { Leaf, Tree } from './sparse-tree.ts'
import type { Hash } from '../interface/index.ts'

/** What stands at the end of a path. */
export type Terminal =
  | { kind: 'key' }
  | { kind: 'nothing' }
  | { kind: 'other', path: Hash, valueHash: Hash }

export interface TreeProof {
  terminal: Terminal
  /** from the root down; null is an empty subtree */
  siblings: Array<Hash | null>
}

const KINDS = ['key', 'nothing', 'other'] as const
const HEAD_BYTES = 3

/** Bytes of the proof of a path: see protocols/state/state.md. */
export function proveInTree (tree: Tree, path: Hash): Uint8Array {
  const siblings: Array<Hash | null> = []
  let node = tree

  while (node !== null && !isLeaf(node)) {
    const left = bit(path, siblings.length) === 0
    const sibling = left ? node.right : node.left

    node = left ? node.left : node.right
    siblings.push(sibling === null ? null : treeDigest(sibling))
  }

  return encodeTreeProof({ terminal: terminalOf(node, path), siblings })
}

function terminalOf (leaf: Leaf | null, path: Hash): Terminal {
  if (leaf === null) {
    return { kind: 'nothing' }
  }

  return samePath(leaf.path, path) ? { kind: 'key' } : { kind: 'other', path: leaf.path, valueHash: leaf.valueHash }
}

/** The root that a proof leads to, or null when it does not fit the path or what is claimed. */
export function rootOfProof (proof: TreeProof, path: Hash, valueHash: Hash | null): Hash | null {
  const { terminal, siblings } = proof
  let digest: Hash

  if (valueHash !== null) {
    if (terminal.kind !== 'key') {
      return null
    }

    digest = leafDigest(path, valueHash)
  } else if (terminal.kind === 'other') {
    const common = commonBits(terminal.path, path)

    if (common < siblings.length || common === STATE_DEPTH_MAX) {
      return null
    }

    digest = leafDigest(terminal.path, terminal.valueHash)
  } else if (terminal.kind === 'nothing') {
    digest = EMPTY
  } else {
    return null
  }

  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth] ?? EMPTY

    digest = bit(path, depth) === 0 ? branchDigest(digest, sibling) : branchDigest(sibling, digest)
  }

  return digest
}

export function encodeTreeProof ({ terminal, siblings }: TreeProof): Uint8Array {
  const bitmap = new Uint8Array((siblings.length + 7) >> 3)
  const parts: Uint8Array[] = [bitmap]

  for (const [i, sibling] of siblings.entries()) {
    if (sibling !== null) {
      bitmap[i >> 3] |= 0x80 >> (i & 7)
      parts.push(sibling)
    }
  }

  if (terminal.kind === 'other') {
    parts.push(terminal.path, terminal.valueHash)
  }

  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, HEAD_BYTES))
  let at = HEAD_BYTES

  out.set([KINDS.indexOf(terminal.kind), siblings.length >> 8, siblings.length & 0xff])

  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }

  return out
}

/** Null when the bytes are not exactly a proof: too long, cut short, with a rest, or with unused bits set. */
export function decodeTreeProof (bytes: Uint8Array): TreeProof | null {
  if (bytes.length < HEAD_BYTES || bytes.length > STATE_PROOF_BYTES_MAX) {
    return null
  }

  const kind = KINDS[bytes[0]]
  const depth = (bytes[1] << 8) | bytes[2]
  const bitmap = bytes.subarray(HEAD_BYTES, HEAD_BYTES + ((depth + 7) >> 3))

  if (kind === undefined || depth > STATE_DEPTH_MAX || bitmap.length !== (depth + 7) >> 3) {
    return null
  }

  const present = Array.from({ length: bitmap.length * 8 }, (_, i) => (bitmap[i >> 3] & (0x80 >> (i & 7))) !== 0)
  const end = HEAD_BYTES + bitmap.length + present.filter(Boolean).length * 32

  if (present.lastIndexOf(true) >= depth || bytes.length !== end + (kind === 'other' ? 64 : 0)) {
    return null
  }

  const siblings: Array<Hash | null> = []
  let at = HEAD_BYTES + bitmap.length

  for (const there of present.slice(0, depth)) {
    siblings.push(there ? bytes.slice(at, at + 32) : null)
    at += there ? 32 : 0
  }

  const terminal: Terminal = kind === 'other' ? { kind, path: bytes.slice(end, end + 32), valueHash: bytes.slice(end + 32) } : { kind }

  return { terminal, siblings }
}
