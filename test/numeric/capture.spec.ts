import { expect } from 'aegir/chai'
import { quantise, tape } from '../../src/numeric/index.ts'
import { derivatives, loss, NAMES, normals, SHAPES, weights } from './fixtures.ts'
import type { Name, Weights } from './fixtures.ts'
import type { Capture, Tape, TapeInit, Value } from '../../src/numeric/index.ts'

const arenaBytesMax = 1 << 23
const ROW_WEIGHTS = [1, 1, 0, 1, 0.5, 1, 1]

/** The layer of the fixtures, its parameters and their directions inputs. */
function captured (t: Tape, values: Weights, along: Weights[]): Capture {
  const inputs = [values, ...along].flatMap(of => NAMES.map(name => of[name]))
  return t.capture(inputs, () => {
    const w = Object.fromEntries(NAMES.map(name => [name, t.parameter(values[name], SHAPES[name], t.directions === 0 ? undefined : along.map(direction => direction[name]))])) as Record<Name, Value>
    const value = loss(t, w, ROW_WEIGHTS)
    return [value, ...t.gradient(value, NAMES.map(name => w[name]))]
  })
}

function read ({ values: [value, ...gradients] }: Capture): ReturnType<typeof derivatives> {
  return {
    loss: value.data[0],
    lossTangents: value.tangents.map(tangent => tangent?.[0] ?? 0),
    gradients: gradients.map(g => g.data.slice()),
    products: gradients.map(g => g.tangents.map(tangent => tangent?.slice() ?? new Float32Array(g.data.length)))
  }
}

/** Logits of rows of a table that are picked, masked and counted by inputs, and of one frozen matrix. */
function small (t: Tape, table: Float32Array, ids: Uint32Array, targets: Uint32Array, counts: Float32Array): Capture {
  return t.capture([table, ids, targets, counts], () => {
    const head = t.constant(quantise('q8_0', normals(3, 8 * 32, 40), [8, 32]), undefined, 'head')
    const rows = t.parameter(table, [5, 32], undefined, 'table')
    const value = t.crossEntropy(t.matmul(t.gather(rows, ids), head, { transposeB: true }), targets, counts)
    return [value, ...t.gradient(value, [rows])]
  })
}

describe('captured passes', () => {
  it('have the bits of passes that are built anew, whatever numbers they are given', () => {
    const inits: TapeInit[] = [{}, { directions: 2 }, { backend: 'reference', directions: 1 }]
    for (const init of inits) {
      const count = init.directions ?? 0
      const t = tape({ arenaBytesMax, ...init })
      const along = (seed: number): Weights[] => Array.from({ length: count }, (_, k) => weights(seed + k, 1))
      const pass = captured(t, weights(1), along(2))
      expect(read(pass)).to.deep.equal(derivatives(tape({ arenaBytesMax, ...init }), weights(1), along(2)))
      for (const seed of [10, 20]) {
        pass.replay([weights(seed), ...along(seed + 1)].flatMap(of => NAMES.map(name => of[name])))
        expect(read(pass)).to.deep.equal(derivatives(tape({ arenaBytesMax, ...init }), weights(seed), along(seed + 1)))
      }
    }
  })

  it('do not mind what else the tape does between replays', () => {
    const t = tape({ arenaBytesMax })
    const pass = captured(t, weights(1), [])
    const before = read(pass)
    derivatives(t, weights(5))
    captured(t, weights(6), [])
    pass.replay(NAMES.map(name => weights(1)[name]))
    expect(read(pass)).to.deep.equal(before)
  })

  it('take ids, targets and weights of rows anew, and views of an input with it', () => {
    const t = tape({ arenaBytesMax })
    const all = Uint32Array.from([4, 1, 0, 3, 2])
    const pass = small(t, normals(1, 160), all.subarray(1, 4), Uint32Array.from([7, 2, 5]), Float32Array.from([1, 0, 1]))
    const [ids, targets, counts] = [Uint32Array.from([0, 2, 2]), Uint32Array.from([0, 1, 2]), Float32Array.from([0.5, 1, 0])]
    pass.replay([normals(2, 160), ids, targets, counts])
    const fresh = small(tape({ arenaBytesMax }), normals(2, 160), ids, targets, counts)
    expect(pass.values.map(({ data }) => [...data])).to.deep.equal(fresh.values.map(({ data }) => [...data]))
  })

  it('check numbers as if they were built anew', () => {
    const t = tape({ arenaBytesMax })
    const [ids, targets, counts] = [Uint32Array.from([0, 2, 2]), Uint32Array.from([0, 1, 2]), Float32Array.from([1, 1, 0])]
    const table = normals(2, 160)
    const pass = small(t, table, ids, targets, counts)
    const before = pass.values[0].data[0]
    expect(() => { pass.replay([table.map((x, i) => i === 37 ? Infinity : x), ids, targets, counts]) }).to.throw('table [5,32] at row 1, column 5').with.property('code', 'ERR_NON_FINITE')
    expect(() => { pass.replay([table.map(x => x * 3e37), ids, targets, counts]) }).to.throw().with.property('code', 'ERR_NON_FINITE')
    expect(() => { pass.replay([table, Uint32Array.from([0, 5, 2]), targets, counts]) }).to.throw('id 1 of gather')
    expect(() => { pass.replay([table, ids, Uint32Array.from([0, 8, 2]), counts]) }).to.throw('id 1 of crossEntropy')
    pass.replay([table, ids, Uint32Array.from([0, 1, 99]), counts])
    expect(pass.values[0].data[0]).to.equal(before)
  })

  it('refuse inputs that are fewer, or of another length', () => {
    const pass = captured(tape({ arenaBytesMax }), weights(1), [])
    const inputs = NAMES.map(name => weights(1)[name])
    expect(() => { pass.replay(inputs.slice(1)) }).to.throw().with.property('code', 'ERR_SHAPE')
    expect(() => { pass.replay(inputs.with(2, inputs[2].subarray(1))) }).to.throw('replay').with.property('code', 'ERR_SHAPE')
  })
})
