import { randomInt } from 'node:crypto'
import { UnsupportedError } from './errors.ts'
import type { chatBody, completionBody } from './schemas.ts'
import type { AskRequest } from '../interface/index.ts'
import type { Static } from '@sinclair/typebox'

export type Completion = Static<typeof completionBody>
export type Chat = Static<typeof chatBody>
export type Common = Omit<Completion, 'prompt' | 'logprobs'>
/** What the two forms of the API say each in their way. */
export type Question = Pick<AskRequest, 'prompt' | 'messages' | 'logProbabilities'>

/** One neutral value for each field that changes an answer and that we do not have. */
const neutral: Record<string, (value: unknown) => boolean> = {
  n: value => value === 1,
  best_of: value => value === 1,
  echo: value => value === false,
  suffix: value => value === '',
  logit_bias: isEmpty,
  tools: isEmpty,
  functions: isEmpty,
  tool_choice: value => value === 'none' || value === 'auto',
  function_call: value => value === 'none' || value === 'auto',
  modalities: value => Array.isArray(value) && value.every(one => one === 'text'),
  audio: () => false,
  prediction: () => false
}

/**
 * Refuses what we cannot do rather than doing something else. Fields that do not change an answer
 * (`user`, `store`, `metadata`, …) pass.
 *
 * @throws {UnsupportedError}
 */
export function checkSupported (body: Record<string, unknown>): void {
  for (const [param, isNeutral] of Object.entries(neutral)) {
    if (body[param] !== undefined && !isNeutral(body[param])) {
      throw new UnsupportedError(param, `expected "${param}" to be left out, this node does not have it, but it is ${jsonOf(param, body[param]).slice(0, 100)}`)
    }
  }
}

/**
 * One way to say each thing, before the schema looks: null is "not set" in OpenAI's API, and a
 * content may come as parts of text.
 */
export function normalised (body: unknown): unknown {
  if (!isRecord(body)) {
    return body
  }

  const set = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))

  return Array.isArray(set.messages) ? { ...set, messages: set.messages.map(joined) } : set
}

/** A message of text parts with the whole text; one with other parts as it is, for the schema to refuse. */
function joined (message: unknown): unknown {
  if (!isRecord(message) || !Array.isArray(message.content)) {
    return message
  }

  const texts = message.content.map((part: unknown) => isRecord(part) && part.type === 'text' && typeof part.text === 'string' ? part.text : undefined)

  return texts.length > 0 && texts.every(text => text !== undefined) ? { ...message, content: texts.join('') } : message
}

/** A request in OpenAI's words as one in ours; `adapter` is what its `model` was found to be. */
export function askRequestOf (body: Common, adapter: string, { prompt, messages, logProbabilities }: Question): AskRequest {
  const { temperature, stop } = body

  return {
    adapter,
    prompt,
    ...(messages == null ? {} : { messages }),
    ...(logProbabilities == null ? {} : { logProbabilities }),
    maxTokens: body.max_completion_tokens ?? body.max_tokens,
    temperature,
    topK: body.top_k,
    topP: body.top_p,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    // who wants the same answer again says so; the seed that was drawn is in the receipt
    seed: body.seed ?? ((temperature ?? 0) > 0 ? randomInt(2 ** 32) : 0),
    stop: typeof stop === 'string' ? [stop] : stop,
    ...schemaOf(body.response_format),
    ...(body.retrieval == null ? {} : { retrieval: body.retrieval })
  }
}

/** The schema that an answer of this form keeps to; any object for `json_object`. */
function schemaOf (format: Common['response_format']): Pick<AskRequest, 'schema'> {
  switch (format?.type) {
    case 'json_object': return { schema: '{"type":"object"}' }
    case 'json_schema': return { schema: jsonOf('response_format', format.json_schema.schema ?? { type: 'object' }) }
    default: return {}
  }
}

export function completionQuestion ({ prompt, logprobs }: Completion): Question {
  return { prompt, logProbabilities: logprobs }
}

/** A conversation, and its last message for bases that lead none: they go on where it ends. */
export function chatQuestion ({ messages, logprobs = false, top_logprobs: top = 0 }: Chat): Question {
  const turns = messages.map(({ role, content }) => ({
    // what newer clients call the system's message
    role: role === 'developer' ? 'system' : role,
    content: typeof content === 'string' ? content : content.map(({ text }) => text).join('')
  }))

  return { prompt: turns[turns.length - 1].content, messages: turns, ...(logprobs ? { logProbabilities: top } : {}) }
}

/** @throws {UnsupportedError} for what was parsed and is nested too deeply to be written again */
function jsonOf (param: string, value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    throw new UnsupportedError(param, `expected "${param}" to be nested less deeply`)
  }
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty (value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
