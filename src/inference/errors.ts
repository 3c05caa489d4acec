import { DatanetError } from '../utils/index.ts'

/** Settings of an engine or a sequence that cannot work. */
export class InferenceSettingsError extends DatanetError {
  constructor (message: string) {
    super('ERR_INFERENCE_SETTINGS', message)
  }
}

/** More sequences wait than the engine takes. */
export class EngineFullError extends DatanetError {
  constructor (waiting: number) {
    super('ERR_ENGINE_FULL', `expected fewer than ${waiting} waiting sequences: try again when some have ended`)
  }
}

/** An adapter that has no room, or is needed by a sequence that runs. */
export class AdapterMemoryError extends DatanetError {
  constructor (message: string) {
    super('ERR_ADAPTER_MEMORY', message)
  }
}

/** A sequence whose numbers left the range of f32: model and adapter do not go together. */
export class SequenceFaultError extends DatanetError {
  constructor (id: string) {
    super('ERR_SEQUENCE_FAULT', `expected finite numbers but sequence ${id} left the range of f32: its adapter or its weights are too large`)
  }
}
