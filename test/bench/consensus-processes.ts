import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { validatorProcess } from '../faults/processes.ts'
import type { BenchResult } from './interface.ts'
import type { Process } from '../faults/processes.ts'

/** Of one account at most 64 transactions wait in the mempool. */
const BURST = 60

/** Three clients, each at another validator. */
const CLIENTS = ['alice', 'bob', 'carol']

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Validators in processes of their own on loopback: what somebody waits who submits a transaction to one of them. */
export const processes = async (count: number, samples: number): Promise<BenchResult[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'datanet-bench-'))
  const running: Process[] = []
  const finalityMs = async (transfers: number, client = 0): Promise<number> => {
    const startedMs = performance.now()
    const [, ...ids] = (await running[client].ask(`send ${transfers} ${CLIENTS[client]}`)).split(' ')
    await running[client].ask(`final ${ids.join(' ')}`)
    return performance.now() - startedMs
  }

  try {
    for (let index = 0; index < count; index++) {
      running.push(await validatorProcess(index, count, join(folder, `${index}`), { host: '127.0.0.1', port: await freePort() }, running.slice(0, 1).map(({ address }) => address)))
    }

    await finalityMs(1)
    const times: number[] = []

    for (let i = 0; i < samples; i++) {
      times.push(await finalityMs(1))
    }

    times.sort((a, b) => a - b)
    const burstMs = await finalityMs(BURST)
    const togetherMs = Math.max(...await Promise.all(CLIENTS.map(async (_, client) => finalityMs(BURST, client))))

    return [
      { name: `finality${count}Ms`, value: times[times.length >> 1], unit: 'ms', detail: `median of ${samples} transfers, from submission to finality, ${count} validators as processes on loopback, blocks every 250 ms; worst ${times[times.length - 1].toFixed(0)} ms` },
      { name: `transfersInARowPerSecond${count}`, value: BURST / burstMs * 1000, unit: 'tx/s', detail: `${BURST} transfers of one account, each on disk before the next is submitted, until the last is final: what one client does, not what the chain can` },
      { name: `transfersPerSecond${count}`, value: CLIENTS.length * BURST / togetherMs * 1000, unit: 'tx/s', detail: `${CLIENTS.length} such clients at once, each at another validator, until the last of their transfers is final; all processes share this machine` }
    ]
  } finally {
    await Promise.all(running.map(async validator => validator.signal('SIGKILL')))
    await rm(folder, { recursive: true, force: true })
  }
}
