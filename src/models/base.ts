import { CID } from 'multiformats/cid'
import { chatTemplate, defaultChat } from './chat.ts'
import { ModelShapeError } from './errors.ts'
import { checkConfig, llama } from './llama.ts'
import { readBytes, readSource } from './reading.ts'
import { parseSentencePiece, sentencePieceTokenizer } from './sentencepiece.ts'
import { huggingFaceTokenizer } from './tokenizer-huggingface.ts'
import { parseTokenizer } from './tokenizer.ts'
import { weightsOf } from './weights.ts'
import type { ChatTemplate, LlamaModel, Tokenizer } from './interface.ts'
import type { ByteSource } from './reading.ts'
import type { BaseModel } from '../interface/index.ts'

/** What a base's record says about its files. */
export type BaseDescription = Pick<BaseModel, 'config' | 'format' | 'tokenizerKind' | 'special'>

/** A base model ready to answer and to be adapted. */
export interface LoadedBase {
  record: BaseModel
  model: LlamaModel
  tokenizer: Tokenizer
  /** the base's own, or the default */
  chat: ChatTemplate
}

/**
 * A base model from its record and the bytes of its files; weights that stay in their type are
 * views of the bytes, which must not change. The caller has checked that the bytes hash to the
 * record's CIDs.
 *
 * @param record - what the chain lists
 * @param weights - of the record's format
 * @param tokenizer - of the record's kind
 * @param chat - Jinja in UTF-8, if the record names a template
 * @throws {SafetensorsError | GgufError | TokenizerError | ModelShapeError | ChatTemplateError} if a file does not fit the record
 */
export function loadBase (record: BaseModel, weights: Uint8Array, tokenizer: Uint8Array, chat?: Uint8Array): LoadedBase {
  return { record, model: loadModel(record, weights), tokenizer: loadTokenizer(record, tokenizer), chat: loadChat(chat) }
}

/** The model of a base, from the bytes of its weights. */
export function loadModel (base: BaseDescription, weights: Uint8Array): LlamaModel {
  checkConfig(base.config)
  return llama(base.config, readBytes(weights, weightsOf(base.config, base.format ?? 'safetensors', weights.length)))
}

/** The same from a file that is read tensor by tensor: never more of it in memory than the model itself and one tensor. */
export async function openModel (base: BaseDescription, source: ByteSource, options: { signal?: AbortSignal, onRange?(offset: number, length: number): void } = {}): Promise<LlamaModel> {
  checkConfig(base.config)
  return llama(base.config, await readSource(source, weightsOf(base.config, base.format ?? 'safetensors', source.size), options))
}

/** The tokenizer of a base, from the bytes of its file. */
export function loadTokenizer ({ config, tokenizerKind, special }: BaseDescription, bytes: Uint8Array): Tokenizer {
  if (tokenizerKind == null) {
    const tokenizer = parseTokenizer(bytes)
    if (tokenizer.size !== config.vocabularySize) {
      throw new ModelShapeError(`expected a tokenizer of ${config.vocabularySize} tokens but it has ${tokenizer.size}`)
    }
    return tokenizer
  }
  if (special == null) {
    throw new ModelShapeError(`expected special token ids beside a tokenizer of kind ${tokenizerKind}`)
  }
  return tokenizerKind === 'huggingface'
    ? huggingFaceTokenizer(bytes, special, config.vocabularySize)
    : sentencePieceTokenizer(parseSentencePiece(bytes), special, config.vocabularySize)
}

/** A chat template from the bytes of its file, or the default one. */
export function loadChat (bytes?: Uint8Array): ChatTemplate {
  return bytes == null ? defaultChat : chatTemplate(new TextDecoder().decode(bytes))
}

/**
 * The record in `base.json`, where CIDs are strings.
 *
 * @throws {ModelShapeError} if a field is missing or out of range
 */
export function parseBaseJson (bytes: Uint8Array): BaseModel {
  try {
    const { name, licence, config, weights, tokenizer, chatTemplate: chat, format, tokenizerKind, special } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).record
    checkConfig(config)
    return {
      type: 'base',
      version: 1,
      name: String(name),
      licence: String(licence),
      config,
      ...(format == null ? {} : { format }),
      weights: CID.parse(weights),
      ...(tokenizerKind == null ? {} : { tokenizerKind }),
      tokenizer: CID.parse(tokenizer),
      ...(special == null ? {} : { special }),
      ...(chat == null ? {} : { chatTemplate: CID.parse(chat) })
    }
  } catch (cause) {
    throw cause instanceof ModelShapeError ? cause : new ModelShapeError('expected base.json to hold a record with name, licence, config, weights and tokenizer')
  }
}
