/**
 * What a light client is given of a header of long ago, in a chain of a million blocks.
 */
import { appendLeaf, bagPeaks, pathNodes, stateCodecs, stateKeys } from '../../src/ledger/index.ts'
import { headerHash, pastHeaderCodec, stateProofCodec, verifyMerkleProof } from '../../src/wire/index.ts'
import type { BenchResult } from './interface.ts'
import type { Hash, Header } from '../../src/interface/index.ts'
import type { AuthenticatedMap } from '../../src/ledger/index.ts'

const EPOCH_BLOCKS = 100
const PROBES = 1_000

/** All nodes of a tree, one array a level: a million leaves take 64 MB. */
function treeOf (leafOf: (index: number) => Hash, size: number): { root: Hash, path (index: number): Hash[], appendUs: number } {
  const levels: Uint8Array[] = []
  let peaks: Hash[] = []
  const { user } = process.cpuUsage()

  for (let count = 0; count < size; count++) {
    const { peaks: after, made } = appendLeaf(count, peaks, leafOf(count))

    for (const { level, index, hash } of made) {
      levels[level] ??= new Uint8Array(32 * Math.ceil(size / 2 ** level))
      levels[level].set(hash, 32 * index)
    }

    peaks = after
  }

  return {
    root: bagPeaks(peaks),
    path: index => pathNodes(index, size).map(nodes => bagPeaks(nodes.map(({ level, index }) => levels[level].subarray(32 * index, 32 * index + 32)))),
    appendUs: (process.cpuUsage().user - user) / size
  }
}

/**
 * @param header - like those of the chain; only its height differs from leaf to leaf
 * @param state - what the proof of the roots is made in
 * @param size - blocks
 */
export function historyBytes (header: Header, state: AuthenticatedMap, size: number): BenchResult[] {
  const blocks = probe(header, size, index => index)
  const epochs = probe(header, Math.floor(size / EPOCH_BLOCKS), index => (index + 1) * EPOCH_BLOCKS)
  const map = state.set(stateKeys.history, stateCodecs.history.encode({ blocks: blocks.root, epochs: epochs.size, epochEnds: epochs.root }))
  const rootsBytes = stateProofCodec.encode(map.prove(stateKeys.history)).length

  return [
    { name: 'historyProofBytes1m', value: blocks.bytes + rootsBytes, unit: 'bytes', detail: `the largest of ${PROBES} headers among ${size}: header and path ${blocks.bytes}, proof of the roots ${rootsBytes}, which serves all headers that are read by one` },
    { name: 'epochProofBytes1m', value: epochs.bytes + rootsBytes, unit: 'bytes', detail: `the last header of one of ${epochs.size} epochs: header and path ${epochs.bytes}` },
    { name: 'historyAppendUs', value: Number(blocks.appendUs.toFixed(1)), unit: 'µs', detail: 'processor time to add one header; a block keeps two nodes of 32 bytes on the average' }
  ]
}

/** The largest header with its path among some of a tree; those between are stood for by their number. */
function probe (header: Header, size: number, heightOf: (index: number) => number): { root: Hash, size: number, bytes: number, appendUs: number } {
  const probed = new Set(Array.from({ length: PROBES }, (_, i) => Math.floor(i * (size - 1) / (PROBES - 1))))
  const headerAt = (index: number): Header => ({ ...header, height: heightOf(index) })
  const tree = treeOf(index => probed.has(index) ? headerHash(headerAt(index)) : new Uint8Array(new Float64Array([index, 0, 0, 0]).buffer), size)

  const lengths = [...probed].map(index => {
    const past = { header: headerAt(index), path: tree.path(index) }

    if (!verifyMerkleProof(tree.root, headerHash(past.header), index, size, past.path)) {
      throw new RangeError(`the path of leaf ${index} does not verify`)
    }

    return pastHeaderCodec.encode(past).length
  })

  return { root: tree.root, size, bytes: Math.max(...lengths), appendUs: tree.appendUs }
}
