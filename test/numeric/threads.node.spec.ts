import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { expect } from 'aegir/chai'
import { kernels, NumericRangeError, quantise, tape } from '../../src/numeric/index.ts'
import { normals } from './fixtures.ts'
import type { Kernels, Threads } from '../../src/numeric/index.ts'

const arenaBytesMax = 1 << 25
const [A, B, PACKED, Y, SCRATCH] = [1, 40, 80, 140, 200].map(page => page << 16)

describe('threads at one product', () => {
  const workers: Worker[] = []
  const online: Array<Promise<void>> = []
  const failures: Error[] = []
  /** of the newest helper */
  let control = new Int32Array(32)

  function threads (count: number): Threads {
    return {
      count,
      spawn (script, workerData) {
        const worker = new Worker(script, { eval: true, workerData })
        worker.on('error', err => { failures.push(err) })
        workers.push(worker)
        control = new Int32Array(workerData.memory.buffer, workerData.controlAt, 32)
        online.push(new Promise(resolve => { worker.once('online', resolve) }))
      }
    }
  }

  afterEach(async () => {
    await Promise.all(workers.splice(0).map(async worker => worker.terminate()))
    expect(failures).to.deep.equal([])
  })

  const size = 500 * 260
  const [left, right] = [normals(1, size, 1), normals(2, size, 1)]
  const weights = (['f32', 'bf16', 'q8_0', 'q4_0'] as const).map(type => ({ ...quantise(type, normals(3, 1030 * 512, 1), [1030, 512]), type }))

  function products (k: Kernels): string[] {
    const floats = new Float32Array(k.buffer)
    floats.set(left, A / 4)
    floats.set(right, B / 4)
    const found: string[] = []
    const keep = (n: number): void => { found.push(createHash('sha256').update(floats.slice(Y / 4, Y / 4 + n)).digest('hex')) }
    for (const [m, n, depth] of [[129, 391, 201], [64, 500, 96], [3, 450, 250]]) {
      for (const accumulate of [false, true]) {
        k.gemm(m, n, depth, A, depth, 1, B, n, 1, 0, SCRATCH, Y, n, accumulate)
        keep(m * n)
        k.gemm(m, n, depth, A, 1, m, B, 1, depth, 0, SCRATCH, Y, n, accumulate)
        keep(m * n)
        k.packColumns(n, depth, B, 1, depth, PACKED)
        k.gemm(m, n, depth, A, depth, 1, B, 1, depth, PACKED, SCRATCH, Y, n, accumulate)
        keep(m * n)
      }
    }
    for (const { type, bytes } of weights) {
      new Uint8Array(k.buffer, B, bytes.length).set(bytes)
      k.packWeights(type, 1030, 512, B, PACKED)
      for (const m of [1, 2, 7]) {
        k.matmulWeights(type, m, 1030, 512, A, 1030, PACKED, SCRATCH, Y, 1030, false)
        keep(m * 1030)
        k.matmulWeightsBack(type, m, 1030, 512, A, 1030, PACKED, SCRATCH, Y, 512, m > 1)
        keep(m * 512)
        if (type === 'q8_0' || type === 'q4_0') {
          k.matmulRounded(type, m, 1030, 512, A, 1030, PACKED, SCRATCH, Y, 1030, m > 1)
          keep(m * 1030)
        }
      }
    }
    return found
  }

  it('give the bits of one, with 2 and with 4, from the first product on', async () => {
    const alone = products(kernels({ arenaBytesMax }))
    for (const count of [2, 4]) {
      const k = kernels({ arenaBytesMax, threads: threads(count) })
      expect(k.buffer).to.be.instanceOf(SharedArrayBuffer)
      expect(products(k)).to.deep.equal(alone)
      await Promise.all(online)
      for (let round = 0; round < 3 || (round < 200 && control[31] === 0); round++) {
        expect(products(k)).to.deep.equal(alone)
      }
      expect(control[31], 'chunks that helpers did').to.be.above(0)
    }
  })

  it('give gradients the same bits', async () => {
    const [x, w, a] = [normals(1, 96 * 256, 1), normals(2, 256 * 320, 0.1), normals(3, 256 * 320, 0.1)]
    const derive = (t: ReturnType<typeof tape>): Float32Array[] => {
      t.reset()
      const parameter = t.parameter(a, [256, 320])
      const h = t.gelu(t.matmul(t.parameter(x, [96, 256]), t.constant(w, [320, 256]), { transposeB: true }))
      const loss = t.crossEntropy(t.matmul(h, parameter, { transposeB: true }), Array.from({ length: 96 }, (_, i) => i))
      return [loss, ...t.gradient(loss, [parameter])].map(value => value.data.slice())
    }
    const alone = derive(tape({ arenaBytesMax }))
    const helped = tape({ arenaBytesMax, threads: threads(3) })
    await Promise.all(online)
    for (let round = 0; round < 5; round++) {
      expect(derive(helped)).to.deep.equal(alone)
    }
  })

  it('need no helper when there is one thread or the oracle', () => {
    expect(kernels({ arenaBytesMax, threads: threads(1) }).buffer).to.be.instanceOf(ArrayBuffer)
    expect(kernels({ arenaBytesMax, backend: 'reference', threads: threads(4) }).buffer).to.be.instanceOf(ArrayBuffer)
    expect(workers).to.have.length(0)
    expect(() => kernels({ arenaBytesMax, threads: threads(0) })).to.throw(NumericRangeError)
    expect(() => kernels({ arenaBytesMax, threads: threads(65) })).to.throw(NumericRangeError)
  })
})
