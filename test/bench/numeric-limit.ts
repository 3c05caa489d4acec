import asc from 'assemblyscript/asc'

/** Bytes of quants that stay in the first-level cache. */
const QUANT_BYTES = 16_384
/** As many chains as registers hold beside two operands. */
const CHAINS = Array.from({ length: 13 }, (_, i) => i)
const CELLS = [0, 1, 2, 3].flatMap(i => [0, 1].map(j => ({ i, j })))

/** Memory that is read in several places at once gives more than in one, up to this many. */
const PLACES = Array.from({ length: 8 }, (_, i) => i)
const VECTORS = [0, 1, 2, 3]

/**
 * The fastest that 128-bit WebAssembly without fused multiply-add can go, whatever it computes. Which
 * of two loops that is depends on how many multiplications and additions a processor starts at once:
 * chains of s = s·c + d, or sums of products whose factors come from a few bytes that never leave the
 * first-level cache. Constants are arguments, because compilers load them anew each time.
 */
const source = `
export function chains (steps: i32, factor: f32, term: f32): f32 {
  const c = f32x4.splat(factor)
  const d = f32x4.splat(term)
  ${CHAINS.map(i => `let s${i} = f32x4.splat(factor + ${i})`).join('\n  ')}
  do {
    ${CHAINS.map(i => `s${i} = f32x4.add(f32x4.mul(s${i}, c), d)`).join('\n    ')}
  } while (--steps > 0)
  ${CHAINS.slice(1).map(i => `s0 = f32x4.add(s0, s${i})`).join('\n  ')}
  return f32x4.extract_lane(s0, 0)
}

const FACTORS: usize = memory.data(128, 16)

export function products (steps: i32, factor: f32, term: f32): f32 {
  v128.store(FACTORS, f32x4.splat(factor))
  v128.store(FACTORS, f32x4.splat(term), 64)
  ${CELLS.map(({ i, j }) => `let s${i}${j} = f32x4.splat(0)`).join('\n  ')}
  let at = FACTORS
  do {
    const y0 = v128.load(at)
    const y1 = v128.load(at, 16)
    ${[0, 1, 2, 3].map(i => `const x${i} = v128.load32_splat(at, ${4 * i})
    ${[0, 1].map(j => `s${i}${j} = f32x4.add(s${i}${j}, f32x4.mul(x${i}, y${j}))`).join('\n    ')}`).join('\n    ')}
    at ^= 64
  } while (--steps > 0)
  ${CELLS.slice(1).map(({ i, j }) => `s00 = f32x4.add(s00, s${i}${j})`).join('\n  ')}
  return f32x4.extract_lane(s00, 0)
}

const QUANTS: usize = memory.data(${QUANT_BYTES}, 16)

export function integers (factors: i32): i32 {
  const t = i32x4.splat(factors)
  ${VECTORS.map(i => `let s${i} = i32x4.splat(0)`).join('\n  ')}
  for (let at = QUANTS; at < QUANTS + ${QUANT_BYTES}; at += 32) {
    const u = v128.load(at)
    const v = v128.load(at, 16)
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(t, u))
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(t, i16x8.shr_s(u, 8)))
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(t, v))
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(t, i16x8.shr_s(v, 8)))
  }
  return i32x4.extract_lane(i32x4.add(i32x4.add(s0, s1), i32x4.add(s2, s3)), 0)
}

export function reserve (bytes: i32): void {
  memory.grow((bytes >> 16) + 2)
  // pages never written are one page of zeros, which stays in the cache
  memory.fill(65536, 1, bytes)
}

export function read (bytes: i32): i32 {
  ${VECTORS.map(i => `let s${i} = i32x4.splat(0)`).join('\n  ')}
  const apart = <usize>bytes / ${PLACES.length} & ~63
  const end = apart + 65536
  for (let at: usize = 65536; at < end; at += 64) {
    ${PLACES.map(place => VECTORS.map(i => `s${i} = v128.xor(s${i}, v128.load(at + apart * ${place}, ${16 * i}))`).join('\n    ')).join('\n    ')}
  }
  return i32x4.extract_lane(v128.xor(v128.xor(s0, s1), v128.xor(s2, s3)), 0)
}
`

export interface Loop {
  run (steps: number): number
  /** floating-point operations of one step */
  flopsPerStep: number
}

async function compile (): Promise<WebAssembly.Exports> {
  return new WebAssembly.Instance(await readerModule()).exports
}

/** The loops as a module, which other threads can be given. */
export async function readerModule (): Promise<WebAssembly.Module> {
  const { error, binary } = await asc.compileString(source, { optimizeLevel: 3, runtime: 'stub', noAssert: true, enable: ['simd', 'bulk-memory'] })
  if (error != null || binary == null) {
    throw error ?? new TypeError('the compiler gave no module')
  }
  return new WebAssembly.Module(new Uint8Array(binary))
}

/** Compiles the loops, by the compiler and the flags of the engine itself. */
export async function limits (): Promise<Loop[]> {
  const exports = await compile()
  const loop = (name: string, vectors: number): Loop => {
    const run = exports[name] as (steps: number, factor: number, term: number) => number
    return { run: steps => run(steps, 0.999, 0.001), flopsPerStep: 2 * 4 * vectors }
  }
  return [loop('chains', CHAINS.length), loop('products', CELLS.length)]
}

/** A loop that does nothing but read so many bytes of memory, in eight places side by side. */
export async function reader (bytes: number): Promise<() => void> {
  const exports = await compile()
  const [reserve, read] = [exports.reserve, exports.read] as Array<(bytes: number) => number>
  reserve(bytes)
  return () => { read(bytes) }
}

/** A loop that does nothing but multiply so many bytes of quants by factors of 16 bits and add, in the first-level cache. */
export async function multiplier (): Promise<{ run (): void, bytes: number }> {
  const { integers } = await compile()
  const run = integers as (factors: number) => number
  return { run () { run(0x00030005) }, bytes: QUANT_BYTES }
}
