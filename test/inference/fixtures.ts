import { loraShape } from '../../src/models/index.ts'
import { noise, tinyModel } from '../models/fixtures.ts'
import type { InferenceEngine, SequenceFault, SequenceToken } from '../../src/inference/index.ts'
import type { LlamaModel, Lora } from '../../src/models/index.ts'

const TARGETS = [['q_proj', 'v_proj'], ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'], ['gate_proj', 'up_proj', 'down_proj'], ['o_proj', 'up_proj']]

/** Adapters of all kinds, strong enough to change answers. */
export function adapters (model: LlamaModel, count: number, seed = 1): Lora[] {
  return Array.from({ length: count }, (_, i) => {
    const shape = loraShape(model.config, { rank: 1 + (i + seed) % 9, alpha: 8, targets: TARGETS[i % TARGETS.length].filter(target => target !== 'gate_proj' || model.config.architecture !== 'gpt2') })
    return { shape, theta: noise(shape.parameters, 0.2, 1000 * seed + i) }
  })
}

export interface Answers {
  outputs: Map<string, number[]>
  tokens: SequenceToken[]
  faults: SequenceFault[]
}

/** Runs an engine until nothing is left to do. */
export function drain (engine: InferenceEngine): Answers {
  const answers: Answers = { outputs: new Map(), tokens: [], faults: [] }
  while (engine.busy) {
    const { tokens, faults } = engine.step()
    answers.faults.push(...faults)
    for (const token of tokens) {
      answers.tokens.push(token)
      answers.outputs.set(token.id, [...answers.outputs.get(token.id) ?? [], token.token])
    }
  }
  return answers
}

export { tinyModel }
