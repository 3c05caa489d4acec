import { COTANGENTS_SLACK_BYTES } from './constants.ts'
import { add } from './elementwise.ts'
import { resultOf } from './engine.ts'
import { ShapeError } from './errors.ts'
import { NONE } from './node.ts'
import type { Engine } from './engine.ts'
import type { Node } from './node.ts'

/** All nodes that depend on one of `parameters`, these included. */
function dependents (e: Engine, parameters: Node[]): Set<Node> {
  const set = new Set(parameters)
  for (const { output, inputs } of e.entries) {
    if (inputs.some(input => set.has(input))) {
      set.add(output)
    }
  }
  return set
}

/**
 * Moves what the nodes hold above `mark` down to it, in order of address so that nothing is
 * overwritten before it has moved, and gives back the rest.
 */
function compact (e: Engine, nodes: Node[], mark: number): Node[] {
  const sizes = new Map<number, number>()
  for (const node of nodes) {
    for (const at of [node.at, ...node.dots]) {
      if (at >= mark) {
        sizes.set(at, node.size)
      }
    }
  }
  const moved = new Map<number, number>()
  e.arena.release(mark)
  for (const [from, size] of [...sizes].sort(([a], [b]) => a - b)) {
    const to = e.arena.take(size * 4)
    e.step(() => { e.floats.copyWithin(to >>> 2, from >>> 2, (from >>> 2) + size) })
    moved.set(from, to)
  }
  const place = (at: number): number => moved.get(at) ?? at
  return nodes.map(node => e.place(node.rows, node.columns, place(node.at), node.dots.map(place)))
}

/**
 * Cotangents that have been pulled back are garbage above `mark`. Once that is more than what is still
 * needed, the rest moves down: so a pass needs at most twice its live cotangents, and each byte is
 * moved once for each that was used up. Gives where the arena ends then: nobody needs to look again
 * before it has grown by the slack.
 */
function collectGarbage (e: Engine, cotangents: Map<Node, Node>, mark: number): number {
  const live = new Map<number, number>()
  for (const node of cotangents.values()) {
    for (const at of [node.at, ...node.dots]) {
      if (at >= mark) {
        live.set(at, node.size * 4)
      }
    }
  }
  const bytes = [...live.values()].reduce((sum, size) => sum + size, 0)
  if (e.arena.mark() - mark > 2 * bytes + COTANGENTS_SLACK_BYTES) {
    const keys = [...cotangents.keys()]
    compact(e, [...cotangents.values()], mark).forEach((moved, i) => { cotangents.set(keys[i], moved) })
  }
  return e.arena.mark()
}

/** Gradients of a [1,1] node, with tangents. Temporary memory is given back. */
export function gradient (e: Engine, loss: Node, parameters: Node[]): Node[] {
  if (loss.size !== 1) {
    throw new ShapeError('gradient', 'a loss of [1,1]', `[${loss.rows},${loss.columns}]`)
  }
  const mark = e.arena.mark()
  const reached = dependents(e, parameters)
  const cotangents = new Map<Node, Node>()
  const one = e.empty(1, 1)
  e.fill(one.at, 1, 1)
  cotangents.set(loss, one)
  let looked = mark
  e.unrecorded(() => {
    for (let i = e.entries.length - 1; i >= 0; i--) {
      const { output, inputs, pullback, merges } = e.entries[i]
      const dy = cotangents.get(output)
      if (dy == null || !reached.has(output)) {
        continue
      }
      const wants = inputs.map(input => reached.has(input))
      const parts = pullback(dy, wants, merges == null ? undefined : cotangents.get(inputs[merges]))
      parts.forEach((part, j) => {
        if (part != null && wants[j]) {
          const sum = cotangents.get(inputs[j])
          cotangents.set(inputs[j], sum == null || j === merges ? part : add(e, sum, part))
        }
      })
      cotangents.delete(output)
      if (e.arena.mark() - looked > COTANGENTS_SLACK_BYTES) {
        looked = collectGarbage(e, cotangents, mark)
      }
    }
  })
  const gradients = parameters.map(parameter => {
    const found = cotangents.get(parameter) ?? e.empty(parameter.rows, parameter.columns)
    if (!cotangents.has(parameter)) {
      e.fill(found.at, found.size, 0)
    }
    // primals were checked by the primitives that made them
    for (const at of found.dots) {
      if (at !== NONE) {
        e.check('gradient', found.rows, found.columns, at, shape => `a tangent of the gradient of ${resultOf(shape, [parameter])}`)
      }
    }
    return found
  })
  return compact(e, gradients, mark)
}
