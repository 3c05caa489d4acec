/** Log-likelihoods of given answers under many adapters: one multi-LoRA batch, and one by one, which has the same bits. */
import { forcedLogits } from '../../src/inference/index.ts'
import { forward, loraValues } from '../../src/models/index.ts'
import { tape } from '../../src/numeric/index.ts'
import type { Sequence } from './attribution-data.ts'
import type { LlamaModel, LoraShape } from '../../src/models/index.ts'
import type { Tape, Value } from '../../src/numeric/index.ts'

const ARENA_BYTES = 268_435_456

/** Mean log-likelihood of the tokens that count of each sequence, in nats: a row of them for each adapter. */
export type Outcomes = (thetas: readonly Float64Array[], sequences: readonly Sequence[]) => Float64Array[]

/** All adapters and sequences in shared passes, the products of each adapter grouped. */
export function batchedOutcomes (model: LlamaModel, shape: LoraShape): Outcomes {
  const logitsOf = forcedLogits({ model })
  const values = tape({ arenaBytesMax: ARENA_BYTES })

  return (thetas, sequences) => {
    const outcomes = thetas.map(() => new Float64Array(sequences.length))
    const requests = thetas.flatMap(theta => {
      const adapters = [{ lora: { shape, theta } }]

      return sequences.map(({ tokens }) => ({ tokens: tokens.subarray(0, -1), adapters }))
    })

    logitsOf(requests, (request, logits) => {
      const sequence = request % sequences.length
      const rows = sequences[sequence].tokens.length - 1

      values.reset()
      outcomes[Math.floor(request / sequences.length)][sequence] = likelihood(values, values.parameter(logits, [rows, logits.length / rows]), sequences[sequence])
    })

    return outcomes
  }
}

/** One forward pass for each adapter and sequence. */
export function singleOutcomes (model: LlamaModel, shape: LoraShape): Outcomes {
  const values = tape({ arenaBytesMax: ARENA_BYTES })

  return (thetas, sequences) => thetas.map(theta => Float64Array.from(sequences, sequence => {
    values.reset()

    const { lora } = loraValues(values, shape, theta)

    return likelihood(values, forward(values, model, sequence.tokens.subarray(0, -1), { lora }), sequence)
  }))
}

function likelihood (values: Tape, logits: Value, { tokens, mask }: Sequence): number {
  const targets = tokens.subarray(1)
  const counted = Float32Array.from(targets, (_, i) => mask?.[i + 1] ?? 1)
  const total = counted.reduce((sum, one) => sum + one, 0)

  return -values.crossEntropy(logits, targets, counted.map(one => one / total)).data[0]
}
