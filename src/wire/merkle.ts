import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from './bytes.ts'
import { LeafIndexError } from './errors.ts'
import type { Hash } from '../interface/index.ts'

// RFC 6962 section 2.1: leaves and nodes hash with different prefixes, so a node is never taken for a leaf.
const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** Hash of a leaf of an RFC 6962 tree. */
export function merkleLeaf (leaf: Uint8Array): Hash {
  return sha256(concatBytes(LEAF, leaf))
}

/** Hash of a node of an RFC 6962 tree, of those of its children. */
export function merkleNode (left: Hash, right: Hash): Hash {
  return sha256(concatBytes(NODE, left, right))
}

/** The largest power of two smaller than `size`, which is at least 2. */
function splitOf (size: number): number {
  let split = 1

  while (split * 2 < size) {
    split *= 2
  }

  return split
}

function rootOf (hashes: Hash[], from: number, to: number): Hash {
  if (to - from === 1) {
    return hashes[from]
  }

  const middle = from + splitOf(to - from)

  return merkleNode(rootOf(hashes, from, middle), rootOf(hashes, middle, to))
}

/** Merkle tree hash of RFC 6962, section 2.1. The root of no leaves is SHA-256 of nothing. */
export function merkleRoot (leaves: Uint8Array[]): Hash {
  return leaves.length === 0 ? sha256(new Uint8Array()) : rootOf(leaves.map(merkleLeaf), 0, leaves.length)
}

/**
 * Audit path of RFC 6962, section 2.1.1: siblings from the leaf up, at most ⌈log2 size⌉.
 * Costs one hash for every leaf and node.
 *
 * @throws {LeafIndexError}
 */
export function merkleProof (leaves: Uint8Array[], index: number): Hash[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.length) {
    throw new LeafIndexError(index, leaves.length)
  }

  const hashes = leaves.map(merkleLeaf)
  const proof: Hash[] = []
  let from = 0
  let to = leaves.length

  while (to - from > 1) {
    const middle = from + splitOf(to - from)

    if (index < middle) {
      proof.push(rootOf(hashes, middle, to))
      to = middle
    } else {
      proof.push(rootOf(hashes, from, middle))
      from = middle
    }
  }

  return proof.reverse()
}

/**
 * Does the tree of `size` leaves with this root have `leaf` at `index`? (RFC 9162, section 2.1.3.2.)
 * Anything malformed is false, never an error.
 */
export function verifyMerkleProof (root: Hash, leaf: Uint8Array, index: number, size: number, proof: Hash[]): boolean {
  // 53 siblings suffice for every size that a number can count
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size || proof.length > 53) {
    return false
  }

  let position = index
  let last = size - 1
  let hash = merkleLeaf(leaf)

  for (const sibling of proof) {
    if (last === 0 || sibling.length !== 32) {
      return false
    }

    if (position % 2 === 1 || position === last) {
      hash = merkleNode(sibling, hash)

      while (position % 2 === 0 && position !== 0) {
        position /= 2
        last = Math.floor(last / 2)
      }
    } else {
      hash = merkleNode(hash, sibling)
    }

    position = Math.floor(position / 2)
    last = Math.floor(last / 2)
  }

  return last === 0 && equalBytes(hash, root)
}
