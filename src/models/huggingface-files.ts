import { CHAT_TEMPLATE_BYTES_MAX } from './constants.ts'
import { ModelShapeError } from './errors.ts'
import { jsonObject } from './huggingface-config.ts'
import type { SpecialTokens } from './interface.ts'

/** The small files of a model on Hugging Face, as far as it has them. */
export interface HuggingFaceFiles {
  config: Uint8Array
  generationConfig?: Uint8Array
  tokenizerConfig?: Uint8Array
  /** chat_template.jinja */
  chatTemplate?: Uint8Array
}

/**
 * What the small files say about chats: the ids that begin and end texts (config.json, then
 * generation_config.json for further ones that end an answer) and the chat template.
 *
 * @throws {ModelShapeError} if a file is no JSON or names no end of text
 */
export function parseHuggingFaceFiles (files: HuggingFaceFiles): { special: SpecialTokens, chatTemplate?: Uint8Array } {
  const config = jsonObject(files.config, 'config.json')
  const generation = files.generationConfig == null ? {} : jsonObject(files.generationConfig, 'generation_config.json')
  const tokenizer = files.tokenizerConfig == null ? {} : jsonObject(files.tokenizerConfig, 'tokenizer_config.json')
  const ends = [...idsOf(config.eos_token_id), ...idsOf(generation.eos_token_id)]
  if (ends.length === 0) {
    throw new ModelShapeError('expected config.json or generation_config.json to have an eos_token_id')
  }
  const [eos] = ends
  const begins = [...idsOf(config.bos_token_id), ...idsOf(generation.bos_token_id), eos]
  const template = files.chatTemplate ?? templateOf(tokenizer.chat_template)
  if (template != null && template.length > CHAT_TEMPLATE_BYTES_MAX) {
    throw new ModelShapeError(`expected a chat template of at most ${CHAT_TEMPLATE_BYTES_MAX} bytes but got ${template.length}`)
  }
  return {
    special: { bos: begins[0], eos, stop: [...new Set(ends.slice(1).filter(id => id !== eos))].sort((a, b) => a - b).slice(0, STOPS_MAX) },
    ...(template == null ? {} : { chatTemplate: template })
  }
}

/** As many as a record holds. */
const STOPS_MAX = 16

function idsOf (value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((id): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0)
}

/** One template, or several with names, of which `default` is meant for chats. */
function templateOf (value: unknown): Uint8Array | undefined {
  const found: unknown = Array.isArray(value)
    ? value.find(one => typeof one === 'object' && one !== null && one.name === 'default')?.template
    : value
  return typeof found === 'string' && found !== '' ? new TextEncoder().encode(found) : undefined
}
