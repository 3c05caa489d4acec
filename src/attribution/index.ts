/**
 * Exact trajectory attribution (MAGIC, arXiv 2504.16430): the derivative of an answer's
 * log-likelihood by the weight of each training example, through the whole run.
 *
 * Two forms that must agree to rounding: forward tangents, one column per contribution, and one
 * replay backwards for all examples. GradDot stands beside them. Pure and bit-exact: f64 sums in a
 * fixed order over what the model computes in f32.
 *
 * @example
 * ```ts
 * const examples = evaluator(objective)
 * const plan = trainingPlan(recipe, objective.examples)
 *
 * for await (const { state, loss } of train(examples, plan, { theta0 })) {
 *   console.info(state.step, loss)
 * }
 *
 * const { columns } = await forwardInfluence(examples, plan, groups, contributions, { theta0 })
 * const perContribution = influenceOfAnswer(columns, answerGradient)
 *
 * const { exampleScores, trace } = await reverseReplay(examples, plan, { theta0, cotangent: answerGradient })
 * ```
 */
export { adjointDigest, adjointStep, adjointStepOf, cotangentStep, decodeAdjoint, encodeAdjoint, scoresStep, weightsStep } from './influence/adjoint.ts'
export { loraBlocks } from './influence/blocks.ts'
export type { MatrixBlock } from './influence/blocks.ts'
export { columnsCost } from './influence/column-costs.ts'
export { chooseForm, estimateCosts } from './influence/costs.ts'
export type { RunShape } from './influence/costs.ts'
export { feeWeights, taskCotangent } from './influence/cotangent.ts'
export { AttributionInputError, DivergedError, StateEncodingError } from './influence/errors.ts'
export { evaluator } from './influence/evaluator.ts'
export { forwardInfluence, influenceOfAnswer } from './influence/forward.ts'
export type { ForwardOptions, Jacobian } from './influence/forward.ts'
export type { AttributionEvent, DualVisitor, Evaluator, ExampleScores, GradientVisitor, InfluenceMethod, MethodCost } from './influence/interface.ts'
export { lockstep } from './influence/lockstep.ts'
export { gradDot, gradDotChunk, gradDotMethod, gradDotStepOf, influenceMethod, METHOD_MEANINGS, trajectory } from './influence/methods.ts'
export type { InfluenceRun } from './influence/methods.ts'
export { methodCosts, methodFault } from './influence/method-costs.ts'
export type { MethodShape } from './influence/method-costs.ts'
export { sparseProjection } from './influence/projection.ts'
export type { Projection } from './influence/projection.ts'
export { GRADDOT_CHUNK } from './influence/constants.ts'
export { columnsWithin, replayBytes } from './influence/memory.ts'
export { addScores, replaySteps, reverseReplay } from './influence/reverse.ts'
export type { ReplayOptions, ReplayStep } from './influence/reverse.ts'
export { forwardStep, reverseStep } from './influence/single-step.ts'
export { decodeFloats, decodeState, encodeFloats, encodeState, hashState } from './influence/state.ts'
export type { TrainingState } from './influence/state.ts'
export type { CheckpointWeights } from './influence/tracin.ts'
export { train } from './influence/train.ts'
export type { TrainingStep, TrainOptions } from './influence/train.ts'
export { addScaled, normalised } from './influence/vectors.ts'
export { dividedTokens, MERGED_ADAPTERS_MAX, mergedEffects } from './merged/merged.ts'
export type { MergedAnswer, MergedEffect, TokenInfluence } from './merged/merged.ts'
export { buildPart, joinParts, partBuilder, partSizes } from './spans/build.ts'
export type { BuildOptions, PartBuilder } from './spans/build.ts'
export { checkPart } from './spans/check-part.ts'
export { CITATIONS_MAX, MERGE_SYMBOLS_AT_ONCE, PART_BYTES_MAX, PART_SYMBOLS_MAX, SORTED_TOGETHER_MIN, SPANS_MAX, SPAN_TOKENS_MIN } from './spans/constants.ts'
export { SpanIndexError } from './spans/errors.ts'
export { spansIndex, spanWeights } from './spans/find.ts'
export type { FindOptions, Span, SpanCitation, SpansIndex } from './spans/find.ts'
export type { PartSource } from './spans/layout.ts'
export { levelsOf } from './spans/levels.ts'
export type { Level } from './spans/levels.ts'
export { finish, mergeParts } from './spans/merge.ts'
export type { Work } from './spans/merge.ts'
export { openPart, partRow } from './spans/part.ts'
export type { SpanPart } from './spans/part.ts'
export { suffixArray } from './spans/suffix-array.ts'
