import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { bagPeaks, decodeState, encodeState, historyGrowth, historyNodes, pathNodes, readChain, readHistory, stateKeys, stateRoot } from '../../src/ledger/index.ts'
import { merkleProof, merkleRoot, toHex, verifyMerkleProof } from '../../src/wire/index.ts'
import { Network, parentOf } from './network.ts'
import type { Hash } from '../../src/interface/index.ts'
import type { HashedNode, RangeNode } from '../../src/ledger/index.ts'

const keyOf = ({ level, index }: RangeNode): string => `${level}/${index}`

/** Keeps the nodes of a tree as a node of the network does. */
class Nodes {
  readonly #hashes = new Map<string, Hash>()

  add (nodes: HashedNode[]): void {
    nodes.forEach(node => { this.#hashes.set(keyOf(node), node.hash) })
  }

  /** Undefined if a node is missing. */
  path (index: number, size: number): Hash[] | undefined {
    const siblings = pathNodes(index, size).map(nodes => nodes.map(node => this.#hashes.get(keyOf(node))))

    return siblings.flat().includes(undefined) ? undefined : siblings.map(hashes => bagPeaks(hashes.filter(hash => hash !== undefined)))
  }
}

/** A network of so many blocks, and the nodes that it added to both trees. */
function chainOf (blocks: number): { network: Network, blocks: Nodes, epochs: Nodes } {
  const network = new Network()
  const trees = { blocks: new Nodes(), epochs: new Nodes() }

  for (let i = 0; i < blocks; i++) {
    const growth = historyGrowth(network.state, parentOf(network.state.height + 1))

    trees.blocks.add(growth.blocks)
    trees.epochs.add(growth.epochs)
    network.block()
  }

  return { network, ...trees }
}

const headersTo = (height: number): Hash[] => Array.from({ length: height }, (_, i) => parentOf(i + 1))

describe('the history of a chain', () => {
  it('is the tree of RFC 9162 over all headers before the block, at every height', () => {
    const network = new Network()

    expect(readHistory(network.state)).to.equal(undefined)

    for (let height = 1; height <= 70; height++) {
      network.block()
      const history = readHistory(network.state)

      expect(toHex(history?.blocks ?? new Uint8Array())).to.equal(toHex(merkleRoot(headersTo(height))))
    }
  })

  it('has the last header of each epoch, one block later', () => {
    const { network } = chainOf(13)
    const { epochBlocks } = readChain(network.state).params
    const ends = [1, 2, 3].map(epoch => parentOf(epoch * epochBlocks + 1))

    expect(readHistory(network.state)?.epochs).to.equal(3)
    expect(readHistory(network.state)?.epochEnds).to.deep.equal(merkleRoot(ends))
    expect(readHistory(chainOf(12).network.state)?.epochs).to.equal(2)
    expect(historyGrowth(chainOf(12).network.state, parentOf(13)).ended).to.equal(2)
    expect(historyGrowth(network.state, parentOf(14)).ended).to.equal(null)
  })

  it('gives the inclusion proofs of RFC 9162 for every leaf and every size since', () => {
    const { blocks } = chainOf(40)
    const headers = headersTo(40)

    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 39 }), (size, at) => {
      const index = at % size

      expect(blocks.path(index, size)).to.deep.equal(merkleProof(headers.slice(0, size), index))
    }), { numRuns: 300 })
  })

  it('needs no more than the peaks to go on after a snapshot', () => {
    const { network, blocks } = chainOf(29)
    const leapt = new Nodes()
    let state = decodeState(encodeState(network.state), stateRoot(network.state))

    leapt.add(historyNodes(state).blocks)

    for (let height = 29; height < 80; height++) {
      const growth = historyGrowth(state, parentOf(height + 1)).blocks

      leapt.add(growth)
      blocks.add(growth)
      network.block()
      state = network.state
    }

    const headers = headersTo(80)

    for (let height = 29; height < 80; height++) {
      const path = leapt.path(height, 80) ?? []

      expect(path).to.deep.equal(blocks.path(height, 80))
      expect(verifyMerkleProof(merkleRoot(headers), headers[height], height, 80, path)).to.equal(true)
    }

    // what came before is not there, and is not made up
    expect(leapt.path(3, 80)).to.equal(undefined)
  })

  it('costs a fixed number of bytes in the state, and at most 53 peaks', () => {
    const { network } = chainOf(63)

    expect(network.state.map.get(stateKeys.history)).to.have.length(94)
    expect(historyNodes(network.state).blocks.map(({ level }) => level)).to.deep.equal([5, 4, 3, 2, 1, 0])
    expect(pathNodes(0, Number.MAX_SAFE_INTEGER)).to.have.length(53)
    expect(pathNodes(Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER).flat()).to.have.length(52)
  })

  it('commits to the parent alone: another one is another state', () => {
    const growth = (hash: Hash): string => toHex(historyGrowth(new Network().state, hash).blocks[0].hash)

    expect(growth(parentOf(1))).to.not.equal(growth(parentOf(2)))
  })
})
