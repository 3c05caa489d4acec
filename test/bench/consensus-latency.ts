import { proposalCodec, voteCodec } from '../../src/consensus/index.ts'
import { certificateCodec } from '../../src/wire/index.ts'
import { fakeCrypto, simulate } from '../sim/simulator.ts'
import type { BenchResult } from './interface.ts'
import type { ConsensusInput } from '../../src/consensus/index.ts'
import type { Scenario } from '../sim/interface.ts'

const LINK_MS = 50
const CALM_MS = 20_000

const bytesOf = (input: ConsensusInput): number => {
  switch (input.type) {
    case 'vote':
      return voteCodec.encode(input.vote).length
    case 'certificate':
      return certificateCodec.encode(input.certificate).length
    case 'proposal':
      return proposalCodec.encode({ block: { header: input.proposal.header, beaconSignature: new Uint8Array(96), transactions: [] }, vote: input.proposal.vote, justification: input.proposal.justification }).length
    default:
      return 0
  }
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]

const well = (n: number): Scenario => ({
  seed: 1,
  stakes: new Array<bigint>(n).fill(1n),
  villains: {},
  crashes: false,
  chaosMs: 0,
  calmMs: CALM_MS,
  linkMs: LINK_MS,
  // an empty block takes a millisecond or two here
  workMsMax: 5
})

/** From the moment that a leader sends a block to that at which each of the others has it final, in link delays. */
const finality = (n: number): BenchResult[] => {
  const proposedMs = new Map<string, number>()
  const hops: number[] = []
  const crypto = fakeCrypto(well(n).stakes)
  let bytes = 0
  const { heights } = simulate({
    ...well(n),
    crypto: { ...crypto, transmit: input => { bytes += bytesOf(input); return input } },
    onBlock: (what, hash, nowMs) => {
      const sentMs = proposedMs.get(hash)

      if (what === 'proposed') {
        proposedMs.set(hash, sentMs ?? nowMs)
      } else if (sentMs !== undefined) {
        hops.push((nowMs - sentMs) / LINK_MS)
      }
    }
  })
  const blocks = Math.max(...heights)

  return [
    { name: n === 32 ? 'finalityHopsMedian' : `finalityHopsMedian${n}`, value: median(hops), unit: 'hops', detail: `from proposal to finality at ${n} simulated validators, links of ${LINK_MS} ms, blocks executed in up to 5 ms; ${blocks} blocks` },
    { name: `bytesPerBlock${n}`, value: bytes / blocks / n, unit: 'bytes', detail: `sent by one of ${n} validators for an empty block, if each sends to each: votes, certificates and proposals` }
  ]
}

/** One of the validators falls silent for good while all is well. */
const recovery = (n: number): BenchResult => {
  const diedMs = 20_000
  const { longestPauseMs } = simulate({ ...well(n), calmMs: 60_000, pausesFromMs: diedMs, cut: (from, _, nowMs) => nowMs > diedMs && from === 1 })

  return { name: `recovery${n}Ms`, value: longestPauseMs, unit: 'ms', detail: `longest time without a final block after one of ${n} validators died: once the whole wait for it, which quick turns made short, a second at each later turn` }
}

/** What only virtual time and links can show. */
export const latency = (): BenchResult[] => [...finality(16), ...finality(32), recovery(7)]
