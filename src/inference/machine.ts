import { kernels as createKernels, PAGE_TOKENS } from '../numeric/index.ts'
import { adapterStagedBytes, AdapterStore } from './adapters.ts'
import { placeBuffers } from './buffers.ts'
import { Cache } from './cache.ts'
import { ADAPTER_BYTES_MAX, BATCH_MAX, CACHE_BYTES_MAX, STEP_TOKENS_MAX } from './constants.ts'
import { InferenceSettingsError } from './errors.ts'
import { region } from './memory.ts'
import { Pass } from './pass.ts'
import { placeWeights } from './weights.ts'
import type { InferenceEngineInit } from './interface.ts'

/** The largest rank of an adapter, as models has it. */
const RANK_MAX = 256
const LOW_SIZE_MAX = 3 * RANK_MAX

/** What an engine computes with: one memory, divided once. */
export interface Machine {
  pass: Pass
  cache: Cache
  adapters: AdapterStore
  adapterBytesMax: number
  batchMax: number
  stepTokensMax: number
}

/** @throws {InferenceSettingsError} */
export function machine (init: InferenceEngineInit): Machine {
  const { model, cacheBytesMax = CACHE_BYTES_MAX, adapterBytesMax = ADAPTER_BYTES_MAX, batchMax = BATCH_MAX, stepTokensMax = STEP_TOKENS_MAX } = init
  const { plan } = model
  for (const [name, value, min] of [['batchMax', batchMax, 1], ['stepTokensMax', stepTokensMax, batchMax], ['cacheBytesMax', cacheBytesMax, 1], ['adapterBytesMax', adapterBytesMax, 0]] as const) {
    if (!Number.isInteger(value) || value < min) {
      throw new InferenceSettingsError(`expected ${name} to be an integer of at least ${min} but got ${value}`)
    }
  }
  const pagesMax = Math.ceil(plan.contextLength / PAGE_TOKENS)
  const pageBytes = plan.layers.length * 8 * PAGE_TOKENS * plan.kvHeads * plan.headDim
  const pageCount = Math.floor(cacheBytesMax / pageBytes)
  if (pageCount < pagesMax) {
    throw new InferenceSettingsError(`expected cacheBytesMax to hold one context of ${plan.contextLength} tokens, ${pagesMax * pageBytes} bytes, but it is ${cacheBytesMax}`)
  }
  const memory = region()
  const weights = placeWeights(model, memory)
  const tables = plan.positions === 'rope' ? 4 * plan.contextLength * plan.headDim / 2 : 0
  const [cosines, sines] = [memory.take(tables), memory.take(tables)]
  const buffers = placeBuffers(memory, plan, weights, { rowsMax: stepTokensMax, batchMax, pagesMax, lowSizeMax: LOW_SIZE_MAX })
  const widest = Math.max(plan.dim, plan.heads * plan.headDim, weights.layers[0].up.weight.rows)
  const stagedBytes = Math.max(weights.stagedBytes, adapterStagedBytes(RANK_MAX, widest, widest))
  const staging = memory.take(stagedBytes)
  const pages = memory.take(pageCount * pageBytes)
  const begin = memory.take(adapterBytesMax)
  const kernels = createKernels({ backend: init.backend, threads: init.threads, arenaBytesMax: memory.end })
  weights.fill(kernels, staging)
  return {
    pass: new Pass({ kernels, model, weights, buffers, rowsMax: stepTokensMax, pagesMax, lowSizeMax: LOW_SIZE_MAX, cosines, sines }),
    cache: new Cache({ begin: pages, pageBytes, count: pageCount, sharePrefixes: init.sharePrefixes ?? false }),
    adapters: new AdapterStore({ kernels, layers: plan.layers.length, begin, bytesMax: adapterBytesMax, staging, stagedBytes }),
    adapterBytesMax,
    batchMax,
    stepTokensMax
  }
}
