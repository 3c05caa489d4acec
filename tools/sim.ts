/**
 * Runs the simulator over many seeds and prints how many it does a minute.
 *
 *   node tools/sim.ts [--of consensus|eras|scores] [--seeds 500] [--from 1] [--seconds 600]
 *
 * `--of eras` has sets of validators that change, `--of scores` plays the game about scores instead. `--from commit` begins at a seed
 * drawn from the commit that is checked out, so that each commit tries others; `--seeds all` goes on
 * until the seconds are over. A seed that fails is printed with what went wrong, and how to run it again.
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { tryGame } from '../test/sim/game/game.ts'
import { tryEras, trySeed } from '../test/sim/simulator.ts'

const { values } = parseArgs({
  options: {
    of: { type: 'string', default: 'consensus' },
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '600' }
  }
})

/** Far above the seeds that were run by hand. */
function ofCommit (): number {
  try {
    return 1_000_000 + Number.parseInt(execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).slice(0, 7), 16)
  } catch {
    console.error('expected a checkout of git for --from commit: name a whole number instead')
    process.exit(2)
  }
}

const attempts = new Map([['consensus', trySeed], ['eras', tryEras], ['scores', tryGame]])
const attempt = attempts.get(values.of)
const from = values.from === 'commit' ? ofCommit() : Number(values.from)
const seedsMax = values.seeds === 'all' ? Infinity : Number(values.seeds)
const startedMs = performance.now()
let done = 0
let failed = 0

if (attempt === undefined || !Number.isSafeInteger(from) || Number.isNaN(seedsMax) || !(Number(values.seconds) > 0)) {
  console.error('expected --of consensus, eras or scores, --from a whole number or commit, --seeds a number or all, --seconds above 0')
  process.exit(2)
}

console.log(`${values.of}: seeds from ${from}`)

while (done < seedsMax && performance.now() - startedMs < Number(values.seconds) * 1000) {
  const wrong = attempt(from + done)

  if (wrong.length > 0) {
    failed++
    console.log(wrong.join('\n  '))
    console.log(`  again: npm run sim -- --of ${values.of} --from ${from + done} --seeds 1`)
  }

  done++
}

const minutes = (performance.now() - startedMs) / 60_000

console.log(`${values.of}: ${done} seeds (${from} … ${from + done - 1}), ${failed} failed, ${Math.round(done / minutes)} seeds per minute`)
process.exitCode = failed === 0 ? 0 : 1
