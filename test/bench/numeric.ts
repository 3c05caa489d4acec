import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import * as f64 from '../../src/numeric/generated/doubles.ts'
import * as f32 from '../../src/numeric/generated/kernels.ts'
import { kernels, prng, quantise } from '../../src/numeric/index.ts'
import { doubleLoops } from './numeric-doubles.ts'
import { limits, reader } from './numeric-limit.ts'
import { onnxruntimeWeb, xnnpack } from './numeric-peers.ts'
import { twoThreads } from './numeric-threads.ts'
import type { BenchOptions, BenchResult } from './interface.ts'
import type { Shape } from './numeric-peers.ts'
import type { Kernels } from '../../src/numeric/index.ts'

const run_ = promisify(execFile)

/** Milliseconds of processor time of this thread, so that other processes' share does not count. */
function processorMs (): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Milliseconds of one call of work that is repeated for about `ms`. */
async function once (ms: number, work: () => Promise<void> | void): Promise<number> {
  const begin = processorMs()
  let count = 0
  let elapsed = 0
  do {
    await work()
    count++
    elapsed = processorMs() - begin
  } while (elapsed < ms)
  return elapsed / count
}

const A = 1 << 20
const B = 1 << 23
const C = 1 << 25
const SCRATCH = 1 << 26
const PACKED = 3 << 25

/** A product of two matrices, packing included, or with frozen weights, packed ahead. */
function product (k: Kernels, [m, n, depth]: Shape, frozen: boolean): () => void {
  if (frozen) {
    k.packColumns(n, depth, B, n, 1, PACKED)
    return () => { k.matmulWeights('f32', m, n, depth, A, depth, PACKED, SCRATCH, C, n, false) }
  }
  return () => { k.gemm(m, n, depth, A, depth, 1, B, n, 1, 0, SCRATCH, C, n, false) }
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

/** What is multiplied: name, [m,n,k], frozen. The last is GPT-2's feed-forward layer over 128 tokens. */
const SHAPES: Array<[string, Shape, boolean]> = [
  ['gemm128', [128, 128, 128], false],
  ['gemm512', [512, 512, 512], false],
  ['gemmTransformer', [128, 3072, 768], true]
]

type Work = () => Promise<void> | void

interface Contest {
  name: string
  shape: Shape
  frozen: boolean
  /** contestant → what it does and its best time so far */
  rivals: Record<'ours' | 'xnnpack' | 'onnxruntimeWeb', { work: Work, bestMs: number }>
}

async function contest (k: Kernels, name: string, shape: Shape, frozen: boolean): Promise<Contest> {
  const [m, n, depth] = shape
  const a = new Float32Array(k.buffer, A, m * depth).slice()
  const b = new Float32Array(k.buffer, B, depth * n).slice()
  const ours = product(k, shape, frozen)
  ours()
  const mine = new Float32Array(k.buffer, C, m * n).slice()
  const peers = [await xnnpack(shape, a, b), await onnxruntimeWeb(shape, a, b, frozen)]
  for (const peer of peers) {
    const theirs = await peer.result()
    const worst = mine.reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[i])), 0)
    if (!(worst < 1e-3 * Math.sqrt(depth))) {
      throw new RangeError(`a peer's product differs by ${worst}`)
    }
  }
  const entry = (work: Work): { work: Work, bestMs: number } => ({ work, bestMs: Infinity })
  return { name, shape, frozen, rivals: { ours: entry(ours), xnnpack: entry(() => peers[0].multiply()), onnxruntimeWeb: entry(() => peers[1].multiply()) } }
}

/** GFLOP/s at its best. */
const rateOf = ({ shape: [m, n, k], rivals }: Contest, who: keyof Contest['rivals']): number => 2 * m * n * k / rivals[who].bestMs / 1e6

/** Nobody can gain more on a peer than the limit does, whatever is asked. */
function ratios (played: Contest, limit: number): BenchResult[] {
  const ours = rateOf(played, 'ours')
  const shape = played.shape.join('×')
  const against = (suffix: string, peer: string, theirs: number): BenchResult => ({
    name: `${played.name}${suffix}`,
    value: ours / theirs,
    unit: 'ratio',
    peer,
    detail: `${ours.toFixed(1)} to ${theirs.toFixed(1)} GFLOP/s at ${shape}, f32, one thread, ${played.frozen ? 'the right operand packed ahead' : 'packing included'}${theirs === limit ? '' : `; the limit is ${(limit / theirs).toFixed(2)} of the peer`}`
  })
  return [
    against('OfLimit', 'wasm mul+add loop', limit),
    against('VsXnnpack', 'tfjs-backend-wasm, simd', rateOf(played, 'xnnpack')),
    against('VsOnnxruntimeWeb', 'onnxruntime-web, wasm', rateOf(played, 'onnxruntimeWeb'))
  ]
}

/**
 * The engine against the limit of what WebAssembly can multiply and add, and against its peers. Rounds
 * alternate between all, and each keeps its best, so that a busy neighbour slows no side alone.
 */
export async function run ({ quick }: BenchOptions): Promise<BenchResult[]> {
  const k = kernels({ arenaBytesMax: 1 << 27 })
  const random = prng(1)
  const floats = new Float32Array(k.buffer)
  for (let i = A / 4; i < A / 4 + 512 * 512; i++) {
    floats[i] = random.nextNormal()
  }
  for (let i = B / 4; i < B / 4 + 768 * 3072; i++) {
    floats[i] = random.nextNormal()
  }
  const loops = await limits()
  let limit = 0
  const contests: Contest[] = []
  for (const [name, shape, frozen] of SHAPES) {
    contests.push(await contest(k, name, shape, frozen))
  }
  for (let round = 0; round < (quick ? 25 : 80); round++) {
    for (const loop of loops) {
      limit = Math.max(limit, 20_000 * loop.flopsPerStep / await once(20, () => { loop.run(20_000) }) / 1e6)
    }
    for (const { rivals } of contests) {
      for (const rival of Object.values(rivals)) {
        rival.bestMs = Math.min(rival.bestMs, await once(20, rival.work))
      }
    }
  }
  const starts = await coldStarts(quick ? 5 : 15)
  return [...contests.flatMap(played => ratios(played, limit)), ...await weightStreams(quick ? 8 : 30), await twoThreads(quick ? 100 : 400), ...doubleLoops(quick ? 5 : 20), {
    name: 'coldStartMs',
    value: starts[starts.length >> 1],
    unit: 'ms',
    detail: `median of ${starts.length} new processes: load, compile, first product of 64×64×64; best ${starts[0].toFixed(1)}`
  }, {
    name: 'kernelsBytes',
    value: Buffer.from(f32.base64, 'base64').length + Buffer.from(f64.base64, 'base64').length,
    unit: 'bytes',
    detail: `of WebAssembly; ${f32.base64.length + f64.base64.length} as text in the package`
  }]
}

/** Reading frozen weights for one token against reading memory, in bytes a second. */
async function weightStreams (rounds: number): Promise<BenchResult[]> {
  const [rows, columns] = [6144, 2048]
  const k = kernels({ arenaBytesMax: 1 << 28 })
  const [x, y, scratch, from, packed] = [1 << 16, 1 << 17, 1 << 18, 1 << 20, 1 << 27]
  const random = prng(2)
  const values = Float32Array.from({ length: rows * columns }, () => random.nextFloat() - 0.5)
  new Float32Array(k.buffer, x, columns).set(values.subarray(0, columns))
  const results: BenchResult[] = []
  for (const [type, integers] of [['f32', false], ['bf16', false], ['q8_0', false], ['q8_0', true], ['q4_0', false], ['q4_0', true]] as const) {
    const { bytes } = quantise(type, values, [rows, columns])
    new Uint8Array(k.buffer, from, bytes.length).set(bytes)
    k.packWeights(type, rows, columns, from, packed)
    const size = k.packedBytes(type, rows, columns)
    const read = await reader(size)
    let [mine, limit] = [Infinity, Infinity]
    for (let round = 0; round < rounds; round++) {
      mine = Math.min(mine, await once(10, () => {
        if (integers) {
          k.matmulRounded(type, 1, rows, columns, x, columns, packed, scratch, y, rows, false)
        } else {
          k.matmulWeights(type, 1, rows, columns, x, columns, packed, scratch, y, rows, false)
        }
      }))
      limit = Math.min(limit, await once(10, read))
    }
    results.push({
      name: `gemv${type.replace(/^./, first => first.toUpperCase()).replace('_0', '')}${integers ? 'Integers' : ''}OfBandwidth`,
      value: limit / mine,
      unit: 'ratio',
      peer: 'wasm loop that only reads as many bytes',
      detail: `${(size / mine / 1e6).toFixed(1)} to ${(size / limit / 1e6).toFixed(1)} GB/s over ${(size / 1e6).toFixed(0)} MB, ${(rows * columns / mine / 1e6).toFixed(2)} G weights/s, one thread`
    })
  }
  return results
}
