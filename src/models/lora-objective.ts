import { tape as createTape } from '../numeric/index.ts'
import { arenaBytes, directionsWithin } from './arena.ts'
import { captures } from './captures.ts'
import { LoraShapeError, TokensError } from './errors.ts'
import { checkTokens, forward } from './forward.ts'
import { checkTheta, rounded, roundedLoraValues } from './lora.ts'
import type { Passes } from './captures.ts'
import type { LoraObjectiveInit, LoraShape, Tape, Value } from './interface.ts'
import type { Objective } from '../interface/index.ts'

/** A pass with eight tangents takes about nine times the arena of a plain one. */
const DIRECTIONS = 8

/**
 * The mean negative log-likelihood per predicted token, in nats, as a function of LoRA factors;
 * the base is frozen.
 *
 * @example
 * ```ts
 * const shape = loraShape(model.config, recipe)
 * const objective = loraObjective({ model, shape, examples })()
 * const gradient = new Float32Array(objective.parameters)
 * const loss = objective.gradient(initialTheta(shape, recipe.seed), 0, gradient)
 * ```
 */
export function loraObjective (init: LoraObjectiveInit): () => Objective {
  const { model, shape, examples, lossMasks, backend } = init
  const rows = examples.reduce((most, tokens) => Math.max(most, tokens.length - 1), 1)
  const directions = directionsWithin(model.config, rows, init.directions ?? DIRECTIONS)
  const targets = examples.map((tokens, index) => countedTargets(tokens, lossMasks?.[index], index))
  for (const tokens of examples) {
    checkTokens(model.config, tokens.subarray(0, -1))
    checkTokens(model.config, tokens.subarray(1))
  }
  return () => {
    const tapes = new Map<number, { tape: Tape, passes: Passes }>()
    // two tapes at most: values of a tape with tangents pay for its directions even when they are absent
    const tapeFor = (count: number): { tape: Tape, passes: Passes } => {
      let found = tapes.get(count)
      if (found == null) {
        const tape = createTape({ backend, directions: count, arenaBytesMax: arenaBytes(model.config, rows, count) })
        found = { tape, passes: captures(tape) }
        tapes.set(count, found)
      }
      return found
    }
    // of theta and of as many tangents as ever came: a training without them needs one
    const rooms: Float32Array[] = []
    const roundedAt = (vector: Float64Array, i: number): Float32Array => {
      rooms[i] ??= new Float32Array(shape.parameters)
      return rounded(vector, rooms[i])
    }
    const run = (theta: Float64Array, example: number, tangents: Float64Array[]): { loss: Value, gradients: Value[] } => {
      const tokens = examples[example]
      if (tokens == null) {
        throw new TokensError(`expected an example below ${examples.length} but got ${example}`)
      }
      checkTheta(shape, theta)
      const { tape, passes } = tapeFor(tangents.length === 0 ? 0 : directions)
      const { rows, ids, weights } = targets[example]
      const [values, ...along] = [theta, ...tangents].map(roundedAt)
      const read = tokens.subarray(0, -1)
      const [loss, ...gradients] = passes(`${read.length} ${rows.length} ${along.length}`, [values, ...along, read, rows, ids, weights], () => {
        const { lora, parameters } = roundedLoraValues(tape, shape, values, Array.from({ length: tape.directions }, (_, k) => along[k]))
        const loss = tape.crossEntropy(forward(tape, model, read, { lora, rows }), ids, weights)
        return [loss, ...tape.gradient(loss, parameters)]
      })
      return { loss, gradients }
    }
    return {
      parameters: shape.parameters,
      examples: examples.length,
      gradient (theta, example, out) {
        checkLength(shape, out)
        const { loss, gradients } = run(theta, example, [])
        flatten(gradients.map(({ data }) => data), gradients, out)
        return loss.data[0]
      },
      dual (theta, example, tangents, out, hvps) {
        [out, ...hvps, ...tangents].forEach(vector => { checkLength(shape, vector) })
        const derivatives = new Float64Array(tangents.length)
        let value = 0
        for (let from = 0; from < Math.max(tangents.length, 1); from += directions) {
          const part = tangents.slice(from, from + directions)
          const { loss, gradients } = run(theta, example, part)
          value = loss.data[0]
          flatten(gradients.map(({ data }) => data), gradients, out)
          for (let k = 0; k < part.length; k++) {
            derivatives[from + k] = loss.tangents[k]?.[0] ?? 0
            flatten(gradients.map(({ tangents }) => tangents[k]), gradients, hvps[from + k])
          }
        }
        return { loss: value, derivatives }
      }
    }
  }
}

/** The positions that predict a counted target, the targets, and 1 / (their number) for each. */
interface Targets {
  rows: Uint32Array
  ids: Uint32Array
  weights: Float32Array
}

function countedTargets (tokens: Uint32Array, mask: Uint8Array | undefined, index: number): Targets {
  if (tokens.length < 2 || (mask != null && mask.length !== tokens.length)) {
    throw new TokensError(`expected example ${index} to have two or more tokens and a mask of its length but got ${tokens.length} and ${mask?.length ?? 'none'}`)
  }
  const rows = Uint32Array.from(tokens.keys()).subarray(0, -1).filter(row => mask == null || mask[row + 1] === 1)
  if (rows.length === 0) {
    throw new TokensError(`expected example ${index} to count at least one target`)
  }
  return { rows, ids: rows.map(row => tokens[row + 1]), weights: new Float32Array(rows.length).fill(1 / rows.length) }
}

/** Writes the values' vectors one after the other; absent ones are zero. */
export function flatten (parts: ReadonlyArray<Float32Array | undefined>, values: Value[], out: Float32Array | Float64Array): void {
  let at = 0
  values.forEach(({ shape }, index) => {
    const size = shape[0] * shape[1]
    const part = parts[index]
    if (part == null) {
      out.fill(0, at, at + size)
    } else {
      out.set(part, at)
    }
    at += size
  })
}

function checkLength (shape: LoraShape, vector: Float32Array | Float64Array): void {
  if (vector.length !== shape.parameters) {
    throw new LoraShapeError(`expected vectors of ${shape.parameters} values but got one of ${vector.length}`)
  }
}
