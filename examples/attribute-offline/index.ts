/**
 * Which text shaped an answer? Trains a small adapter on two texts, attributes two answers by the
 * forward and by the reverse form, and measures the same by training again at other weights.
 *
 *   node examples/attribute-offline/index.ts
 */
import { readFile } from 'node:fs/promises'
import { evaluator, forwardInfluence, influenceOfAnswer, reverseReplay, train } from '../../src/attribution/index.ts'
import { answerGradient, examplesOf, generate, initialTheta, loadBase, loraObjective, loraShape, parseBaseJson, trainingPlan } from '../../src/models/index.ts'
import type { Evaluator } from '../../src/attribution/index.ts'

const texts = [{
  title: 'Lincoln at Gettysburg',
  rows: [
    'Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in Liberty, and dedicated to the proposition that all men are created equal.',
    'Now we are engaged in a great civil war, testing whether that nation, or any nation so conceived and so dedicated, can long endure. We are met on a great battle-field of that war. We have come to dedicate a portion of that field, as a final resting place for those who here gave their lives that that nation might live. It is altogether fitting and proper that we should do this.',
    'But, in a larger sense, we can not dedicate, we can not consecrate, we can not hallow this ground. The brave men, living and dead, who struggled here, have consecrated it, far above our poor power to add or detract. The world will little note, nor long remember what we say here, but it can never forget what they did here.'
  ]
}, {
  title: 'Darwin on the Beagle',
  rows: [
    'After having been twice driven back by heavy southwestern gales, Her Majesty\'s ship Beagle, a ten-gun brig, under the command of Captain Fitz Roy, sailed from Devonport on the 27th of December, 1831.',
    'The object of the expedition was to complete the survey of Patagonia and Tierra del Fuego, commenced under Captain King in 1826 to 1830, to survey the shores of Chile, Peru, and of some islands in the Pacific, and to carry a chain of chronometrical measurements round the World.',
    'The neighbourhood of Porto Praya, viewed from the sea, wears a desolate aspect. The volcanic fires of a past age, and the scorching heat of a tropical sun, have in most places rendered the soil unfit for vegetation.'
  ]
}]

const settings = {
  rank: 4,
  alpha: 8,
  targets: ['q_proj', 'v_proj'],
  steps: 12,
  batchSize: 8,
  sequenceLength: 48,
  learningRateNano: 10_000_000,
  warmupSteps: 0,
  beta1Nano: 900_000_000,
  beta2Nano: 950_000_000,
  epsilonNano: 1_000,
  checkpointEverySteps: 12,
  seed: 1
}

const questions = ['We have come to', 'The coast of']

const base = new URL('../../models/base/', import.meta.url)
const file = async (name: string): Promise<Uint8Array> => readFile(new URL(name, base))

const { model, tokenizer } = loadBase(parseBaseJson(await file('base.json')), await file('model.safetensors'), await file('tokenizer.json'))
const { examples, contributionOf } = examplesOf(texts.map(({ rows }) => ({ texts: rows })), tokenizer, settings.sequenceLength)
const shape = loraShape(model.config, settings)
const theta0 = initialTheta(shape, settings.seed)
const plan = trainingPlan(settings, examples.length)
const run = evaluator(loraObjective({ model, shape, examples })())

console.info(`${texts.length} texts, ${examples.length} examples, ${shape.parameters} trained parameters, ${settings.steps} steps`)

/** Trains to the end and returns the final weights. */
async function trained (on: Evaluator, onStep: (step: number, loss: number) => void = () => {}): Promise<Float64Array> {
  let theta = theta0

  for await (const { state, loss } of train(on, plan, { theta0 })) {
    theta = state.theta
    onStep(state.step, loss)
  }

  return theta
}

const theta = await trained(run, (step, loss) => { console.info(`  step ${step}: ${loss.toFixed(3)} nats per token`) })

// forward: one column of the Jacobian for each text, made beside training; serves all questions
const { columns } = await forwardInfluence(run, plan, contributionOf, texts.length, { theta0 })

/** The same run with one text at another weight, to see what really changes. */
function weighted (text: number, weight: number): Evaluator {
  return {
    ...run,
    gradients: async (theta, batch, visit, options) => run.gradients(theta, batch, (position, loss, gradient) => {
      visit(position, loss, contributionOf[batch[position]] === text ? gradient.map(value => weight * value) : gradient)
    }, options)
  }
}

const STEP = 0.05
const retrained: Array<{ less: Float64Array, more: Float64Array }> = []

for (const text of texts.keys()) {
  retrained.push({ less: await trained(weighted(text, 1 - STEP)), more: await trained(weighted(text, 1 + STEP)) })
}

for (const question of questions) {
  const prompt = [tokenizer.bos, ...tokenizer.encode(question)]
  const output = [...generate(model, { prompt, maxTokens: 12, sampler: { temperatureMilli: 0, topK: 0, seed: 0 }, lora: { shape, theta } })]
  const { gradient } = answerGradient(model, shape, theta, prompt, output)
  const forward = influenceOfAnswer(columns, gradient)

  // reverse: one replay of the run backwards gives all examples, which are then summed by text
  const { exampleScores } = await reverseReplay(run, plan, { theta0, cotangent: gradient })
  const reverse = texts.map((_, text) => exampleScores.reduce((sum, score, example) => contributionOf[example] === text ? sum + score : sum, 0))

  const likelihood = (weights: Float64Array): number => answerGradient(model, shape, weights, prompt, output).logProbability
  const measured = retrained.map(({ less, more }) => (likelihood(more) - likelihood(less)) / (2 * STEP))

  console.info(`\n» ${question}|${tokenizer.decode(output).replace(/\s+/g, ' ')}`)
  console.info('                            forward    reverse   measured   (nats per unit of weight)')

  for (const [text, { title }] of texts.entries()) {
    console.info(`  ${title.padEnd(22)}${[forward, reverse, measured].map(values => values[text].toFixed(4).padStart(11)).join('')}`)
  }

  const differences = forward.map((value, text) => Math.abs(value - reverse[text]) / Math.abs(value))

  console.info(`  shaped most by ${texts[forward.indexOf(Math.max(...forward))].title}; forward and reverse differ by ${Math.max(...differences).toExponential(0)} of their size`)
}
