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

  it('refuse inputs that are fewer, of another length or another type', () => {
    const pass = captured(tape({ arenaBytesMax }), weights(1), [])
    const inputs = NAMES.map(name => weights(1)[name])
    expect(() => { pass.replay(inputs.slice(1)) }).to.throw().with.property('code', 'ERR_SHAPE')
    expect(() => { pass.replay(inputs.with(2, inputs[2].subarray(1))) }).to.throw('replay').with.property('code', 'ERR_SHAPE')
    expect(() => pass.replay([Uint32Array.from(inputs[0]), ...inputs.slice(1)])).to.throw('replay').with.property('code', 'ERR_SHAPE')
  })

  it('refuse to write over constants that came to where they computed', () => {
    const t = tape({ arenaBytesMax: 1 << 20 })
    const input = normals(1, 100 * 1000)
    const pass = t.capture([input], () => [t.scale(t.parameter(input, [100, 1000]), 2)])
    t.reset()
    const kept = t.constant(normals(2, 100 * 1000), [100, 1000])
    expect(() => { pass.replay([input]) }).to.throw().with.property('code', 'ERR_ARENA_FULL')
    expect(kept.data).to.deep.equal(normals(2, 100 * 1000))
  })

  it('refuse to write over weights that were packed where they computed before', () => {
    const t = tape({ arenaBytesMax: 1_180_000 })
    const large = t.constant(normals(1, 64 * 512), [64, 512])
    const late = t.constant(normals(2, 64 * 512), [64, 512])
    const input = normals(3, 512 * 160)
    // the first product's scratch is given back, and then holds what the second packs
    const pass = t.capture([input], () => {
      const x = t.parameter(input, [160, 512])
      return [t.matmul(x, large, { transposeB: true }), t.matmul(t.gather(x, [0]), late, { transposeB: true })]
    })
    expect(() => { pass.replay([input]) }).to.throw().with.property('code', 'ERR_ARENA_FULL')
  })

  it('keep their numbers while constants are looked at', () => {
    const t = tape({ arenaBytesMax })
    const frozen = t.constant(quantise('q8_0', normals(1, 64 * 32), [64, 32]))
    const input = normals(2, 64)
    const pass = t.capture([input], () => [t.scale(t.parameter(input, [2, 32]), 2)])
    pass.replay([input])
    expect(frozen.data).to.have.length(64 * 32)
    expect(pass.values[0].data).to.deep.equal(input.map(x => 2 * x))
  })

  it('refuse leaves of which it is not plain whose numbers they are', () => {
    const t = tape({ arenaBytesMax })
    const all = normals(1, 8)
    const leaf = (data: Float32Array) => () => [t.parameter(data, [1, data.length])]
    const code = 'ERR_CAPTURE'
    expect(() => t.capture([all, all.subarray(2)], leaf(all.subarray(2, 4)))).to.throw('two').with.property('code', code)
    expect(() => t.capture([all.subarray(2)], leaf(all))).to.throw('part').with.property('code', code)
    expect(() => t.capture([new Uint32Array(all.buffer)], leaf(all))).to.throw('part').with.property('code', code)
    expect(() => t.capture([all.subarray(0, 2)], leaf(all.subarray(2)))).not.to.throw()
  })

  it('neither capture nor replay while one is captured, and are themselves again after', () => {
    const t = tape({ arenaBytesMax })
    const pass = captured(t, weights(1), [])
    const before = read(pass)
    const inputs = NAMES.map(name => weights(1)[name])
    expect(() => t.capture([], () => captured(t, weights(2), []).values)).to.throw().with.property('code', 'ERR_CAPTURE')
    expect(() => t.capture([], () => {
      pass.replay(inputs)
      return []
    })).to.throw().with.property('code', 'ERR_CAPTURE')
    pass.replay(inputs)
    expect(read(pass)).to.deep.equal(before)
  })

  it('say of numbers that are not finite what they say when they are built', () => {
    const message = (work: () => unknown): string => {
      try {
        work()
        return ''
      } catch (err) {
        return err instanceof Error ? err.message : ''
      }
    }
    const t = tape({ arenaBytesMax })
    const pass = captured(t, weights(1), [])
    for (const scale of [1e3, 1e30, Infinity]) {
      const { up, down, ...rest } = weights(1)
      const large = { ...rest, up: up.map(x => x * scale), down: down.map(x => x * scale) }
      const built = message(() => derivatives(tape({ arenaBytesMax }), large))
      expect(message(() => { pass.replay(NAMES.map(name => large[name])) }), `${scale}`).to.equal(built)
      expect(built.includes('infinite'), `${scale}`).to.equal(scale > 1e3)
    }
  })
})
