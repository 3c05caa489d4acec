/**
 * The rules by which influence becomes scores, scores become one agreed root, and a root becomes
 * payouts. Pure: every function here is recomputed by assessors, the ledger and light clients.
 *
 * @example
 * ```ts
 * const scores = contributionScores(exampleScores, groups, contributions.length)
 * const entries = contributions.map((contribution, i) => ({ contribution, score: scores[i] }))
 * const tree = scoreTree({ type: 'scores', version: 1, adapter, method: 'trajectory', engine, entries })
 * const trace = traceTree(account, steps)
 * const commit = assessmentCommit({
 *   chain, epoch, task: taskId(chain, epoch, adapter), scoreRoot: tree.root, total: tree.total,
 *   traceRoot: trace.root, traceLength: trace.length, salt, assessor: account
 * })
 * verifyScoreClaim(tree.root, tree.count, tree.claim(0)) // true
 * ```
 */
export { assessmentCommit, taskId, traceTree, verifyOpening } from './assessment.ts'
export type { AssessmentCommitment, TraceTree } from './assessment.ts'
export { chainStep, chainTrace, DISPUTE_ARITY, disputePoints, disputeRounds, endsIn, judgeSteps, narrowDispute, resultStep, TRACE_START } from './bisection.ts'
export type { DisputedRange, Narrowed } from './bisection.ts'
export { SCORE_FRACTION_BITS, TRACE_LENGTH_MAX } from './constants.ts'
export { drawCommittee, drawOpenings } from './draw.ts'
export type { Candidate } from './draw.ts'
export { DrawError, FeeSplitError, ScoreRangeError, ScoreTableError } from './errors.ts'
export { checkTotal, contributionScores, fromFixedPoint, toFixedPoint } from './fixed-point.ts'
export { judgeReveals, judgeVerdicts } from './judge.ts'
export type { Judgement, Reveal, Verdict } from './judge.ts'
export { dataTotal, MERGED_TOTAL, mergedPrice, mergedScores, unitedSnapshot } from './merged.ts'
export type { MergedScores, ParentEffect } from './merged.ts'
export { divide, payout } from './money.ts'
export type { DividedFees } from './money.ts'
export { nearDuplicates } from './near-duplicates.ts'
export { bountyOf, deterredCost, deters, penaltyOf, withholdingCostsMore } from './penalties.ts'
export type { Inspection } from './penalties.ts'
export { drawPlanters, plantCommit } from './plants.ts'
export type { Plant } from './plants.ts'
export { creditRetrieved, RETRIEVED_SHARE_BP } from './retrieved.ts'
export type { RetrievedAnswer } from './retrieved.ts'
export { scoreTree, verifyScoreClaim, verifyScoreHeader } from './score-tree.ts'
export type { ScoreTree } from './score-tree.ts'
