/**
 * What exact attribution by the quick preset costs and how well its two forms agree, on a model of
 * the base's shape with random weights: costs do not depend on what a model has learnt.
 */
import { decodeAdjoint, decodeState, encodeAdjoint, encodeState, evaluator, forwardInfluence, forwardStep, influenceOfAnswer, replaySteps, reverseReplay, reverseStep, train } from '../../src/attribution/index.ts'
import { initialTheta, llama, llamaShapes, loraObjective, loraShape, presets, trainingPlan } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { batchCosts } from './attribution-batch.ts'
import type { Bench } from './interface.ts'
import type { Evaluator } from '../../src/attribution/index.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { LlamaModel, Tensors, TrainingPlan } from '../../src/models/index.ts'

const CONFIG: LlamaConfig = {
  dim: 128,
  hiddenDim: 352,
  layers: 4,
  heads: 4,
  kvHeads: 4,
  vocabularySize: 2048,
  contextLength: 256,
  ropeTheta: 10_000,
  rmsNormEpsNano: 10_000,
  tied: true
}

const CONTRIBUTIONS = 4

function model (): LlamaModel {
  const random = prng(1)
  const weights: Tensors = new Map()

  for (const [name, shape] of llamaShapes(CONFIG)) {
    const size = shape.length === 1 ? shape[0] : shape[0] * shape[1]
    const scale = shape.length === 1 ? 0 : 1 / Math.sqrt(shape[1])

    weights.set(name, { shape, data: Float32Array.from({ length: size }, () => (shape.length === 1 ? 1 : 0) + scale * random.nextNormal()) })
  }

  return llama(CONFIG, weights)
}

/** What a validator fetches to judge a step in the middle of the run, forward or back. */
async function disputed (examples: Evaluator, plan: TrainingPlan, theta0: Float64Array, cotangent: Float64Array): Promise<{ state: Uint8Array, adjoint: Uint8Array }> {
  const middle = plan.batches.length >> 1
  let state = new Uint8Array(0)

  for await (const step of replaySteps(examples, plan, { theta0, cotangent })) {
    if (step.kind === 'forward' && step.state.step === middle) {
      state = encodeState(step.state)
    } else if (step.kind === 'adjoint' && step.step === middle + 1) {
      return { state, adjoint: encodeAdjoint(step.step, step.adjoint) }
    }
  }

  throw new RangeError('expected a run of three steps at least')
}

/** Training beside replay and columns, what a step in dispute costs alone, and how far the two forms and retraining agree. */
export const costs: Bench = async ({ quick }) => {
  const settings = { ...presets.quick, seed: 1, ...(quick ? { steps: 4, batchSize: 8 } : {}) }
  const base = model()
  const shape = loraShape(CONFIG, settings)
  const random = prng(2)
  const sequences = Array.from({ length: settings.batchSize * 2 }, () => Uint32Array.from({ length: settings.sequenceLength }, () => random.nextUint32() % 97))
  const objective = loraObjective({ model: base, shape, examples: sequences })()
  const examples = evaluator(objective)
  const plan = trainingPlan(settings, sequences.length)
  const groups = Uint32Array.from(sequences, (_, i) => i % CONTRIBUTIONS)
  const theta0 = initialTheta(shape, settings.seed)
  // processor time: the ratios should not depend on who else is at work
  const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    const before = process.cpuUsage()
    const result = await work()
    const { user, system } = process.cpuUsage(before)

    return [result, (user + system) / 1000]
  }
  const trainOnce = async (weights?: Float64Array): Promise<Float64Array> => {
    let theta = theta0

    for await (const { state } of train(examples, plan, { theta0, weights })) {
      theta = state.theta
    }

    return theta
  }

  // once before the clock, so that nothing is compiled under it
  objective.gradient(theta0, 0, new Float32Array(shape.parameters))
  objective.dual(theta0, 0, [theta0], new Float32Array(shape.parameters), [new Float32Array(shape.parameters)])

  const [theta, trainMs] = await timed(trainOnce)
  const gradient = new Float32Array(shape.parameters)

  objective.gradient(theta, 0, gradient)

  const cotangent = Float64Array.from(gradient, value => -value)
  const [{ exampleScores }, reverseMs] = await timed(async () => reverseReplay(examples, plan, { theta0, cotangent }))
  const start = await disputed(examples, plan, theta0, cotangent)
  const [, stepMs] = await timed(async () => forwardStep(examples, plan, decodeState(start.state)))
  const [, backMs] = await timed(async () => reverseStep(examples, plan, decodeState(start.state), decodeAdjoint(start.adjoint, shape.parameters)))
  const [{ columns }, forwardMs] = await timed(async () => forwardInfluence(examples, plan, groups, CONTRIBUTIONS, { theta0 }))
  const forward = influenceOfAnswer(columns, cotangent)
  const reverse = forward.map((_, c) => exampleScores.reduce((sum, score, i) => sum + (groups[i] === c ? score : 0), 0))
  const size = Math.max(...forward.map(Math.abs))
  const difference = Math.max(...forward.map((value, c) => Math.abs(value - reverse[c]))) / size
  const h = 0.01
  const lossAt = async (weight: number): Promise<number> => objective.gradient(await trainOnce(Float64Array.from(groups, group => group === 0 ? weight : 1)), 0, gradient)
  const retrained = (await lossAt(1 - h) - await lossAt(1 + h)) / (2 * h)
  const detail = `${settings.steps} steps of ${settings.batchSize} examples of ${settings.sequenceLength} tokens, ${shape.parameters} parameters; processor time`

  return [
    { name: 'trainMs', value: trainMs, unit: 'ms', detail },
    { name: 'trainOfReplay', value: trainMs / reverseMs, unit: 'ratio', peer: 'reverse replay for all contributions', detail: `replay ${reverseMs.toFixed(0)} ms` },
    { name: 'wholeOfDisputedStep', value: reverseMs / stepMs, unit: 'ratio', peer: 'one step of training from the state before it', detail: `one step ${stepMs.toFixed(0)} ms, its state ${start.state.length} bytes` },
    { name: 'wholeOfDisputedAdjoint', value: reverseMs / backMs, unit: 'ratio', peer: 'one step back from the state before it', detail: `one step ${backMs.toFixed(0)} ms, its state ${start.state.length + start.adjoint.length} bytes` },
    { name: 'trainOfColumn', value: trainMs * CONTRIBUTIONS / forwardMs, unit: 'ratio', peer: 'one of 4 Jacobian columns', detail: `columns ${forwardMs.toFixed(0)} ms` },
    { name: 'agreementDigits', value: -Math.log10(Math.max(difference, 1e-16)), unit: 'digits', peer: 'forward against reverse', detail: `relative difference ${difference.toExponential(1)}` },
    { name: 'retrainDigits', value: -Math.log10(Math.max(Math.abs(reverse[0] - retrained) / Math.abs(retrained), 1e-16)), unit: 'digits', peer: 'retraining at weights 1 ± 0.01', detail: `exact ${reverse[0].toExponential(4)}, retrained ${retrained.toExponential(4)}` },
    ...batchCosts(base, shape, quick)
  ]
}
