import { domains, hash } from '../wire/index.ts'
import type { Hash } from '../interface/index.ts'

/**
 * A compact sparse Merkle tree (Dahlberg, Pulls and Peeters 2016, with the shortcut of Jellyfish:
 * a subtree of one leaf is that leaf). The position of a leaf is the bits of its 32-byte path, most
 * significant first. The form is canonical: a branch has at least two leaves below it, so equal
 * entries give equal trees whatever the order of updates.
 */
export interface Leaf {
  readonly path: Hash
  readonly valueHash: Hash
  digest?: Hash
}

export interface Branch {
  readonly left: Tree
  readonly right: Tree
  digest?: Hash
}

export type Tree = Leaf | Branch | null

/** The digest of nothing. No SHA-256 input is known that gives it. */
export const EMPTY: Hash = new Uint8Array(32)

export function isLeaf (node: Leaf | Branch): node is Leaf {
  return 'path' in node
}

export function bit (path: Hash, depth: number): 0 | 1 {
  return ((path[depth >> 3] >> (7 - (depth & 7))) & 1) === 1 ? 1 : 0
}

export function samePath (a: Hash, b: Hash): boolean {
  return commonBits(a, b) === 256
}

/** How many leading bits two paths share. */
export function commonBits (a: Hash, b: Hash): number {
  for (let i = 0; i < 32; i++) {
    const difference = a[i] ^ b[i]

    if (difference !== 0) {
      return i * 8 + Math.clz32(difference) - 24
    }
  }

  return 256
}

export function leafDigest (path: Hash, valueHash: Hash): Hash {
  return hash(domains.stateLeaf, path, valueHash)
}

export function branchDigest (left: Hash, right: Hash): Hash {
  return hash(domains.stateNode, left, right)
}

/** Computed once per node: only what changed since the last root is hashed. */
export function treeDigest (tree: Tree): Hash {
  if (tree === null) {
    return EMPTY
  }

  tree.digest ??= isLeaf(tree)
    ? leafDigest(tree.path, tree.valueHash)
    : branchDigest(treeDigest(tree.left), treeDigest(tree.right))

  return tree.digest
}

export function treeSet (tree: Tree, leaf: Leaf, depth = 0): Tree {
  if (tree === null) {
    return leaf
  }

  if (isLeaf(tree)) {
    return samePath(tree.path, leaf.path) ? leaf : fork(tree, leaf, depth)
  }

  return bit(leaf.path, depth) === 0
    ? { left: treeSet(tree.left, leaf, depth + 1), right: tree.right }
    : { left: tree.left, right: treeSet(tree.right, leaf, depth + 1) }
}

export function treeDelete (tree: Tree, path: Hash, depth = 0): Tree {
  if (tree === null) {
    return null
  }

  if (isLeaf(tree)) {
    return samePath(tree.path, path) ? null : tree
  }

  const first = bit(path, depth) === 0
  const changed = treeDelete(first ? tree.left : tree.right, path, depth + 1)
  const other = first ? tree.right : tree.left

  // a lone leaf moves up until it has a neighbour again
  if (changed === null && other !== null && isLeaf(other)) {
    return other
  }

  if (other === null && (changed === null || isLeaf(changed))) {
    return changed
  }

  return first ? { left: changed, right: other } : { left: other, right: changed }
}

/** The branches from `depth` to where two leaves part. */
function fork (a: Leaf, b: Leaf, depth: number): Branch {
  const parting = commonBits(a.path, b.path)
  let node: Branch = bit(a.path, parting) === 0 ? { left: a, right: b } : { left: b, right: a }

  for (let at = parting - 1; at >= depth; at--) {
    node = bit(a.path, at) === 0 ? { left: node, right: null } : { left: null, right: node }
  }

  return node
}
