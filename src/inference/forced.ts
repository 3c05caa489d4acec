import { checkTokens } from '../models/index.ts'
import { PAGE_TOKENS } from '../numeric/index.ts'
import { STEP_TOKENS_MAX } from './constants.ts'
import { AdapterMemoryError, SequenceFaultError } from './errors.ts'
import { machine } from './machine.ts'
import { checkAdapters } from './sequence.ts'
import type { Resident } from './adapters.ts'
import type { AdapterChoice, InferenceEngineInit } from './interface.ts'
import type { Machine } from './machine.ts'
import type { Work } from './pass.ts'

/** Tokens that are given, and the adapters by which they are looked at. */
export interface ForcedRequest {
  /** at least one */
  tokens: ArrayLike<number>
  /** @default [] */
  adapters?: readonly AdapterChoice[]
}

/** Told once for each request, in order: logits after each of its tokens, [tokens, vocabulary]; valid during the call. */
export type LogitsVisitor = (request: number, logits: Float32Array) => void

/** What is begun: rows up to `done` are computed. */
interface Forced {
  index: number
  tokens: ArrayLike<number>
  residents: Resident[]
  factors: number[]
  pages: number[]
  logits: Float32Array
  done: number
}

/**
 * Logits of given tokens, teacher-forced: many sequences share passes, each by its own adapters,
 * whose products are grouped. Each row has the bits of `forward` of models with these adapters
 * alone. For those who judge many adapters by the same answers.
 *
 * @returns a function that computes requests in their order; those of one adapter best follow one another
 * @throws {InferenceSettingsError} if a bound is out of range
 * @throws {TokensError | InferenceSettingsError | AdapterMemoryError} by that function, for a request that could never run
 * @throws {SequenceFaultError} and for one whose numbers are not finite
 */
export function forcedLogits (init: Omit<InferenceEngineInit, 'batchMax' | 'queueMax' | 'sharePrefixes'>): (requests: readonly ForcedRequest[], visit: LogitsVisitor) => void {
  const { model, stepTokensMax = STEP_TOKENS_MAX } = init
  // every row of a pass has its logits looked at
  const parts = machine({ ...init, stepTokensMax, batchMax: stepTokensMax })
  const vocabulary = model.plan.vocabularySize

  return (requests, visit) => {
    for (const { tokens, adapters = [] } of requests) {
      checkTokens(model.config, tokens)
      checkAdapters(model, adapters)
    }

    const open: Forced[] = []

    try {
      for (let next = 0; next < requests.length || open.length > 0;) {
        let rows = open.reduce((sum, { tokens, done }) => sum + tokens.length - done, 0)

        while (rows < stepTokensMax && next < requests.length && begin(parts, requests[next], next, vocabulary, open)) {
          rows += requests[next++].tokens.length
        }

        pass(parts, open, stepTokensMax, vocabulary)

        while (open.length > 0 && open[0].done === open[0].tokens.length) {
          visit(open[0].index, open[0].logits)
          end(parts, open.splice(0, 1))
        }
      }
    } finally {
      end(parts, open)
    }
  }
}

/** Takes pages and adapters for a request; false while others are in the way. */
function begin ({ adapters, cache: { pages } }: Machine, { tokens, adapters: choices = [] }: ForcedRequest, index: number, vocabulary: number, open: Forced[]): boolean {
  const count = Math.ceil(tokens.length / PAGE_TOKENS)
  const residents = pages.available < count ? undefined : adapters.pin(choices.map(({ lora }) => lora))

  if (residents == null) {
    if (open.length > 0) {
      return false
    }

    throw new AdapterMemoryError(`expected room for the adapters and ${tokens.length} tokens of one request`)
  }

  open.push({
    index,
    tokens,
    residents,
    factors: choices.map(({ lora, weightMilli = 1000 }) => lora.shape.alpha / lora.shape.rank * (weightMilli / 1000)),
    pages: Array.from({ length: count }, () => pages.take()).filter(page => page != null),
    logits: new Float32Array(tokens.length * vocabulary),
    done: 0
  })

  return true
}

function end ({ adapters, cache: { pages } }: Machine, some: Forced[]): void {
  for (const { residents, pages: held } of some) {
    adapters.unpin(residents)
    pages.release(held)
  }
}

/** Computes as many rows as a pass takes, each a work of its own so that each is picked. */
function pass ({ pass, cache }: Machine, open: readonly Forced[], rowsMax: number, vocabulary: number): void {
  const works: Work[] = []
  const rows: Array<{ forced: Forced, position: number }> = []

  for (const [slot, forced] of open.entries()) {
    const { tokens, pages, residents, factors, done } = forced
    const addresses = pages.map(page => cache.addressOf(page))

    for (let position = done; position < tokens.length && works.length < rowsMax; position++) {
      works.push({ slot, tokens, from: position, count: 1, pages: addresses, residents, factors, sample: true })
      rows.push({ forced, position })
    }
  }

  const { logits, faults } = pass.run(works)
  const fault = works.findIndex(work => faults.has(work))

  if (fault >= 0) {
    throw new SequenceFaultError(`${rows[fault].forced.index}`)
  }

  rows.forEach(({ forced, position }, i) => {
    forced.logits.set(logits[i], position * vocabulary)
    forced.done = position + 1
  })
}
