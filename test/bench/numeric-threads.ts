import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { kernels, prng } from '../../src/numeric/index.ts'
import type { BenchResult } from './interface.ts'
import type { Kernels } from '../../src/numeric/index.ts'

const N = 512
const [A, B, C, SCRATCH] = [1 << 20, 1 << 22, 1 << 24, 1 << 25]

function product (k: Kernels): () => void {
  const floats = new Float32Array(k.buffer)
  const random = prng(1)
  for (let i = 0; i < N * N; i++) {
    floats[A / 4 + i] = random.nextNormal()
    floats[B / 4 + i] = random.nextNormal()
  }
  return () => { k.gemm(N, N, N, A, N, 1, B, N, 1, 0, SCRATCH, C, N, false) }
}

/** What a second thread gives, by the clock: on a busy machine less than on an idle one. */
export async function twoThreads (rounds: number): Promise<BenchResult> {
  const workers: Worker[] = []
  const spawn = (script: string, workerData: unknown): void => { workers.push(new Worker(script, { eval: true, workerData })) }
  const arenaBytesMax = 1 << 26
  const alone = kernels({ arenaBytesMax })
  const helped = kernels({ arenaBytesMax, threads: { count: 2, spawn } })
  const [one, two] = [product(alone), product(helped)]
  await Promise.all(workers.map(async worker => once(worker, 'online')))
  const best = { one: Infinity, two: Infinity }
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of [['one', one], ['two', two]] as const) {
      const begin = performance.now()
      work()
      best[name] = Math.min(best[name], performance.now() - begin)
    }
  }
  await Promise.all(workers.map(async worker => worker.terminate()))
  const bytes = (k: Kernels): Buffer => Buffer.from(k.buffer, C, 4 * N * N)
  if (Buffer.compare(bytes(alone), bytes(helped)) !== 0) {
    throw new RangeError('two threads gave other bits than one')
  }
  return {
    name: 'gemm512TwoThreadsVsOne',
    value: best.one / best.two,
    unit: 'ratio',
    peer: 'one thread',
    detail: `${best.two.toFixed(2)} to ${best.one.toFixed(2)} ms by the clock, the same bits`
  }
}
