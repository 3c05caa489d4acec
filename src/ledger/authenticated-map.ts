import { domains, hash, STATE_VALUE_BYTES_MAX, utf8 } from '../wire/index.ts'
import { STATE_KEY_LENGTH_MAX, STATE_VALUE_DOMAIN } from './constants.ts'
import { StateKeyError, StateValueError } from './errors.ts'
import { indexDelete, indexEntries, indexGet, indexOf, indexSet, indexSize } from './key-index.ts'
import { treeDelete, treeDigest, treeSet } from './sparse-tree.ts'
import { proveInTree } from './state-proof.ts'
import type { AuthenticatedMap } from './interface.ts'
import type { IndexNode } from './key-index.ts'
import type { Tree } from './sparse-tree.ts'
import type { Hash, StateProof } from '../interface/index.ts'

const KEY_PATTERN = /^[\x21-\x7e]+$/

/** Where a key stands in the tree. */
export function statePath (key: string): Hash {
  return hash(domains.stateKey, utf8(key))
}

export function stateValueHash (value: Uint8Array): Hash {
  return hash(STATE_VALUE_DOMAIN, value)
}

/**
 * An empty map, or one of entries that are in strict key order.
 *
 * Two persistent trees hold it: a sparse Merkle tree by the hash of the key gives the root and the
 * proofs, a balanced tree by key gives values and ordered listing. An update costs O(log n) in each.
 * The caller must not change a value's bytes afterwards.
 *
 * @example
 * ```ts
 * const map = authenticatedMap().set('account/z6Mk…', bytes)
 * verifyStateProof(map.root, map.prove('account/z6Mk…')) // true
 * ```
 *
 * @throws {StateKeyError} when keys are malformed or not in strict order
 */
export function authenticatedMap (entries: Array<[string, Uint8Array]> = []): AuthenticatedMap {
  let tree: Tree = null

  for (const [i, [key, value]] of entries.entries()) {
    checkEntry(key, value)

    if (i > 0 && key <= entries[i - 1][0]) {
      throw new StateKeyError(key, 'keys in strict order')
    }

    tree = treeSet(tree, { path: statePath(key), valueHash: stateValueHash(value) })
  }

  return mapOf(tree, indexOf(entries))
}

function mapOf (tree: Tree, index: IndexNode<Uint8Array> | null): AuthenticatedMap {
  return {
    get root (): Hash {
      return treeDigest(tree)
    },

    get size (): number {
      return indexSize(index)
    },

    get (key) {
      return indexGet(index, key)
    },

    set (key, value) {
      checkEntry(key, value)

      return mapOf(treeSet(tree, { path: statePath(key), valueHash: stateValueHash(value) }), indexSet(index, key, value))
    },

    delete (key) {
      return indexGet(index, key) === undefined ? mapOf(tree, index) : mapOf(treeDelete(tree, statePath(key)), indexDelete(index, key))
    },

    entries (prefix = '', from = prefix) {
      return indexEntries(index, prefix, from)
    },

    prove (key): StateProof {
      checkKey(key)

      return { key, value: indexGet(index, key) ?? null, proof: proveInTree(tree, statePath(key)) }
    }
  }
}

function checkKey (key: string): void {
  if (key.length > STATE_KEY_LENGTH_MAX || !KEY_PATTERN.test(key)) {
    throw new StateKeyError(key.slice(0, STATE_KEY_LENGTH_MAX), `1 to ${STATE_KEY_LENGTH_MAX} printable ASCII characters without spaces`)
  }
}

function checkEntry (key: string, value: Uint8Array): void {
  checkKey(key)

  if (value.length > STATE_VALUE_BYTES_MAX) {
    throw new StateValueError(key, `a value of at most ${STATE_VALUE_BYTES_MAX} bytes but got ${value.length}`)
  }
}
