import { tape as createTape } from '../numeric/index.ts'
import { arenaBytes } from './arena.ts'
import type { LlamaModel, Tape } from './interface.ts'

const tapes = new WeakMap<LlamaModel, Tape>()

/**
 * The tape on which a model answers, freshly reset: one for each model, because packing weights
 * costs more than a token. Callers read what they need before they give up control.
 */
export function inferenceTape (model: LlamaModel): Tape {
  let tape = tapes.get(model)
  if (tape == null) {
    tape = createTape({ arenaBytesMax: arenaBytes(model.config, model.config.contextLength, 0) })
    tapes.set(model, tape)
  }
  tape.reset()
  return tape
}
