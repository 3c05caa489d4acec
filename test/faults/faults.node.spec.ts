import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { validatorProcess } from './processes.ts'
import type { Process } from './processes.ts'

const COUNT = 4
/** its clock is an hour ahead from the beginning to the end */
const SKEWED = 2

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

const second = (line: string): number => Number(line.split(' ')[1])

describe('four validators as processes', function () {
  this.timeout(180_000)

  const running = new Map<number, Process>()
  const ports: number[] = []
  const acknowledged: string[] = []
  let folder: string
  let mounted = false

  const folderOf = (index: number): string => join(folder, `${index}`)
  const at = (index: number): Process => {
    const found = running.get(index)
    assert.ok(found !== undefined)
    return found
  }
  const begin = async (index: number): Promise<void> => {
    ports[index] ??= await freePort()
    const others = [...running.values()].map(({ address }) => address)
    running.set(index, await validatorProcess(index, COUNT, folderOf(index), { host: '127.0.0.1', port: ports[index] }, others.slice(0, 1), { skewed: index === SKEWED }))
  }
  const kill = async (index: number): Promise<void> => {
    await at(index).signal('SIGKILL')
    running.delete(index)
  }
  const unmount = async (): Promise<void> => {
    if (mounted) {
      mounted = false
      await promisify(execFile)('umount', [folderOf(3)])
    }
  }
  const send = async (index: number, count = 1): Promise<string[]> => {
    const [, ...ids] = (await at(index).ask(`send ${count}`)).split(' ')
    acknowledged.push(...ids)
    return ids
  }
  const final = async (index: number, ids: string[]): Promise<string> => at(index).ask(`final ${ids.join(' ')}`)
  const oneChain = async (): Promise<void> => {
    const heights = await Promise.all([...running.values()].map(async validator => second(await validator.ask('status'))))
    const height = Math.max(...heights)
    const hashes = await Promise.all([...running.values()].map(async validator => validator.ask(`height ${height}`)))
    assert.equal(new Set(hashes).size, 1, hashes.join('\n'))
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'datanet-faults-'))
    await begin(0)
    await Promise.all([1, 2, 3].map(begin))
    await final(0, await send(0))
  })
  after(async () => {
    await Promise.all([...running.keys()].map(kill))
    await unmount()
    await rm(folder, { recursive: true, force: true })
  })

  it('go on while one is killed, which comes back with all that it acknowledged', async () => {
    const last = await send(1)
    await kill(1)
    await final(0, await send(0))
    await begin(1)
    await final(1, last)
    await oneChain()
  })

  it('agree although a clock is an hour ahead', async () => {
    await final(0, await send(SKEWED))
    await oneChain()
  })

  it('go on while a disk is full, and its validator comes back once there is room', async function () {
    await kill(3)
    await rm(folderOf(3), { recursive: true })
    await mkdir(folderOf(3))

    try {
      await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folderOf(3)])
    } catch {
      await begin(3)
      this.skip()
    }

    mounted = true
    await begin(3)
    await at(3).ask(`reach ${second(await at(0).ask('status'))}`)
    const filler = join(folderOf(3), 'filler')
    await assert.rejects(async () => {
      for (;;) {
        await appendFile(filler, new Uint8Array(65_536))
      }
    }, { code: 'ENOSPC' })
    await final(0, await send(0))
    await kill(3)
    await rm(filler)
    await begin(3)
    await final(3, await send(3))
    await oneChain()
  })

  it('wait while two sleep, and go on when one wakes', async () => {
    await Promise.all([at(2).signal('SIGSTOP'), at(3).signal('SIGSTOP')])
    const waiting = final(0, await send(0))
    await at(2).signal('SIGCONT')
    await waiting
    await at(3).signal('SIGCONT')
    await oneChain()
  })

  it('lose nothing when all are killed at once', async () => {
    // beyond a snapshot, from which they start again
    await at(0).ask('height 10')
    const ids = await send(0, 3)
    await Promise.all([...running.keys()].map(kill))
    await begin(0)
    await Promise.all([1, 2, 3].map(begin))
    await final(0, ids)
    await oneChain()
  })

  it('bring one that lost its disk back to the head', async () => {
    await kill(3)
    await unmount()
    await rm(folderOf(3), { recursive: true })
    // it may have signed in the running view: it has to be out of it before it signs again
    const height = second(await at(0).ask('status'))
    await at(0).ask(`height ${height + 6}`)
    await begin(3)
    await at(3).ask(`reach ${height + 8}`)
    await oneChain()
    await final(0, acknowledged.slice(-1))
  })
})
