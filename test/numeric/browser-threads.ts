/**
 * What the conformance page runs where it is isolated from other origins: products of two threads over shared
 * memory, in a worker, since waiting may not block a page. Sends the golden suite if they have the bits of one
 * thread and the helper had a part in them, else what was wrong.
 */
import { kernels, quantise } from '../../src/numeric/index.ts'
import { normals } from './fixtures.ts'
import { golden } from './golden.ts'
import type { HelperData, Kernels } from '../../src/numeric/index.ts'

/** Counts the chunks that helpers have done; see src/numeric/threads.ts. */
const HELPED = 31
const ROUNDS_MAX = 500
const [A, B, Y, SCRATCH, PACKED] = [1, 40, 80, 140, 200].map(page => page << 16)
const arenaBytesMax = 1 << 25

function products (k: Kernels): Uint8Array {
  const floats = new Float32Array(k.buffer)
  floats.set(normals(1, 128 * 512, 1), A / 4)
  floats.set(normals(2, 512 * 512, 1), B / 4)
  k.gemm(128, 512, 512, A, 512, 1, B, 512, 1, 0, SCRATCH, Y, 512, false)
  const exact = new Uint8Array(k.buffer, Y, 4 * 128 * 512).slice()
  const { bytes } = quantise('q8_0', normals(3, 1030 * 512, 1), [1030, 512])
  new Uint8Array(k.buffer, B, bytes.length).set(bytes)
  k.packWeights('q8_0', 1030, 512, B, PACKED)
  k.matmulRounded('q8_0', 7, 1030, 512, A, 512, PACKED, SCRATCH, Y, 1030, false)
  return Uint8Array.from([...exact, ...new Uint8Array(k.buffer, Y, 4 * 7 * 1030)])
}

async function compare (): Promise<object> {
  let control = new Int32Array(HELPED + 1)
  const alone = products(kernels({ arenaBytesMax }))
  const helped = kernels({
    arenaBytesMax,
    threads: {
      count: 2,
      spawn (script, data: HelperData) {
        control = new Int32Array(data.memory.buffer, data.controlAt, HELPED + 1)
        new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' }))).postMessage(data)
      }
    }
  })
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const together = products(helped)
    if (together.some((byte, i) => byte !== alone[i])) {
      return { error: 'two threads gave other bits than one' }
    }
    if (control[HELPED] > 0) {
      return golden('wasm')
    }
    // workers start in turns of this one's events
    await new Promise(resolve => { setTimeout(resolve, 10) })
  }
  return { error: `the helper did nothing in ${ROUNDS_MAX} rounds` }
}

if (typeof document !== 'undefined') {
  new Worker('/suite.js', { type: 'module' }).addEventListener('error', event => {
    void fetch('/', { method: 'POST', body: JSON.stringify({ error: event.message }) })
  })
} else {
  const result = await compare().catch((err: unknown) => ({ error: String(err) }))
  await fetch('/', { method: 'POST', body: JSON.stringify(result) })
}
