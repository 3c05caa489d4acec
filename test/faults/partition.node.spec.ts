import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ethernet } from './namespaces.ts'
import { validatorProcess } from './processes.ts'
import type { Ethernet } from './namespaces.ts'
import type { Process } from './processes.ts'

const COUNT = 4
const PORT = 4001

describe('four validators on machines of their own', function () {
  this.timeout(180_000)

  const running: Process[] = []
  const acknowledged: string[] = []
  let folder: string
  let wire: Ethernet

  const begin = async (index: number): Promise<void> => {
    running[index] = await validatorProcess(index, COUNT, join(folder, `${index}`), { host: wire.hostOf(index), port: PORT },
      index === 0 ? [] : [running[0].address], { namespace: wire.namespaceOf(index) })
  }
  const height = async (index: number): Promise<number> => Number((await running[index].ask('status')).split(' ')[1])
  const acknowledge = async (index: number, from: 'alice' | 'bob'): Promise<string> => {
    const [, id] = (await running[index].ask(`send 1 ${from}`)).split(' ')

    acknowledged.push(id)

    return id
  }
  /** One hash at the height of whoever is highest. */
  const oneChain = async (): Promise<void> => {
    const top = Math.max(...await Promise.all(running.map(async (_, index) => height(index))))
    const hashes = await Promise.all(running.map(async validator => validator.ask(`height ${top}`)))

    assert.equal(new Set(hashes).size, 1, hashes.join('\n'))
  }
  /** Everything that was ever acknowledged is final, wherever one asks. */
  const nothingLost = async (): Promise<void> => {
    for (const validator of running) {
      assert.match(await validator.ask(`final ${acknowledged.join(' ')}`), /^final/)
    }
  }

  before(async function () {
    const laid = await ethernet(COUNT)

    if (typeof laid === 'string') {
      process.stdout.write(`    skipped: ${laid}\n`)
      this.skip()
    }

    wire = laid
    folder = await mkdtemp(join(tmpdir(), 'datanet-partition-'))
    await begin(0)
    await Promise.all([1, 2, 3].map(begin))
    await running[0].ask(`final ${await acknowledge(0, 'alice')}`)
  })
  after(async () => {
    if (wire !== undefined) {
      await Promise.all(running.map(async validator => validator.signal('SIGKILL')))
      await wire.remove()
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('go on with three of four, and the fourth keeps what it acknowledged until it is back', async () => {
    await wire.cut([3])

    const alone = await acknowledge(3, 'bob')
    const before = await height(3)

    await running[0].ask(`height ${before + 4}`)
    await running[1].ask(`final ${await acknowledge(1, 'alice')}`)
    // at most the block that was on its way
    assert.ok(await height(3) <= before + 1)

    await wire.heal()
    await running[0].ask(`final ${alone}`)
    await nothingLost()
    await oneChain()
  })

  it('stand still in two halves, and go on without a fork when they are one again', async () => {
    await wire.cut([2, 3])

    const [left, right] = [await acknowledge(0, 'alice'), await acknowledge(2, 'bob')]

    // longer than a leader's time-out: both halves give views up, and neither can end one
    assert.deepEqual(await Promise.all(running.map(async validator => validator.ask('still 6000'))), ['still', 'still', 'still', 'still'])
    await wire.heal()
    await running[2].ask(`final ${left}`)
    await running[0].ask(`final ${right}`)
    await nothingLost()
    await oneChain()
  })
})
