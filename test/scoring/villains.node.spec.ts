import { expect } from 'aegir/chai'
import { llama, llamaShapes, presets } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { VILLAINS, judgeVillain, payoutsOf } from '../bench/attribution-villains.ts'
import type { LlamaModel, Tensors } from '../../src/models/index.ts'
import type { Scene, VillainResult } from '../bench/attribution-villains.ts'

const CONFIG = { dim: 16, hiddenDim: 24, layers: 1, heads: 2, kvHeads: 2, vocabularySize: 160, contextLength: 32, ropeTheta: 10_000, rmsNormEpsNano: 10_000, tied: true }
const SEEDS = [1]

function model (): LlamaModel {
  const random = prng(5)
  const weights: Tensors = new Map()

  for (const [name, shape] of llamaShapes(CONFIG)) {
    const size = shape.length === 1 ? shape[0] : shape[0] * shape[1]

    weights.set(name, { shape, data: Float32Array.from({ length: size }, () => shape.length === 1 ? 1 : 0.3 * random.nextNormal()) })
  }

  return llama(CONFIG, weights)
}

/** Six speakers who each walk through the words in steps of their own, and questions in their manners. */
function scene (): Scene {
  const random = prng(6)
  const speak = (speaker: number, length: number): Uint32Array => {
    let word = random.nextBelow(CONFIG.vocabularySize)

    return Uint32Array.from({ length }, () => {
      word = (word + 3 + 7 * speaker + random.nextBelow(3)) % CONFIG.vocabularySize

      return word
    })
  }

  const honest = Array.from({ length: 6 }, (_, speaker) => Array.from({ length: 8 }, () => speak(speaker, 24)))

  return {
    model: model(),
    recipe: { ...presets.quick, steps: 10, batchSize: 24, sequenceLength: 24 },
    honest,
    more: honest[0].map(() => speak(0, 24)),
    queries: Array.from({ length: 12 }, (_, q) => ({ tokens: speak(q % 6, 24) }))
  }
}

describe('a villain on real runs of a tiny model', () => {
  const here = scene()
  const judged = async (name: string): Promise<VillainResult> => {
    const villain = VILLAINS.find(one => one.name === name)

    return villain === undefined ? expect.fail(`no villain ${name}`) : judgeVillain(villain, async (_, contributions, seed) => payoutsOf(here, contributions, seed), here, SEEDS)
  }

  for (const name of ['copier', 'paraphraser', 'rewriter']) {
    it(`who is a ${name} changes nothing, and is not paid for copies where a recipe keeps them`, async () => {
      const { gain, victimLoss, kept, unclustered } = await judged(name)

      expect(gain).to.be.within(0.999, 1.001)
      expect(victimLoss).to.be.lessThan(0.001)
      expect(kept.gain).to.be.lessThan(unclustered.gain)
      expect(kept.victimLoss).to.be.lessThan(unclustered.victimLoss)
    })
  }

  for (const name of ['sybil-2', 'sybil-5', 'sybil-10', 'merger', 'segregator']) {
    it(`who is a ${name} is paid what he was paid before, and so is everybody`, async () => {
      const { gain, victimLoss } = await judged(name)

      expect(gain).to.be.within(0.999, 1.001)
      expect(victimLoss).to.be.lessThan(0.001)
    })
  }

  it('who repeats a row of his own gains nothing', async () => {
    expect((await judged('stuffer')).gain).to.be.within(0.999, 1.001)
  })
})
