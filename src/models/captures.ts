import { CAPTURED_STEPS_MAX } from './constants.ts'
import type { Capture, CaptureInput, Tape, Value } from './interface.ts'

/** Runs a pass over the inputs' numbers; passes of one key have one shape. */
export type Passes = (key: string, inputs: readonly CaptureInput[], pass: () => Value[]) => Value[]

/**
 * Passes of a tape that are captured when they come a second time and replayed from then on. When there is no
 * more room, others are built anew each time: a training comes back to all of its examples equally often, so
 * that what is forgotten would be missed as soon as what is kept.
 */
export function captures (tape: Tape): Passes {
  const seen = new Set<string>()
  const known = new Map<string, Capture>()
  let steps = 0
  return (key, inputs, pass) => {
    const found = known.get(key)
    if (found != null) {
      found.replay(inputs)
      return found.values
    }
    if (!seen.has(key) || steps >= CAPTURED_STEPS_MAX) {
      seen.add(key)
      tape.reset()
      return pass()
    }
    const capture = tape.capture(inputs, pass)
    known.set(key, capture)
    steps += capture.steps
    return capture.values
  }
}
