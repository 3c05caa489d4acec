/**
 * Vectors of protocols/score and protocols/assessment. `node test/scoring/vectors.ts` writes them;
 * the spec compares.
 */
import { writeFileSync } from 'node:fs'
import {
  assessmentCommit, contributionScores, divide, drawCommittee, drawOpenings, payout, scoreTree, taskId, toFixedPoint, traceTree
} from '../../src/scoring/index.ts'
import { cidOf, compareBytes, fromHex, toHex } from '../../src/wire/index.ts'
import type { ScoreTable } from '../../src/interface/index.ts'

const filled = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const adapter = cidOf(Uint8Array.of(0xf6))
const contributions = [0, 1, 2, 3, 4].map(i => cidOf(Uint8Array.of(i))).sort((a, b) => compareBytes(a.bytes, b.bytes))

function tree (scores: bigint[]): object {
  const table: ScoreTable = { type: 'scores', version: 1, adapter, method: 'trajectory', engine: 'datanet-engine/1', entries: scores.map((score, i) => ({ contribution: contributions[i], score })) }
  const { root, total, count, claim } = scoreTree(table)

  return {
    adapter: adapter.toString(),
    method: table.method,
    engine: table.engine,
    entries: table.entries.map(({ contribution, score }) => ({ contribution: contribution.toString(), score: `${score}` })),
    root: toHex(root),
    total: `${total}`,
    claims: scores.map((_, i) => ({ index: claim(i).index, proof: claim(i).proof.map(toHex) })),
    count
  }
}

export function scoreVectors (): object {
  const examples = { scores: [0.25, -0.5, 1e-10, 3, 0.25], groups: [0, 0, 1, 2, 1], representatives: [0, 1, 2, 3, 0] }
  const split = { platform: 1000, developers: 2000, validators: 2000, data: 5000 }
  const { platform, developers, validators, data } = divide(10n ** 18n + 7n, split)

  return {
    fixedPoint: [0, 1, -1, 0.1, -0.1, 1e-10, 1.5 * 2 ** -32, 2.5 * 2 ** -32, -(2 ** 31)].map(x => ({ x, score: `${toFixedPoint(x)}` })),
    contributionScores: { ...examples, result: contributionScores(examples.scores, Uint32Array.from(examples.groups), 3, Uint32Array.from(examples.representatives)).map(String) },
    trees: [tree([]), tree([7n]), tree([1n, 0n, 2n ** 40n, 5n, 12345678901n])],
    divide: { fees: `${10n ** 18n + 7n}`, split, parts: { platform: `${platform}`, developers: `${developers}`, validators: `${validators}`, data: `${data}` } },
    payout: { dataPool: '1000000007', score: '3', total: '7', amount: `${payout(1000000007n, 3n, 7n)}` },
    invalid: [{ fixedPoint: 'NaN', code: 'ERR_SCORE_RANGE' }, { fixedPoint: '2147483648', code: 'ERR_SCORE_RANGE' }]
  }
}

export function assessmentVectors (): object {
  const steps = [1, 2, 3, 4, 5].map(filled)
  const assessor = filled(7)
  const trace = traceTree(assessor, steps)
  const task = taskId('datanet-test', 3, adapter)
  const commit = assessmentCommit({
    chain: 'datanet-test', epoch: 3, task, scoreRoot: filled(1), total: 42n, traceRoot: trace.root, traceLength: trace.length, salt: filled(9), assessor
  })
  const candidates = [[1, 5n], [2, 0n], [3, 1n], [4, 100n], [5, 7n]] as const
  const seed = fromHex('0f'.repeat(32))

  return {
    task: { chain: 'datanet-test', epoch: 3, adapter: adapter.toString(), hash: toHex(task) },
    trace: { assessor: toHex(assessor), steps: steps.map(toHex), root: toHex(trace.root), openings: steps.map((_, i) => trace.open(i).proof.map(toHex)) },
    commit: { scoreRoot: toHex(filled(1)), total: '42', salt: toHex(filled(9)), hash: toHex(commit) },
    committee: {
      seed: toHex(seed),
      candidates: candidates.map(([account, stake]) => ({ account: toHex(filled(account)), stake: `${stake}` })),
      drawn: drawCommittee(seed, candidates.map(([account, stake]) => ({ account: filled(account), stake })), 3).map(toHex)
    },
    openings: { seed: toHex(seed), traceLength: 33, count: 4, drawn: drawOpenings(seed, 33, 4) }
  }
}

if (process.argv[1]?.endsWith('test/scoring/vectors.ts')) {
  const root = new URL('../../protocols/', import.meta.url)

  writeFileSync(new URL('score/vectors/scores.json', root), `${JSON.stringify(scoreVectors(), null, 2)}\n`)
  writeFileSync(new URL('assessment/vectors/assessment.json', root), `${JSON.stringify(assessmentVectors(), null, 2)}\n`)
}
