/**
 * One thread of `tools/pretrain.ts`. Threads take windows from a shared counter, so a window may
 * be computed on any of them, into its own slot; the sums are made in the batch's order.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { windowGradient } from './pretrain-model.ts'
import type { LlamaConfig } from '../src/interface/index.ts'

export interface WorkerInit {
  config: LlamaConfig
  windowTokens: number
  batchSize: number
  parameters: number
  /** Uint16 token ids, window after window */
  windows: SharedArrayBuffer
  /** f32 weights */
  theta: SharedArrayBuffer
  /** f32, one gradient for each window of the batch */
  gradients: SharedArrayBuffer
  losses: SharedArrayBuffer
  /** next window of the batch that nobody took */
  next: SharedArrayBuffer
}

export type WorkerRequest =
  | { kind: 'gradients', batch: Uint32Array }
  | { kind: 'losses', batch: Uint32Array }

const init: WorkerInit = workerData
const windows = new Uint16Array(init.windows)
const gradients = new Float32Array(init.gradients)
const losses = new Float32Array(init.losses)
const next = new Int32Array(init.next)
const gradient = windowGradient(init.config, new Float32Array(init.theta))

parentPort?.on('message', (request: WorkerRequest) => {
  for (let slot = Atomics.add(next, 0, 1); slot < request.batch.length; slot = Atomics.add(next, 0, 1)) {
    const at = request.batch[slot] * init.windowTokens
    const out = request.kind === 'gradients' ? gradients.subarray(slot * init.parameters, (slot + 1) * init.parameters) : undefined
    losses[slot] = gradient(windows.subarray(at, at + init.windowTokens), out)
  }
  parentPort?.postMessage('done')
})
