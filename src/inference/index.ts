/**
 * Batched decoding: many sequences of one base, each with its own adapters, in shared passes over a
 * paged cache. Every sequence gets the bits that it gets alone. Pure: who asks, when, and where
 * adapters come from is the business of `serving`.
 *
 * @example
 * ```ts
 * const engine = inferenceEngine({ model })
 * engine.add({ id: 'a', prompt, maxTokens: 32, sampler, adapters: [{ lora }] })
 * while (engine.busy) {
 *   console.info(engine.step().tokens)
 * }
 * ```
 */
export { inferenceEngine } from './engine.ts'
export { AdapterMemoryError, EngineFullError, InferenceSettingsError, SequenceFaultError } from './errors.ts'
export { adapterBytes } from './adapters.ts'
export { forcedLogits } from './forced.ts'
export type { ForcedRequest, LogitsVisitor } from './forced.ts'
export type {
  AdapterChoice, EngineStatistics, InferenceEngine, InferenceEngineInit, SequenceFault, SequenceRequest, SequenceToken, StepResult
} from './interface.ts'
