import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { client } from '../../src/api/index.ts'
import { chromiumPath } from '../ui/browser.ts'
import { visitPage } from './page.ts'
import { built, startDemo } from './run.ts'
import type { DemoResult } from '../../src/demo/index.ts'
import type { NodeStatus, TaskView } from '../../src/interface/index.ts'

const MINUTES = 60_000

/** What two runs must agree on. */
const comparable = ({ adapter, scoreRoot, scoreRoots, payouts, answers, why }: DemoResult): unknown => ({
  adapter, scoreRoot, scoreRoots, payouts, answers: answers.map(({ prompt, answer, fee }) => ({ prompt, answer, fee })), why
})

/** Basis points of a task's fees that went to contributors. */
const dataShare = ({ fees, payouts }: TaskView): number => Number(payouts.reduce((sum, { amount }) => sum + BigInt(amount), 0n) * 10_000n / BigInt(fees))

describe('the main job on a swarm of processes', function () {
  this.timeout(30 * MINUTES)

  let dataDir: string
  let killedDir: string
  let first: DemoResult

  before(async function () {
    if (!built()) {
      throw new RangeError('dist/ is missing: run `npm run build:app` first, as `npm test` does')
    }

    dataDir = await mkdtemp(join(tmpdir(), 'datanet-swarm-'))
    killedDir = await mkdtemp(join(tmpdir(), 'datanet-killed-'))
  })

  after(async () => {
    await rm(dataDir, { recursive: true, force: true })
    await rm(killedDir, { recursive: true, force: true })
  })

  it('runs from data to payouts and ends by itself', async () => {
    const run = startDemo(dataDir, { once: true })

    first = await run.result

    expect(await run.exit).to.equal(0)
    expect(first.adapter).to.match(/^bafy/)
    expect(first.scoreRoot).to.match(/^[0-9a-f]{64}$/)
    expect(first.scoreRoots).to.have.length(2)
    expect(first.why.verified).to.equal(true)
    expect(first.answers).to.have.length(3)
    // eight contributors, the adapter's developer and the base model's
    expect(Object.keys(first.payouts)).to.have.length(10)
    expect(Object.values(first.payouts).some(amount => BigInt(amount) > 0n)).to.equal(true)
  })

  it('resumes where it ended, shows the same, serves people by its page, and ends cleanly on Ctrl-C', async () => {
    const run = startDemo(dataDir)
    const again = await run.result

    expect(comparable(again)).to.deep.equal(comparable(first))

    const page = new URL(again.page)
    const api = client({ url: page.origin, token: page.hash.replace('#token=', '') })
    const status = await api.get<NodeStatus>('/api/v1/status')
    const [later, earlier] = await api.get<TaskView[]>('/api/v1/tasks')

    expect(status.params).to.have.nested.property('feeSplit.data', 5_500)
    expect(dataShare(earlier)).to.be.within(4_999, 5_000)
    expect(dataShare(later)).to.be.within(5_499, 5_500)

    const executable = chromiumPath()

    if (executable == null) {
      process.stdout.write('skipped: the page of the swarm, for want of Chromium\n')
    } else {
      await visitPage(executable, again.page)
    }

    run.interrupt()
    expect(await run.exit).to.equal(0)
  })

  it('comes to the same adapter, scores and payouts when a process is killed at every step', async () => {
    const { onLine, killed } = killer()
    let interrupted = false

    const beginning = startDemo(killedDir, {
      once: true,
      onLine: line => {
        onLine(line, beginning.pids)

        // the whole swarm is told to end in the middle of the Jacobian
        if (!interrupted && line.includes('influence Jacobian')) {
          interrupted = true
          beginning.interrupt()
        }
      }
    })

    expect(await beginning.exit, beginning.lines.slice(-20).join('\n')).to.equal(130)

    const rest = startDemo(killedDir, { once: true, onLine: line => { onLine(line, rest.pids) } })
    const result = await rest.result

    expect(await rest.exit).to.equal(0)
    expect(comparable(result)).to.deep.equal(comparable(first))
    expect(victims.filter(([line]) => !killed.has(line)).map(([line]) => line.source), 'lines that never came').to.deep.equal([])
  })
})

/**
 * Who is killed when a line matches. Every step has a line, and every kind of process its turn. The
 * demo asks several times a second how far a step is: where work is counted, any count will do.
 */
const victims: ReadonlyArray<readonly [line: RegExp, name: string]> = [
  [/❯ Stake assessors/, 'validator-2'],
  [/George Washington 1790 is on the ledger/, 'alice'],
  [/Theodore Roosevelt 1905 is on the ledger/, 'bob'],
  [/❯ Validators fetch/, 'validator-3'],
  [/step (?:[4-9]|\d\d) of/, 'studio'],
  [/❯ Wrap, delegate/, 'validator-4'],
  [/“/, 'gateway'],
  [/❯ Cut off the epoch/, 'validator-1'],
  [/❯ Execute the vote/, 'validator-3'],
  [/[1-9] committed/, 'validator-2'],
  [/❯ Settle at 55 %/, 'studio']
]

function killer (): { onLine(line: string, pids: Map<string, number>): void, killed: Set<RegExp> } {
  const killed = new Set<RegExp>()

  return {
    killed,
    onLine (line, pids) {
      for (const [text, name] of victims) {
        const pid = pids.get(name)

        if (text.test(line) && !killed.has(text) && pid != null) {
          killed.add(text)
          process.kill(pid, 'SIGKILL')
        }
      }
    }
  }
}
