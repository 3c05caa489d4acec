import type { BenchResult } from './interface.ts'

/**
 * What others publish of their consensus, with the conditions: none of it is measured here, and none
 * of the conditions are ours. What can be compared is the number of network delays: three here and in
 * Tendermint's best case, two or one in Alpenglow, which pays for the one with a lower bound on faults.
 */
export const published: BenchResult[] = [
  {
    name: 'publishedCometBftSaturation',
    value: 400,
    unit: 'tx/s',
    detail: 'published, not measured here: CometBFT v1.0.0-alpha.2, 175 validators of 200 nodes in one data centre (DigitalOcean), 1 KB transactions, 90 s; saturated beyond. docs.cometbft.com, "QA results for CometBFT v1.x"'
  },
  {
    name: 'publishedCometBftLatencyMs',
    value: 4000,
    unit: 'ms',
    detail: 'published, not measured here: the same run at 400 tx/s, "most latencies are around or below 4 seconds", 20 to 40 blocks a minute; about 10 a minute with emulated latencies between regions'
  },
  {
    name: 'publishedAlpenglowFinalityMs',
    value: 150,
    unit: 'ms',
    detail: 'published, not measured here: median that Anza expects of simulations with the stake and places of Solana\'s validators, down to 100 ms; one round with 80 % of stake, two with 60 %, safe below 20 % of faulty stake (SIMD-0326 and its white paper 1.1, 2025)'
  }
]
