import { GGUF_HEADER_BYTES_MAX, SAFETENSORS_HEADER_BYTES_MAX } from './constants.ts'
import { parseGguf } from './gguf.ts'
import { LLAMA2C_HEADER_BYTES, llama2cEntries } from './llama2c.ts'
import { rangeOf, readWeight } from './read-weight.ts'
import { readHead } from './reading.ts'
import { safetensorsEntries } from './safetensors.ts'
import { tensorSources } from './tensor-sources.ts'
import type { LlamaConfig, Weight, Weights } from './interface.ts'
import type { TensorSource } from './read-weight.ts'
import type { Reading } from './reading.ts'
import type { BaseModel } from '../interface/index.ts'

export type WeightsFormat = NonNullable<BaseModel['format']> | 'safetensors'

/**
 * Where each tensor of a model lies in its file, complete before a weight is read.
 *
 * @throws {SafetensorsError | GgufError} if the file is malformed
 * @throws {ModelShapeError} if its tensors are not those of the configuration
 */
export function * sourcesOf (config: LlamaConfig, format: WeightsFormat, fileBytes: number): Reading<Map<string, TensorSource>> {
  if (format === 'gguf') {
    const { entries } = yield * readHead(fileBytes, GGUF_HEADER_BYTES_MAX, head => parseGguf(head, fileBytes))
    return tensorSources(config, entries, 'gguf')
  }
  if (format === 'llama2c') {
    const entries = llama2cEntries(yield { offset: 0, length: Math.min(fileBytes, LLAMA2C_HEADER_BYTES) }, fileBytes)
    return tensorSources(config, entries.entries, 'huggingface')
  }
  const entries = yield * readHead(fileBytes, SAFETENSORS_HEADER_BYTES_MAX + 8, head => safetensorsEntries(head, fileBytes))
  return tensorSources(config, entries, 'huggingface')
}

/** A model's weights, one tensor after the other: nothing else of the file is held. */
export function * weightsOf (config: LlamaConfig, format: WeightsFormat, fileBytes: number): Reading<Weights> {
  const sources = yield * sourcesOf(config, format, fileBytes)
  const weights = new Map<string, Weight>()
  for (const [name, source] of sources) {
    weights.set(name, readWeight(source, yield rangeOf(source)))
  }
  return weights
}

/** Reads every weight as `weightsOf` does and keeps none: whether a file is whole, before it is stored. */
export function * weightCheck (config: LlamaConfig, format: WeightsFormat, fileBytes: number): Reading<void> {
  for (const source of (yield * sourcesOf(config, format, fileBytes)).values()) {
    readWeight(source, yield rangeOf(source))
  }
}
