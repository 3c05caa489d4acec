/**
 * Runs the consensus simulator over many seeds and prints how many it does a minute.
 *
 *   node tools/sim.ts --seeds 1000 [--from 1] [--seconds 60]
 *
 * A seed that fails is printed with what went wrong; `--from <seed> --seeds 1` runs it again.
 */
import { parseArgs } from 'node:util'
import { trySeed } from '../test/sim/simulator.ts'

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '500' }, from: { type: 'string', default: '1' }, seconds: { type: 'string', default: '600' } } })
const from = Number(values.from)
const startedMs = performance.now()
let done = 0
let failed = 0

while (done < Number(values.seeds) && performance.now() - startedMs < Number(values.seconds) * 1000) {
  const wrong = trySeed(from + done)

  if (wrong.length > 0) {
    failed++
    console.log(wrong.join('\n  '))
  }

  done++
}

const minutes = (performance.now() - startedMs) / 60_000

console.log(`${done} seeds, ${failed} failed, ${Math.round(done / minutes)} seeds per minute`)
process.exitCode = failed === 0 ? 0 : 1
