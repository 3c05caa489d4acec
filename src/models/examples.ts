import { chatExample, parseChat } from './chat-examples.ts'
import { defaultChat } from './chat.ts'
import { WINDOW_TOKENS_MIN } from './constants.ts'
import { ChatTemplateError, SettingsError } from './errors.ts'
import type { ChatExample, ChatTurn } from './chat-examples.ts'
import type { ChatTemplate, Tokenizer } from './interface.ts'
import type { Recipe } from '../interface/index.ts'

/** Windows to train on and, for each, the index of the contribution that it comes from. */
export interface Examples {
  examples: Uint32Array[]
  contributionOf: Uint32Array
  /** per example 1 where a token counts; absent where all do */
  lossMasks?: Uint8Array[]
}

export interface ExamplesOptions {
  /** @default windows over a contribution's rows, joined */
  kind?: Recipe['examples']
  /**
   * Of `chat`.
   *
   * @default defaultChat
   */
  template?: ChatTemplate
}

/**
 * Cuts contributions into examples of at most `sequenceLength` tokens. None holds two
 * contributions, so that every gradient has one owner. Examples are never padded: packing saves
 * nothing but the start of a pass.
 *
 * Windows: each row is BOS and its tokens, rows are joined in order and cut; a last partial window
 * counts from 16 tokens. Attention sees the rows before in the same window.
 *
 * `rows`: each row, BOS and its tokens, is cut on its own; no attention from row to row.
 *
 * `chat`: the same with conversations, of which the assistant's tokens count alone; rows that hold
 * none, and cuts in which no assistant speaks, make no example.
 *
 * @throws {SettingsError} if `sequenceLength` is below 16
 */
export function examplesOf (contributions: ReadonlyArray<{ texts: Iterable<string> }>, tokenizer: Tokenizer, sequenceLength: number, options: ExamplesOptions = {}): Examples {
  if (!Number.isInteger(sequenceLength) || sequenceLength < WINDOW_TOKENS_MIN) {
    throw new SettingsError(`expected a sequenceLength of at least ${WINDOW_TOKENS_MIN} tokens but got ${sequenceLength}`)
  }
  const examples: Uint32Array[] = []
  const lossMasks: Uint8Array[] = []
  const owners: number[] = []
  contributions.forEach(({ texts }, owner) => {
    for (const { tokens, mask } of cuts(texts, tokenizer, sequenceLength, options)) {
      examples.push(tokens)
      owners.push(owner)
      if (mask != null) {
        lossMasks.push(mask)
      }
    }
  })
  const contributionOf = Uint32Array.from(owners)
  return options.kind === 'chat' ? { examples, contributionOf, lossMasks } : { examples, contributionOf }
}

interface Cut {
  tokens: Uint32Array
  mask?: Uint8Array
}

function * cuts (texts: Iterable<string>, tokenizer: Tokenizer, length: number, { kind, template = defaultChat }: ExamplesOptions): Generator<Cut, void> {
  if (kind == null) {
    const stream: number[] = []
    for (const text of texts) {
      append(stream, text, tokenizer)
    }
    yield * windows(Uint32Array.from(stream), length, WINDOW_TOKENS_MIN)
    return
  }
  for (const text of texts) {
    if (kind === 'rows') {
      const row: number[] = []
      append(row, text, tokenizer)
      yield * windows(Uint32Array.from(row), length, 2)
    } else {
      const turns = parseChat(text)
      const example = turns == null ? undefined : rendered(turns, template, tokenizer)
      if (example != null) {
        yield * conversation(example, length)
      }
    }
  }
}

/** A base's template may refuse turns, such as two of a user: like a row that is no conversation, that makes no example. */
function rendered (turns: readonly ChatTurn[], template: ChatTemplate, tokenizer: Tokenizer): ChatExample | undefined {
  try {
    return chatExample(turns, template, tokenizer)
  } catch (err) {
    if (err instanceof ChatTemplateError) {
      return undefined
    }
    throw err
  }
}

function append (tokens: number[], text: string, tokenizer: Tokenizer): void {
  tokens.push(tokenizer.bos)
  for (const id of tokenizer.encode(text)) {
    tokens.push(id)
  }
}

/** The first cut counts from `min` tokens, those that follow it from 16. */
function * windows (tokens: Uint32Array, length: number, min: number): Generator<Cut, void> {
  for (let at = 0; tokens.length - at >= (at === 0 ? min : WINDOW_TOKENS_MIN); at += length) {
    yield { tokens: tokens.slice(at, at + length) }
  }
}

/** The first token of a cut is given, so a cut needs another one that counts. */
function * conversation ({ tokens, mask }: { tokens: Uint32Array, mask: Uint8Array }, length: number): Generator<Cut, void> {
  for (let at = 0; at < tokens.length; at += length) {
    if (mask.subarray(at + 1, at + length).includes(1)) {
      yield { tokens: tokens.slice(at, at + length), mask: mask.slice(at, at + length) }
    }
  }
}
