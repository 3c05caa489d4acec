import { doubles, prng } from '../../src/numeric/index.ts'
import type { BenchResult } from './interface.ts'
import type { DoubleOperand, Doubles } from '../../src/numeric/index.ts'

function operand (values: Float64Array, lines: number, depth: number): DoubleOperand {
  return { lines, depth, copy: (line, from, to, out, at) => { out.set(values.subarray(line * depth + from, line * depth + to), at) } }
}

function processorMs (work: () => void): number {
  const before = process.threadCpuUsage()

  work()

  const { user, system } = process.threadCpuUsage(before)

  return (user + system) / 1000
}

interface Task {
  name: string
  title: string
  operations: number
  work (by: Doubles): void
}

/** What influence methods do in f64: Gram matrices, Cholesky factors, eigenvectors. */
function tasks (): Task[] {
  const [rows, depth, sides] = [384, 2048, 192]
  const random = prng(4)
  const g = operand(Float64Array.from({ length: rows * depth }, () => random.nextFloat() - 0.5), rows, depth)
  const gram = new Float64Array(rows * rows)

  doubles().product(g, g, gram)

  const few = operand(gram, sides, rows)
  const symmetric = new Float64Array(sides * sides)

  doubles().product(few, few, symmetric)

  return [
    { name: 'doublesGram', title: `[${rows},${depth}] times its transpose, below the diagonal`, operations: rows * rows * depth, work (by) { by.product(g, g, new Float64Array(rows * rows), { lower: true }) } },
    { name: 'doublesCholesky', title: `the factor of ${rows} rows`, operations: rows ** 3 / 3, work (by) { by.cholesky(gram.slice(), rows) } },
    { name: 'doublesEigenvectors', title: `of ${sides} rows`, operations: 40 * sides ** 3, work (by) { by.eigenvectors(symmetric.slice(), sides, 1e-12, 40) } }
  ]
}

/** f64 kernels against the plain loops whose bits they have, the best of rounds that alternate. */
export function doubleLoops (rounds: number): BenchResult[] {
  const [kernels, loops] = [doubles(), doubles('reference')]

  return tasks().map(({ name, title, operations, work }) => {
    let [mine, theirs] = [Infinity, Infinity]

    for (let round = 0; round < rounds; round++) {
      mine = Math.min(mine, processorMs(() => { work(kernels) }))
      theirs = Math.min(theirs, processorMs(() => { work(loops) }))
    }

    return {
      name: `${name}OfLoops`,
      value: theirs / mine,
      unit: 'ratio',
      peer: 'the same sums in plain TypeScript',
      detail: `${mine.toFixed(1)} to ${theirs.toFixed(1)} ms, ${(operations / mine / 1e6).toFixed(1)} GFLOP/s; f64, ${title}, one thread`
    }
  })
}
