import { setImmediate } from 'node:timers/promises'
import { generate } from '../models/index.ts'
import { textStream } from './text-stream.ts'
import type { LoadedAdapter, StreamOptions } from './interface.ts'
import type { SamplerSettings } from '../interface/index.ts'

export interface Computation {
  adapter: LoadedAdapter
  /** token ids with BOS */
  prompt: number[]
  maxTokens: number
  sampler: SamplerSettings
  stop?: readonly string[]
}

export interface ComputingOptions extends StreamOptions {
  /** fires when the gateway stops: nothing is answered then */
  stopped: AbortSignal
}

/**
 * The tokens of an answer, until the model or a stop text ends it, there are enough, or whoever
 * asked goes away (`signal`): what there is by then is the answer, and is paid.
 *
 * @throws {GatewayStoppedError}
 */
export async function computeAnswer ({ adapter, prompt, maxTokens, sampler, stop }: Computation, { signal, stopped, onTokens }: ComputingOptions): Promise<number[]> {
  const { model, tokenizer } = adapter.base
  const text = textStream(tokenizer, stop)
  const output: number[] = []

  for (const token of generate(model, { prompt, maxTokens, sampler, lora: adapter.lora, stop: [tokenizer.eos] })) {
    output.push(token)
    text.push(token)
    onTokens?.([token])
    // other work of the process, and other answers, get their turn
    await setImmediate()
    stopped.throwIfAborted()

    if (text.stopped || signal?.aborted === true) {
      break
    }
  }

  return output
}
