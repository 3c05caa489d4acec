import { Worker } from 'node:worker_threads'
import { readerModule } from './numeric-limit.ts'

/** Words that two threads talk by: rounds that were asked for, and rounds that are done. */
const ASKED = 0
const DONE = 1

const script = `
const { workerData: { module, shared, bytes, repeats } } = require('node:worker_threads')
const words = new Int32Array(shared)
const { reserve, read } = new WebAssembly.Instance(module).exports
reserve(bytes)
for (let round = 0; ; round++) {
  Atomics.wait(words, ${ASKED}, round)
  for (let i = 0; i < repeats; i++) read(bytes)
  Atomics.add(words, ${DONE}, 1)
  Atomics.notify(words, ${DONE})
}
`

export interface Readers {
  /** Milliseconds by the clock for a megabyte. */
  round (): number
  stop (): Promise<unknown>
}

/** Two threads that read half of the bytes each, at the same time. */
export async function readingByTwo (bytes: number): Promise<Readers> {
  const module = await readerModule()
  const { reserve, read } = new WebAssembly.Instance(module).exports as Record<string, (bytes: number) => number>
  const half = Math.ceil(bytes / 2 / 64) * 64
  const repeats = Math.max(1, Math.round(2.5e7 / half))
  const shared = new SharedArrayBuffer(8)
  const words = new Int32Array(shared)
  const worker = new Worker(script, { eval: true, workerData: { module, shared, bytes: half, repeats } })

  reserve(half)
  return {
    round () {
      const done = Atomics.load(words, DONE)
      const begin = performance.now()

      Atomics.add(words, ASKED, 1)
      Atomics.notify(words, ASKED)

      for (let i = 0; i < repeats; i++) {
        read(half)
      }

      Atomics.wait(words, DONE, done, 60_000)
      return (performance.now() - begin) / (repeats * 2 * half / 1e6)
    },
    stop: async () => worker.terminate()
  }
}
