import { merkleLeaf, merkleNode, merkleRoot } from '../wire/index.ts'
import type { Hash } from '../interface/index.ts'

/**
 * A Merkle mountain range (Todd 2012; Grin and Flyclient, eprint 2019/226, keep block headers so): an
 * append-only tree of which only the roots of its perfect subtrees, the *peaks*, have to be kept.
 * Bagged from right to left they give the tree hash of RFC 9162, section 2.1, so its inclusion
 * proofs apply and `verifyMerkleProof` of wire verifies them.
 *
 * Sizes are counts of leaves, safe integers; nothing is done with bits, which end at 32.
 */

/** A perfect subtree: the leaves from index · 2^level to (index + 1) · 2^level − 1. */
export interface RangeNode {
  level: number
  index: number
}

export interface HashedNode extends RangeNode {
  hash: Hash
}

/** Perfect subtrees that make up the leaves from `from` to `to`, largest first; `from` is a multiple of the largest. */
function cover (from: number, to: number): RangeNode[] {
  const nodes: RangeNode[] = []
  let at = from

  for (let left = to - from; left > 0;) {
    let level = 0
    let span = 1

    while (span * 2 <= left) {
      level++
      span *= 2
    }

    nodes.push({ level, index: at / span })
    at += span
    left -= span
  }

  return nodes
}

/** Where the peaks of a tree of `size` leaves stand, largest first: one for each 1 in its binary digits. */
export function peaksOf (size: number): RangeNode[] {
  return cover(0, size)
}

/** The root of a tree by its peaks, largest first; without any, that of an empty tree. */
export function bagPeaks (peaks: readonly Hash[]): Hash {
  return peaks.length === 0 ? merkleRoot([]) : peaks.reduceRight((right, left) => merkleNode(left, right))
}

/**
 * Adds a leaf to a tree of `size` leaves.
 *
 * @returns the peaks afterwards, and the nodes that are new: the leaf's first, then each parent
 */
export function appendLeaf (size: number, peaks: readonly Hash[], leaf: Uint8Array): { peaks: Hash[], made: HashedNode[] } {
  const kept = [...peaks]
  const made: HashedNode[] = [{ level: 0, index: size, hash: merkleLeaf(leaf) }]
  let node = made[0]

  // a right child completes its parent, as a carry does
  while (node.index % 2 === 1) {
    const left = kept.pop()

    if (left === undefined) {
      break
    }

    node = { level: node.level + 1, index: (node.index - 1) / 2, hash: merkleNode(left, node.hash) }
    made.push(node)
  }

  return { peaks: [...kept, node.hash], made }
}

/**
 * Which nodes prove the leaf at `index` in the tree of the first `size` leaves: a list for each
 * sibling from the leaf up, which `bagPeaks` makes one hash. A tree that has grown since still has them all.
 *
 * @param index - 0 to size − 1
 */
export function pathNodes (index: number, size: number): RangeNode[][] {
  const siblings: RangeNode[][] = []
  let from = 0
  let to = size

  while (to - from > 1) {
    let split = 1

    while (split * 2 < to - from) {
      split *= 2
    }

    const middle = from + split

    if (index < middle) {
      siblings.push(cover(middle, to))
      to = middle
    } else {
      siblings.push(cover(from, middle))
      from = middle
    }
  }

  return siblings.reverse()
}
