import { tape as createTape } from '../numeric/index.ts'
import { arenaBytes, directionsWithin } from './arena.ts'
import type { LlamaModel, Tape } from './interface.ts'

/** Directions of one pass: beyond a few the pass costs what they do, and memory grows with each. */
const DIRECTIONS = 8

const tapes = new WeakMap<LlamaModel, Tape>()

let directed: { model: LlamaModel, tape: Tape } | undefined

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

/**
 * The same with room for directions. Only that of the model asked for last is kept: it holds
 * another copy of the packed weights.
 */
export function directedTape (model: LlamaModel): Tape {
  const { config } = model
  if (directed?.model !== model) {
    const directions = directionsWithin(config, config.contextLength, DIRECTIONS)
    directed = { model, tape: createTape({ directions, arenaBytesMax: arenaBytes(config, config.contextLength, directions) }) }
  }
  directed.tape.reset()
  return directed.tape
}
