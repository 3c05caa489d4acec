import { randomUUID } from 'node:crypto'
import { pieces } from '../serving/index.ts'
import { toError } from '../utils/index.ts'
import { openaiErrorBody } from './openai-errors.ts'
import { extensionOf, logprobsOf, nowSeconds, usageOf } from './openai-format.ts'
import type { Form } from './openai-format.ts'
import type { AnswerView } from '../interface/index.ts'
import type { AnswerPiece, AskingOptions } from '../node/index.ts'

/** An answer that is bought while it is looked at. */
export interface Running {
  /** resolves when there is something to send; rejects if there never will be */
  begun: Promise<void>
  pieces: AsyncIterable<AnswerPiece[]>
  /** what shaped it; before the citations are found */
  traced: Promise<AnswerView>
  /** and when it is stored */
  whole: Promise<AnswerView>
}

/** Starts to buy an answer, and waits for its first piece: until then a failure is a status of HTTP. */
export function running (buy: (listening: Required<Pick<AskingOptions, 'onPiece' | 'onTraced'>>) => Promise<AnswerView>): Running {
  const made = pieces<AnswerPiece>()
  const first = Promise.withResolvers<void>()
  const traced = Promise.withResolvers<AnswerView>()
  const whole = buy({
    onPiece (piece) {
      made.add([piece])
      first.resolve()
    },
    onTraced (view) {
      traced.resolve(view)
      made.end()
    }
  }).finally(() => { made.end() })

  whole.then(view => {
    first.resolve()
    traced.resolve(view)
  }, (err: unknown) => {
    first.reject(err)
    traced.reject(err)
  })
  // whoever does not get so far has the first failure
  traced.promise.catch(() => {})

  return { begun: first.promise, pieces: made, traced: traced.promise, whole }
}

export interface ChunkOptions {
  form: Form
  /** as the client named it */
  model: string
  includeUsage: boolean
}

/**
 * The events of a streamed answer: pieces of text, how it ended together with receipt, shares and
 * the log-probabilities of all tokens as soon as these are computed from the whole answer, its usage
 * if asked for, and `[DONE]` when receipt, attribution and citations can be asked for by CID. What
 * fails after the first piece is an event of its own.
 */
export async function * chunks ({ pieces, traced, whole }: Running, { form, model, includeUsage }: ChunkOptions): AsyncGenerator<string> {
  const head = { id: `${form.idPrefix}-${randomUUID()}`, object: form.chunkObject, created: nowSeconds(), model }
  const usage = includeUsage ? { usage: null } : {}
  const choice = (content: object, finish: string | null, logprobs: object | null = null): object => ({ ...head, choices: [{ index: 0, ...content, finish_reason: finish, logprobs }], ...usage })
  let isFirst = true

  try {
    for await (const some of pieces) {
      const text = some.map(piece => piece.text).join('')

      if (text !== '' || isFirst) {
        yield JSON.stringify(choice(form.piece(text, isFirst), null))
        isFirst = false
      }
    }

    const view = await traced

    yield JSON.stringify({ ...choice(form.end, view.finish ?? 'stop', logprobsOf(form, view)), datanet: extensionOf(view) })

    if (includeUsage) {
      yield JSON.stringify({ ...head, choices: [], usage: usageOf(view) })
    }

    await whole

    yield '[DONE]'
  } catch (err) {
    yield JSON.stringify(openaiErrorBody(toError(err)))
  }
}
