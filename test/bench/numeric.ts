import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { kernels, prng } from '../../src/numeric/index.ts'
import { limits } from './numeric-limit.ts'
import type { BenchOptions, BenchResult } from './interface.ts'
import type { Kernels } from '../../src/numeric/index.ts'

const run_ = promisify(execFile)

/** Milliseconds of processor time of this thread, so that other processes' share does not count. */
function processorMs (): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** GFLOP/s of work that is repeated for about `ms`. */
function rate (ms: number, flops: number, work: () => void): number {
  const begin = processorMs()
  let count = 0
  let elapsed = 0
  do {
    work()
    count++
    elapsed = processorMs() - begin
  } while (elapsed < ms)
  return flops * count / elapsed / 1e6
}

const A = 1 << 20
const B = 1 << 23
const C = 1 << 24
const SCRATCH = 1 << 25

/** A product of square matrices, packing included. */
function product (k: Kernels, n: number): () => void {
  return () => { k.gemm(n, n, n, A, n, 1, B, n, 1, 0, SCRATCH, C, n, false) }
}

/** Milliseconds in a new process from before the engine is loaded to its first product. */
async function coldStarts (times: number): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'datanet-bench-'))
  try {
    const engine = join(folder, 'numeric.mjs')
    await build({
      entryPoints: [fileURLToPath(new URL('../../src/numeric/index.ts', import.meta.url))],
      outfile: engine,
      bundle: true,
      format: 'esm',
      logLevel: 'silent'
    })
    const script = join(folder, 'start.mjs')
    await writeFile(script, `const begin = performance.now()
const { tape } = await import(${JSON.stringify(pathToFileURL(engine).href)})
const t = tape()
const x = t.parameter(new Float32Array(4096).fill(1), [64, 64])
t.matmul(x, x)
console.info(performance.now() - begin)`)
    const results: number[] = []
    for (let i = 0; i < times; i++) {
      const { stdout } = await run_(process.execPath, [script], { timeout: 30_000 })
      results.push(Number(stdout))
    }
    return results.sort((a, b) => a - b)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * The engine against the limit of what WebAssembly can multiply and add. Rounds alternate between the
 * loop and the products, and each keeps its best, so that a busy neighbour slows no side alone.
 */
export async function run ({ quick }: BenchOptions): Promise<BenchResult[]> {
  const k = kernels({ arenaBytesMax: 1 << 26 })
  const random = prng(1)
  const floats = new Float32Array(k.buffer)
  for (let i = 0; i < 512 * 512; i++) {
    floats[A / 4 + i] = random.nextNormal()
    floats[B / 4 + i] = random.nextNormal()
  }
  const loops = await limits()
  const best = { limit: 0, 128: 0, 512: 0 }
  for (let round = 0; round < (quick ? 40 : 120); round++) {
    for (const loop of loops) {
      best.limit = Math.max(best.limit, rate(20, 20_000 * loop.flopsPerStep, () => { loop.run(20_000) }))
    }
    for (const n of [128, 512] as const) {
      best[n] = Math.max(best[n], rate(20, 2 * n ** 3, product(k, n)))
    }
  }
  const starts = await coldStarts(quick ? 5 : 15)
  const ofLimit = (n: 128 | 512): BenchResult => ({
    name: `gemm${n}OfLimit`,
    value: best[n] / best.limit,
    unit: 'ratio',
    peer: 'wasm mul+add loop',
    detail: `${best[n].toFixed(1)} of ${best.limit.toFixed(1)} GFLOP/s, f32, one thread, packing included`
  })
  return [ofLimit(128), ofLimit(512), {
    name: 'coldStartMs',
    value: starts[starts.length >> 1],
    unit: 'ms',
    detail: `median of ${starts.length} new processes: load, compile, first product of 64×64×64; best ${starts[0].toFixed(1)}`
  }]
}
