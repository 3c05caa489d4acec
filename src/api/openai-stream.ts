import { randomUUID } from 'node:crypto'
import { pieces } from '../serving/index.ts'
import { toError } from '../utils/index.ts'
import { openaiErrorBody } from './openai-errors.ts'
import { extensionOf, logprobsOf, nowSeconds, usageOf } from './openai-format.ts'
import type { Form } from './openai-format.ts'
import type { AnswerView } from '../interface/index.ts'
import type { AnswerPiece } from '../node/index.ts'

/** An answer that is bought while it is looked at. */
export interface Running {
  /** resolves when there is something to send; rejects if there never will be */
  begun: Promise<void>
  pieces: AsyncIterable<AnswerPiece[]>
  whole: Promise<AnswerView>
}

/** Starts to buy an answer, and waits for its first piece: until then a failure is a status of HTTP. */
export function running (buy: (onPiece: (piece: AnswerPiece) => void) => Promise<AnswerView>): Running {
  const made = pieces<AnswerPiece>()
  const first = Promise.withResolvers<void>()
  const whole = buy(piece => {
    made.add([piece])
    first.resolve()
  }).finally(() => { made.end() })

  whole.then(() => { first.resolve() }, first.reject)

  return { begun: first.promise, pieces: made, whole }
}

export interface ChunkOptions {
  form: Form
  /** as the client named it */
  model: string
  includeUsage: boolean
}

/**
 * The events of a streamed answer: pieces of text, how it ended together with receipt, shares and
 * the log-probabilities of all tokens, which are computed from the whole answer,
 * its usage if asked for, and `[DONE]`. What fails after the first piece is an event of its own.
 */
export async function * chunks ({ pieces, whole }: Running, { form, model, includeUsage }: ChunkOptions): AsyncGenerator<string> {
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

    const view = await whole

    yield JSON.stringify({ ...choice(form.end, view.finish ?? 'stop', logprobsOf(form, view)), datanet: extensionOf(view) })

    if (includeUsage) {
      yield JSON.stringify({ ...head, choices: [], usage: usageOf(view) })
    }

    yield '[DONE]'
  } catch (err) {
    yield JSON.stringify(openaiErrorBody(toError(err)))
  }
}
