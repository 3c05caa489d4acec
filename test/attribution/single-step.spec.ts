import { expect } from 'aegir/chai'
import {
  addScores, adjointDigest, adjointStep, adjointStepOf, decodeAdjoint, decodeState, encodeAdjoint, encodeFloats, encodeState, evaluator, forwardStep,
  GRADDOT_CHUNK, gradDot, gradDotChunk, gradDotStepOf, hashState, replaySteps, reverseReplay, reverseStep
} from '../../src/attribution/index.ts'
import { adamState, cloneAdamState, trainingPlan } from '../../src/models/index.ts'
import { fixture, RECIPE } from './objectives.ts'
import type { ReplayStep, TrainingState } from '../../src/attribution/index.ts'
import type { TrainingPlan } from '../../src/models/index.ts'

const { objective, theta0 } = fixture()
const examples = evaluator(objective)
const cotangent = Float64Array.from({ length: objective.parameters }, (_, i) => (i % 7 - 3) / 10)

/** All of a replay, copied. */
async function replay (plan: TrainingPlan, bytesMax?: number): Promise<ReplayStep[]> {
  const steps: ReplayStep[] = []

  for await (const step of replaySteps(examples, plan, { theta0, cotangent, bytesMax })) {
    switch (step.kind) {
      case 'forward': steps.push({ ...step, state: cloneAdamState(step.state) }); break
      case 'adjoint': steps.push({ ...step, adjoint: { theta: step.adjoint.theta.slice(), m: step.adjoint.m.slice(), v: step.adjoint.v.slice() } }); break
      default: steps.push(step)
    }
  }

  return steps
}

const plans: Record<string, TrainingPlan> = {
  Adam: trainingPlan(RECIPE, objective.examples),
  'Adam with clipping and decay': trainingPlan({ ...RECIPE, clipNormMicro: 180_000, weightDecayNano: 500_000_000 }, objective.examples),
  momentum: trainingPlan({ ...RECIPE, optimiser: 'sgd', learningRateNano: 100_000_000, clipNormMicro: 100_000 }, objective.examples)
}

for (const [name, plan] of Object.entries(plans)) {
  describe(`one step of a replay by ${name}`, () => {
    it('gives the hash of the whole replay, at every step forward and back, from bytes alone', async () => {
      const { trace } = await reverseReplay(examples, plan, { theta0, cotangent })
      const steps = await replay(plan)
      const states: TrainingState[] = [adamState(theta0)]
      let adjoint: ReturnType<typeof decodeAdjoint> = { theta: cotangent, m: new Float64Array(cotangent.length), v: new Float64Array(cotangent.length) }

      expect(steps.map(({ hash }) => hash)).to.deep.equal(trace)

      for (const step of steps) {
        if (step.kind === 'forward') {
          const before = decodeState(encodeState(states[states.length - 1]))

          expect(hashState((await forwardStep(examples, plan, before)).state)).to.deep.equal(step.hash)
          states.push(step.state)
        } else if (step.kind === 'adjoint') {
          const after = decodeAdjoint(encodeAdjoint(step.step, adjoint), objective.parameters)
          const scores = await reverseStep(examples, plan, states[step.step], after)

          expect(adjointStep(step.step, after, scores)).to.deep.equal(step.hash)
          expect(scores).to.deep.equal(step.scores)
          adjoint = step.adjoint
        }
      }
    })

    it('shows scores without its adjoint, and they sum to those of the replay', async () => {
      const { exampleScores } = await reverseReplay(examples, plan, { theta0, cotangent })
      const sums = new Float64Array(exampleScores.length)

      for (const step of await replay(plan, 1)) {
        if (step.kind === 'adjoint') {
          expect(adjointStepOf(adjointDigest(encodeAdjoint(step.step, step.adjoint)), encodeFloats(step.step, step.scores))).to.deep.equal(step.hash)
          addScores(sums, plan.batches[step.step], step.scores)
        }
      }

      expect(sums).to.deep.equal(exampleScores)
    })
  })
}

describe('one step alone', () => {
  it('leaves the state before it as it is, and is none after the end of the run', async () => {
    const before = adamState(theta0)
    const bytes = encodeState(before)

    await forwardStep(examples, plans.Adam, before)
    expect(encodeState(before)).to.deep.equal(bytes)
    await expect(forwardStep(examples, plans.Adam, { ...before, step: plans.Adam.batches.length })).to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
  })

  it('is not read from an adjoint of another length, or one that is not finite', () => {
    const bytes = encodeAdjoint(0, { theta: Float64Array.of(1, 2), m: Float64Array.of(3, 4), v: Float64Array.of(5, 6) })
    const broken = bytes.slice()

    new DataView(broken.buffer).setFloat64(8, NaN, true)
    expect(decodeAdjoint(bytes, 2)).to.deep.equal({ theta: Float64Array.of(1, 2), m: Float64Array.of(3, 4), v: Float64Array.of(5, 6) })

    for (const [wrong, parameters] of [[bytes, 3], [bytes.subarray(1), 2], [broken, 2]] as const) {
      expect(() => decodeAdjoint(wrong, parameters)).to.throw().with.property('code', 'ERR_TRAINING_STATE')
    }
  })

  it('of GradDot gives the hash and the scores of the whole', async () => {
    const { trace, exampleScores } = await gradDot(examples, theta0, cotangent)

    for (const [i, hash] of trace.slice(1).entries()) {
      const { digest, scores, ...chunk } = await gradDotChunk(examples, theta0, cotangent, i * GRADDOT_CHUNK)

      expect(chunk.hash).to.deep.equal(hash)
      expect(gradDotStepOf(digest, encodeFloats(0, scores))).to.deep.equal(hash)
      expect(scores).to.deep.equal(exampleScores.slice(i * GRADDOT_CHUNK, (i + 1) * GRADDOT_CHUNK))
    }
  })
})
