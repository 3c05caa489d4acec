import { parameterCount, readSource, weightCheck } from '../models/index.ts'
import { baseModelCodec } from '../wire/index.ts'
import { ModelFileError } from './errors.ts'
import { openModelFiles } from './model-files.ts'
import type { ModelFilesOptions } from './model-files.ts'
import type { BaseModel, LlamaConfig } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

export interface ImportModelOptions extends ModelFilesOptions {
  /** by default what the files call it */
  name?: string
  /** SPDX; by default what the files say, else NOASSERTION */
  licence?: string
  /** tokens that the network lets it see; by default all that it was trained for */
  contextLength?: number
  /** `int16` multiplies matrices in q8_0 and q4_0 in integers: several times as fast, and another base; by default f32 */
  activations?: LlamaConfig['activations']
  /** every number is read and checked first, then the file is stored */
  onProgress?(progress: { phase: 'check' | 'store', bytes: number, total: number }): void
}

/** A base model in the store. */
export interface ImportedModel {
  cid: CID
  record: BaseModel
  parameters: number
  weightBytes: number
}

/**
 * Puts a model into the store: weights under the CID of their bytes, tokenizer, chat template and
 * the record that names them. Reads the weights twice, by ranges: first every number is looked at,
 * then they are stored, so that nothing of a damaged file is kept and nothing is in memory whole.
 *
 * @param storage - of the node, started
 * @param path - see `openModelFiles`
 * @throws {SafetensorsError | GgufError | ModelShapeError} for weights that do not fit, and what `openModelFiles` throws
 */
export async function importModel (storage: Pick<Storage, 'put' | 'putFile' | 'putFileFrom'>, path: string, options: ImportModelOptions = {}): Promise<ImportedModel> {
  const { signal, onProgress } = options
  const files = await openModelFiles(path, options)
  const { weights, tokenizer, chatTemplate } = files

  try {
    const { activations } = options
    const config = { ...shortened(files.config, options.contextLength), ...(activations == null ? {} : { activations }) }
    const total = weights.size
    let bytes = 0

    await readSource(weights, weightCheck(config, files.format ?? 'safetensors', total), {
      signal,
      onRange: (_, length) => { onProgress?.({ phase: 'check', bytes: bytes += length, total }) }
    })
    bytes = 0

    const record: BaseModel = {
      type: 'base',
      version: 1,
      name: nameOf(options.name ?? files.name),
      licence: options.licence ?? files.licence ?? 'NOASSERTION',
      config,
      ...(files.format == null ? {} : { format: files.format }),
      weights: await storage.putFileFrom(weights, { signal, onBlock: length => { onProgress?.({ phase: 'store', bytes: bytes = Math.min(total, bytes + length), total }) } }),
      ...(files.tokenizerKind == null ? {} : { tokenizerKind: files.tokenizerKind }),
      tokenizer: await storage.putFile(tokenizer, { signal }),
      ...(files.special == null ? {} : { special: files.special }),
      ...(chatTemplate == null ? {} : { chatTemplate: await storage.putFile(chatTemplate, { signal }) })
    }

    return {
      // the record last: it says that the rest is here
      cid: await storage.put(baseModelCodec.encode(record), { pin: true, signal }),
      record,
      parameters: parameterCount(config),
      weightBytes: total
    }
  } finally {
    await files.close()
  }
}

/** Rotary positions can end anywhere; learned ones are as many as the file has. */
function shortened (config: LlamaConfig, contextLength = config.contextLength): LlamaConfig {
  if (config.architecture === 'gpt2' && contextLength < config.contextLength) {
    throw new ModelFileError(`expected the whole context of ${config.contextLength} tokens, since a gpt2 model learned its positions, but ${contextLength} were asked for`)
  }

  return { ...config, contextLength: Math.min(config.contextLength, contextLength) }
}

/** A line of at most 64 characters, as records have it. */
function nameOf (name: string): string {
  return name.replace(/\s+/g, ' ').trim().slice(0, 64)
}
