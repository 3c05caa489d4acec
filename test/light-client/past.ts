import { bagPeaks, executeBlock, genesisState, historyGrowth, pathNodes, readHistory } from '../../src/ledger/index.ts'
import { headerHash, outcomesRoot } from '../../src/wire/index.ts'
import { certify, genesisOf, headerOf, signerOf, testSource } from './chain.ts'
import type { TestSource } from './chain.ts'
import type { Hash, Header, PastHeader } from '../../src/interface/index.ts'
import type { HashedNode, LedgerState } from '../../src/ledger/index.ts'

type Tree = 'blocks' | 'epochs'

/** A source of a chain whose blocks were executed, with the paths of its history. */
export interface PastSource extends TestSource {
  past: NonNullable<TestSource['past']>
  epochEnd: NonNullable<TestSource['epochEnd']>
  headers: Header[]
  /** adds so many blocks and certifies the last one: the others have no certificate at all */
  grow (blocks: number): void
}

export function pastSource (): PastSource {
  const genesis = genesisOf()
  const source = testSource()
  const nodes = new Map<string, Hash>()
  const ends: Header[] = []
  let state: LedgerState = genesisState(genesis)
  const headers = [headerOf(0, state.map)]

  const keep = (tree: Tree, made: HashedNode[]): void => { made.forEach(({ level, index, hash }) => nodes.set(`${tree}/${level}/${index}`, hash)) }
  const path = (tree: Tree, index: number, size: number): Hash[] => pathNodes(index, size).map(siblings => bagPeaks(siblings.map(({ level, index }) => {
    const hash = nodes.get(`${tree}/${level}/${index}`)

    if (hash === undefined) {
      throw new RangeError('unknown node')
    }

    return hash
  })))
  const past = (tree: Tree, of: Header[], index: number, size: number): PastHeader => {
    if (index >= size || of[index] === undefined) {
      throw new RangeError('unknown header')
    }

    return { header: of[index], path: path(tree, index, size) }
  }

  function step (): void {
    const before = headers[headers.length - 1]
    const parent = headerHash(before)
    const growth = historyGrowth(state, parent)

    keep('blocks', growth.blocks)
    keep('epochs', growth.epochs)

    if (growth.ended !== null) {
      ends.push(before)
    }

    const { state: after, results } = executeBlock(state, { height: before.height + 1, parent, proposer: signerOf('validator/0').account, beaconSignature: new Uint8Array(96), transactions: [] })
    state = after
    headers.push(headerOf(state.height, state.map, { parent, outcomesRoot: outcomesRoot(results) }))
  }

  return {
    ...source,
    headers,
    grow (blocks) {
      for (let i = 0; i < blocks; i++) {
        step()
      }

      source.maps.clear()
      source.maps.set(state.height, state.map)
      source.certified.set(state.height, certify(headers[state.height]))
    },
    past: async (height, size) => past('blocks', headers, height, size),
    epochEnd: async (epoch, size) => size === readHistory(state)?.epochs ? past('epochs', ends, epoch, size) : Promise.reject(new RangeError('another size'))
  }
}
