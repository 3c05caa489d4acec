import { CID } from 'multiformats/cid'
import { ModelShapeError } from './errors.ts'
import { checkConfig, llama } from './llama.ts'
import { parseSafetensors } from './safetensors.ts'
import { parseTokenizer } from './tokenizer.ts'
import type { LlamaModel, Tokenizer } from './interface.ts'
import type { BaseModel } from '../interface/index.ts'

/** A base model ready to answer and to be adapted. */
export interface LoadedBase {
  record: BaseModel
  model: LlamaModel
  tokenizer: Tokenizer
}

/**
 * A base model from its record and the bytes of its two files. The caller has checked that the
 * bytes hash to the record's CIDs.
 *
 * @throws {SafetensorsError | TokenizerError | ModelShapeError} if a file does not fit the record
 */
export function loadBase (record: BaseModel, weights: Uint8Array, tokenizerJson: Uint8Array): LoadedBase {
  checkConfig(record.config)
  const tokenizer = parseTokenizer(tokenizerJson)
  if (tokenizer.size !== record.config.vocabularySize) {
    throw new ModelShapeError(`expected a tokenizer of ${record.config.vocabularySize} tokens but it has ${tokenizer.size}`)
  }
  return { record, model: llama(record.config, parseSafetensors(weights)), tokenizer }
}

/**
 * The record in `base.json`, where CIDs are strings.
 *
 * @throws {ModelShapeError} if a field is missing or out of range
 */
export function parseBaseJson (bytes: Uint8Array): BaseModel {
  try {
    const { name, licence, config, weights, tokenizer } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).record
    checkConfig(config)
    return { type: 'base', version: 1, name: String(name), licence: String(licence), config, weights: CID.parse(weights), tokenizer: CID.parse(tokenizer) }
  } catch (cause) {
    throw cause instanceof ModelShapeError ? cause : new ModelShapeError('expected base.json to hold a record with name, licence, config, weights and tokenizer')
  }
}
