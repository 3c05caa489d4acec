/** Sequences of bytes, or of kinds of bytes, as a tree. Node 0 is the root, and means none where a child or sibling is named. */
export interface TokenTree {
  /** the byte or kind that leads to each node */
  kind: Uint8Array
  child: Uint32Array
  sibling: Uint32Array
  /** nodes; the lists have room for more */
  size: number
  /** the node at which each token ends */
  ends: Uint32Array
}

/** Tokens one behind the other. */
export interface Tokens {
  bytes: Uint8Array
  /** where the bytes of each begin, and at last where they end */
  offsets: Uint32Array
  /** how many first bytes each has in common with the one before; to say fewer costs time alone */
  shared: Uint32Array
}

/** Tokens as a tree of kinds, by the kind of each of the 256 bytes. */
export function tokenTree ({ bytes, offsets, shared }: Tokens, kinds: Uint8Array): TokenTree {
  const kind = new Uint8Array(bytes.length + 1)
  const child = new Uint32Array(bytes.length + 1)
  const sibling = new Uint32Array(bytes.length + 1)
  const ends = new Uint32Array(shared.length)
  const path = [0]
  let size = 1

  for (let token = 0; token < ends.length; token++) {
    const from = offsets[token]
    const length = offsets[token + 1] - from

    for (let at = shared[token]; at < length; at++) {
      const wanted = kinds[bytes[from + at]]
      const node = path[at]
      let found = child[node]

      while (found !== 0 && kind[found] !== wanted) {
        found = sibling[found]
      }

      if (found === 0) {
        found = size++
        kind[found] = wanted
        sibling[found] = child[node]
        child[node] = found
      }

      path[at + 1] = found
    }

    ends[token] = path[length]
  }

  return { kind, child, sibling, size, ends }
}

/** A tree's nodes numbered anew, so that all that are below a node follow it. */
export interface Preorder {
  /** the new number of each node */
  numbers: Uint32Array
  /** by new number: the parent's, and how many bytes the root is above */
  parents: Uint32Array
  levels: Uint16Array
}

export function preorder ({ child, sibling, size }: TokenTree): Preorder {
  const numbers = new Uint32Array(size)
  const parents = new Uint32Array(size)
  const levels = new Uint16Array(size)
  const path: number[] = []
  let node = child[0]

  for (let next = 1; next < size; next++) {
    numbers[node] = next
    parents[next] = path.length === 0 ? 0 : numbers[path[path.length - 1]]
    levels[next] = path.length + 1
    path.push(node)
    node = child[node]

    while (node === 0 && path.length > 0) {
      node = sibling[path.pop() ?? 0]
    }
  }

  return { numbers, parents, levels }
}

/** Tokens in the order of their nodes, and where those of each node begin; at last their number. */
export function byNode ({ ends, size }: TokenTree, { numbers }: Preorder): { order: Uint32Array, start: Uint32Array } {
  const start = new Uint32Array(size + 1)

  for (const end of ends) {
    start[numbers[end] + 1]++
  }

  for (let node = 1; node <= size; node++) {
    start[node] += start[node - 1]
  }

  const at = start.slice()
  const order = new Uint32Array(ends.length)

  ends.forEach((end, token) => { order[at[numbers[end]]++] = token })

  return { order, start }
}
