/**
 * A persistent ordered map: a weight-balanced tree (Adams 1992, with the parameters (3, 2) that
 * Hirai and Yamamoto proved, JFP 2011). Updates copy the path to the root and share the rest.
 * Balance is worst-case: keys are chosen by strangers, so no shape may rest on their luck.
 */
export interface IndexNode<V> {
  readonly key: string
  readonly value: V
  readonly left: IndexNode<V> | null
  readonly right: IndexNode<V> | null
  readonly size: number
}

type Tree<V> = IndexNode<V> | null

const DELTA = 3
const RATIO = 2

export function indexGet<V> (tree: Tree<V>, key: string): V | undefined {
  let node = tree

  while (node !== null) {
    if (key === node.key) {
      return node.value
    }

    node = key < node.key ? node.left : node.right
  }
}

export function indexSet<V> (tree: Tree<V>, key: string, value: V): IndexNode<V> {
  if (tree === null) {
    return make(key, value, null, null)
  }

  if (key === tree.key) {
    return make(key, value, tree.left, tree.right)
  }

  return key < tree.key
    ? balance(tree.key, tree.value, indexSet(tree.left, key, value), tree.right)
    : balance(tree.key, tree.value, tree.left, indexSet(tree.right, key, value))
}

export function indexDelete<V> (tree: Tree<V>, key: string): Tree<V> {
  if (tree === null) {
    return null
  }

  if (key === tree.key) {
    return join(tree.left, tree.right)
  }

  return key < tree.key
    ? balance(tree.key, tree.value, indexDelete(tree.left, key), tree.right)
    : balance(tree.key, tree.value, tree.left, indexDelete(tree.right, key))
}

/** Entries with keys that start with `prefix`, in key order from `from` on, which is not before `prefix`. */
export function * indexEntries<V> (tree: Tree<V>, prefix: string, from = prefix): IterableIterator<[string, V]> {
  const stack: Array<IndexNode<V>> = []
  let node = tree

  for (;;) {
    while (node !== null) {
      if (node.key >= from) {
        stack.push(node)
        node = node.left
      } else {
        node = node.right
      }
    }

    const next = stack.pop()

    if (next === undefined || !next.key.startsWith(prefix)) {
      return
    }

    yield [next.key, next.value]
    node = next.right
  }
}

/** The tree of entries that are in key order already. */
export function indexOf<V> (entries: Array<[string, V]>, from = 0, to = entries.length): Tree<V> {
  if (from >= to) {
    return null
  }

  const middle = (from + to) >>> 1
  const [key, value] = entries[middle]

  return make(key, value, indexOf(entries, from, middle), indexOf(entries, middle + 1, to))
}

export function indexSize<V> (tree: Tree<V>): number {
  return tree === null ? 0 : tree.size
}

function make<V> (key: string, value: V, left: Tree<V>, right: Tree<V>): IndexNode<V> {
  return { key, value, left, right, size: indexSize(left) + indexSize(right) + 1 }
}

function balance<V> (key: string, value: V, left: Tree<V>, right: Tree<V>): IndexNode<V> {
  // weights are sizes plus one, as the proof has it
  const leftWeight = indexSize(left) + 1
  const rightWeight = indexSize(right) + 1

  if (right !== null && rightWeight > DELTA * leftWeight) {
    const { left: inner, right: outer } = right

    return inner === null || indexSize(inner) + 1 < RATIO * (indexSize(outer) + 1)
      ? make(right.key, right.value, make(key, value, left, inner), outer)
      : make(inner.key, inner.value, make(key, value, left, inner.left), make(right.key, right.value, inner.right, outer))
  }

  if (left !== null && leftWeight > DELTA * rightWeight) {
    const { left: outer, right: inner } = left

    return inner === null || indexSize(inner) + 1 < RATIO * (indexSize(outer) + 1)
      ? make(left.key, left.value, outer, make(key, value, inner, right))
      : make(inner.key, inner.value, make(left.key, left.value, outer, inner.left), make(key, value, inner.right, right))
  }

  return make(key, value, left, right)
}

/** Two neighbours of a removed node, all keys of `left` before those of `right`. */
function join<V> (left: Tree<V>, right: Tree<V>): Tree<V> {
  if (left === null || right === null) {
    return left ?? right
  }

  if (left.size > right.size) {
    const last = end(left, 'right')

    return balance(last.key, last.value, indexDelete(left, last.key), right)
  }

  const first = end(right, 'left')

  return balance(first.key, first.value, left, indexDelete(right, first.key))
}

function end<V> (tree: IndexNode<V>, side: 'left' | 'right'): IndexNode<V> {
  let node = tree

  for (let next = node[side]; next !== null; next = node[side]) {
    node = next
  }

  return node
}
