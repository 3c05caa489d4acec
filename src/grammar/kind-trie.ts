import { byNode, preorder, tokenTree } from './token-tree.ts'
import type { Vocabulary } from './vocabulary.ts'

/**
 * Tokens by the kinds of their bytes, as a tree in preorder: what is below a node follows it up to
 * `skip`. A grammar has some tens of kinds, so words that it cannot tell apart are one node, and the
 * tokens below a node lie together.
 */
export interface KindTrie {
  /** the kind that leads to each node; of the root it means nothing */
  kind: Uint8Array
  /** bytes from the root */
  level: Uint16Array
  /** the node behind all that are below */
  skip: Uint32Array
  /** the first token in `ids` that ends at or below each node: its own come first; at last their number */
  start: Uint32Array
  ids: Uint32Array
  /** bytes of the longest way down */
  depth: Uint16Array
  /** bit k of node i: whether the kind k leads to a node below; `words` words each */
  below: Uint32Array
  words: number
}

/**
 * @param vocabulary - all tokens
 * @param kinds - the kind of each of the 256 bytes
 * @param count - how many kinds there are
 */
export function kindTrie (vocabulary: Vocabulary, kinds: Uint8Array, count: number): KindTrie {
  const tree = tokenTree(vocabulary, kinds)
  const placed = preorder(tree)
  const { order, start } = byNode(tree, placed)
  const kind = new Uint8Array(tree.size)

  for (let node = 1; node < tree.size; node++) {
    kind[placed.numbers[node]] = tree.kind[node]
  }

  return { kind, level: placed.levels, start, ids: order.map(token => vocabulary.ids[token]), ...summary(kind, placed.parents, (count + 31) >>> 5) }
}

/** What each node says of those below it, from the last one on. */
function summary (kind: Uint8Array, parents: Uint32Array, words: number): Pick<KindTrie, 'skip' | 'depth' | 'below' | 'words'> {
  const skip = new Uint32Array(kind.length)
  const depth = new Uint16Array(kind.length)
  const below = new Uint32Array(kind.length * words)

  for (let node = kind.length - 1; node > 0; node--) {
    const parent = parents[node]

    skip[node] = Math.max(skip[node], node + 1)
    skip[parent] = Math.max(skip[parent], skip[node])
    depth[parent] = Math.max(depth[parent], depth[node] + 1)
    below[parent * words + (kind[node] >>> 5)] |= 1 << (kind[node] & 31)

    for (let word = 0; word < words; word++) {
      below[parent * words + word] |= below[node * words + word]
    }
  }

  return { skip, depth, below, words }
}
