import { schemaConstraint } from '../grammar/index.ts'
import { EngineFullError } from '../inference/index.ts'
import { QUEUE_MAX } from './constants.ts'
import { BusyError } from './errors.ts'
import { lorasOf } from './loras.ts'
import { textStream } from './text-stream.ts'
import type { EngineDriver } from './engine.ts'
import type { LoadedAdapter, StreamOptions } from './interface.ts'
import type { SamplerSettings } from '../interface/index.ts'

export interface Computation {
  adapter: LoadedAdapter
  /** token ids with BOS */
  prompt: number[]
  maxTokens: number
  sampler: SamplerSettings
  stop?: readonly string[]
  /** JSON Schema that the answer keeps to */
  schema?: string
  /** whose turn it is: passes are shared fairly between these */
  tenant: string
}

export interface ComputingOptions extends StreamOptions {
  /** fires when the gateway stops: nothing is answered then */
  stopped: AbortSignal
}

/**
 * The tokens of an answer, until the model or a stop text ends it, there are enough, or whoever
 * asked goes away (`signal`): what there is by then is the answer, and is paid.
 *
 * @throws {BusyError | GatewayStoppedError}
 */
export async function computeAnswer (driver: EngineDriver, computation: Computation, { signal, stopped, onTokens }: ComputingOptions): Promise<number[]> {
  const { adapter, prompt, maxTokens, sampler, stop, schema, tenant } = computation
  const { tokenizer } = adapter.base
  const text = textStream(tokenizer, stop)
  const output: number[] = []
  const constraint = schema == null ? undefined : schemaConstraint(schema, tokenizer)
  const tokens = driver.generateStream({ prompt, maxTokens, sampler, stop: [tokenizer.eos], adapters: lorasOf(adapter), constraint, tenant }, {
    signal: signal == null ? stopped : AbortSignal.any([stopped, signal])
  })

  try {
    for await (const { token } of tokens) {
      output.push(token)
      text.push(token)
      onTokens?.([token])

      if (text.stopped) {
        break
      }
    }
  } catch (err) {
    stopped.throwIfAborted()

    if (signal?.aborted !== true || output.length === 0) {
      throw err instanceof EngineFullError ? new BusyError(QUEUE_MAX) : err
    }
  }

  return output
}
