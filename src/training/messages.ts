import type { AttributionMethod, Hash, Recipe, SamplerSettings } from '../interface/index.ts'
import type { BaseDescription, Examples, LoraShape, TrainingPlan, WeightedLora } from '../models/index.ts'

/** What a worker must know before anything else. */
export interface WorkerSetup {
  base: BaseDescription
  /** of the base's format */
  weights: Uint8Array
  tokenizer: Uint8Array
  /** the base's own template of chats */
  chatTemplate?: Uint8Array
  shape: LoraShape
}

/** Work for a thread. Only structured-cloneable values. */
export type WorkerTask =
  | { op: 'setup', setup: WorkerSetup }
  /** cuts texts into examples, and keeps what they are compared by */
  | { op: 'cut', texts: string[][], sequenceLength: number, kind: Recipe['examples'] }
  /** which of the examples that it cut stand for which, by the places of contributions */
  | { op: 'players', places: Uint32Array }
  | { op: 'examples', examples: Uint32Array[], lossMasks?: Uint8Array[] }
  | { op: 'gradients', theta: Float64Array, batch: Uint32Array }
  | { op: 'duals', theta: Float64Array, batch: Uint32Array, tangents: Float64Array[] }
  | { op: 'jacobian', theta0: Float64Array, plan: TrainingPlan, groups: Uint32Array, contributions: number, columns: number[] }
  /** by a method whose algebra would hold up the thread that the network is on */
  | { op: 'scores', method: AttributionMethod, cotangent: Float64Array, plan: TrainingPlan, theta0: Float64Array, theta: Float64Array, seed: number }
  /** the same method's columns; see `InfluenceMethod` */
  | { op: 'columns', method: AttributionMethod, groups: Uint32Array, columns: number[], plan: TrainingPlan, theta0: Float64Array, theta: Float64Array, seed: number }
  | { op: 'answer', theta: Float64Array, prompt: number[], output: number[], sampler: SamplerSettings, schema?: string, shows?: string }
  /** of several adapters at once; `shows` as above */
  | { op: 'merged', lora: WeightedLora[], prompt: number[], output: number[], sampler: SamplerSettings, schema?: string, shows?: string }

export type WorkerRequest = { id: number, task: WorkerTask } | { id: number, cancel: true }

/** What one task yields while it runs: one per example, or one per step of the Jacobian. */
export interface WorkerPart {
  position: number
  loss: number
  gradient: Float32Array
  derivatives: Float64Array
  hvps: Float32Array[]
}

/** How a task ends. */
export type WorkerResult =
  | { op: 'none' }
  | ({ op: 'cut' } & Examples)
  | { op: 'players', representatives: Uint32Array }
  | { op: 'jacobian', columns: Float64Array[], theta: Float64Array }
  | { op: 'scores', exampleScores: Float64Array, trace: Hash[] }
  | { op: 'columns', columns: Float64Array[] }
  /** `shows`: the prompt has in it what it was to show */
  | { op: 'answer', follows: boolean, shows: boolean, gradient: Float64Array }
  /** of each adapter: its share of the answer in millionths, and the gradient over its weights */
  | { op: 'merged', follows: boolean, shows: boolean, sharesPpm: number[], gradients: Float64Array[] }

export type WorkerReply =
  | { id: number, part: WorkerPart }
  | { id: number, progress: number }
  /** after each example: the thread lives */
  | { alive: true }
  | { id: number, result: WorkerResult }
  | { id: number, error: { code: string, message: string } }
