import { open, readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import {
  ggufConfig, ggufRopeFactors, ggufTokenizer, llama2cEntries, llama2cPieces, loadChat, loadTokenizer, mergedSafetensors, parseGguf, parseHuggingFaceConfig, parseHuggingFaceFiles,
  readHead, readSource, writeSentencePiece
} from '../models/index.ts'
import { MODEL_JSON_BYTES_MAX, MODEL_TOKENIZER_BYTES_MAX, SHARDS_MAX } from './constants.ts'
import { ModelFileError } from './errors.ts'
import type { AbortOptions, LlamaConfig } from '../interface/index.ts'
import type { BaseDescription, ByteSource, GgufHeader } from '../models/index.ts'

/** A model as it lies on a disk, described and not yet read. */
export interface ModelFiles extends BaseDescription {
  /** what the files call it */
  name: string
  /** what the files say of their licence */
  licence?: string
  weights: ByteSource
  tokenizer: Uint8Array
  /** Jinja in UTF-8 */
  chatTemplate?: Uint8Array
  close (): Promise<void>
}

export interface ModelFilesOptions extends AbortOptions {
  /** tokenizer.bin or tokenizer.model, beside a checkpoint of llama2.c */
  tokenizer?: string
}

/**
 * Opens a model of a folder as Hugging Face has it (config.json, tokenizer.json or tokenizer.model,
 * safetensors in one file or with an index), a GGUF file, or a checkpoint of llama2.c. Reads
 * headers only: weights are read by ranges afterwards.
 *
 * @throws {ModelFileError} if a file is missing or too large
 * @throws {GgufError | SafetensorsError | ModelShapeError | ModelUnsupportedError | TokenizerError | ChatTemplateError} if one is malformed or of another kind
 */
export async function openModelFiles (path: string, options: ModelFilesOptions = {}): Promise<ModelFiles> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new ModelFileError(`expected a model at ${path} but it cannot be read`, { cause, hint: 'name a folder with config.json, a .gguf file or a checkpoint of llama2.c' })
  })

  if (info.isDirectory()) {
    return huggingFaceFolder(path, options)
  }

  const file = await fileSource(path)

  try {
    const magic = new TextDecoder('latin1').decode(await file.read(0, Math.min(4, file.size)))

    if (extname(path) === '.safetensors') {
      throw new ModelFileError(`expected a folder but ${path} is one of its files`, { hint: 'name the folder that has config.json, the tokenizer and the safetensors' })
    }

    return magic === 'GGUF' ? await ggufFile(path, file) : await llama2cFile(path, file, options)
  } catch (err) {
    await file.close()
    throw err
  }
}

interface FileByteSource extends ByteSource {
  close (): Promise<void>
}

async function fileSource (path: string): Promise<FileByteSource> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new ModelFileError(`expected a file at ${path} but it cannot be read`, { cause })
  })
  const { size } = await file.stat()

  return {
    size,
    async read (offset, length) {
      const bytes = new Uint8Array(length)
      let done = 0

      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done)

        if (bytesRead === 0) {
          throw new ModelFileError(`expected ${length} bytes at offset ${offset} of ${path} but it ends after ${done}`, { hint: 'it changed while it was read: try again' })
        }

        done += bytesRead
      }

      return bytes
    },
    close: async () => file.close()
  }
}

async function ggufFile (path: string, file: FileByteSource): Promise<ModelFiles> {
  const header: GgufHeader = await readSource(file, readHead(file.size, GGUF_HEAD_BYTES, head => parseGguf(head, file.size)))
  const { kind, bytes, special, chatTemplate } = ggufTokenizer(header)
  const text = (key: string): string | undefined => {
    const value = header.metadata.get(key)

    return typeof value === 'string' && value !== '' ? value : undefined
  }

  return checked({
    name: text('general.name') ?? basename(path, extname(path)),
    licence: text('general.license'),
    config: ggufConfig(header, await ropeFactors(header, file)),
    format: 'gguf',
    weights: file,
    tokenizerKind: kind,
    special,
    tokenizer: bytes,
    ...(chatTemplate == null ? {} : { chatTemplate: new TextEncoder().encode(chatTemplate) }),
    close: file.close
  })
}

async function ropeFactors (header: GgufHeader, file: FileByteSource): Promise<Float32Array | undefined> {
  const entry = ggufRopeFactors(header)

  // one for each pair of a head's columns; any other shape is not what these factors are
  return entry?.type !== 'f32' || entry.bytes > ROPE_FACTORS_BYTES_MAX ? undefined : new Float32Array((await file.read(entry.offset, entry.bytes)).slice().buffer)
}

/** Of heads of 4,096 columns. */
const ROPE_FACTORS_BYTES_MAX = 8192

/** The whole header of a file: `parseGguf` bounds it. */
const GGUF_HEAD_BYTES = 64 * 1024 * 1024

async function llama2cFile (path: string, file: FileByteSource, options: ModelFilesOptions): Promise<ModelFiles> {
  const { config } = llama2cEntries(await file.read(0, Math.min(28, file.size)), file.size)

  if (options.tokenizer == null) {
    throw new ModelFileError(`expected a tokenizer for the checkpoint ${path}, which has none`, { hint: 'name it with --tokenizer: tokenizer.bin of llama2.c, or tokenizer.model' })
  }

  const bytes = await smallFile(options.tokenizer, MODEL_TOKENIZER_BYTES_MAX)

  return checked({
    name: basename(path, extname(path)),
    config,
    format: 'llama2c',
    weights: file,
    tokenizerKind: 'sentencepiece',
    special: { bos: 1, eos: 2, stop: [] },
    tokenizer: options.tokenizer.endsWith('.model') ? bytes : writeSentencePiece(llama2cPieces(bytes, config.vocabularySize)),
    close: file.close
  })
}

async function huggingFaceFolder (folder: string, options: AbortOptions): Promise<ModelFiles> {
  const optional = async (name: string, bytesMax = MODEL_JSON_BYTES_MAX): Promise<Uint8Array | undefined> => {
    const found = await stat(join(folder, name)).catch(() => undefined)

    return found == null ? undefined : smallFile(join(folder, name), bytesMax)
  }
  const configBytes = await smallFile(join(folder, 'config.json'), MODEL_JSON_BYTES_MAX)
  const config = parseHuggingFaceConfig(configBytes)
  const { special, chatTemplate } = parseHuggingFaceFiles({
    config: configBytes,
    generationConfig: await optional('generation_config.json'),
    tokenizerConfig: await optional('tokenizer_config.json'),
    chatTemplate: await optional('chat_template.jinja')
  })
  const json = await optional('tokenizer.json', MODEL_TOKENIZER_BYTES_MAX)
  const tokenizer = json ?? await smallFile(join(folder, 'tokenizer.model'), MODEL_TOKENIZER_BYTES_MAX)
  const weights = await safetensors(folder, options)

  try {
    return checked({
      name: basename(folder),
      config,
      weights: weights.source,
      ...(json != null && isOurs(config, json) ? {} : { tokenizerKind: json == null ? 'sentencepiece' : 'huggingface', special }),
      tokenizer,
      ...(chatTemplate == null ? {} : { chatTemplate }),
      close: weights.close
    })
  } catch (err) {
    await weights.close()
    throw err
  }
}

/** Whether a tokenizer.json is one that datanet trained, which our own code reads. */
function isOurs (config: LlamaConfig, tokenizer: Uint8Array): boolean {
  try {
    loadTokenizer({ config }, tokenizer)

    return true
  } catch {
    return false
  }
}

/** A tokenizer or a chat template that does not load is found before anything is stored: the base would load nowhere. */
function checked (files: ModelFiles): ModelFiles {
  loadTokenizer(files, files.tokenizer)
  loadChat(files.chatTemplate)

  return files
}

/** One file, or the files of an index joined as if they were one. */
async function safetensors (folder: string, options: AbortOptions): Promise<{ source: ByteSource, close (): Promise<void> }> {
  const whole = join(folder, 'model.safetensors')

  if (await stat(whole).then(() => true, () => false)) {
    const file = await fileSource(whole)

    return { source: file, close: file.close }
  }

  const index = join(folder, 'model.safetensors.index.json')
  const names = shardNames(await smallFile(index, MODEL_JSON_BYTES_MAX), index)
  const files: FileByteSource[] = []
  const close = async (): Promise<void> => { await Promise.all(files.map(async file => file.close())) }

  try {
    for (const name of names) {
      files.push(await fileSource(join(dirname(index), name)))
    }

    return { source: await mergedSafetensors(files, options), close }
  } catch (err) {
    await close()
    throw err
  }
}

function shardNames (bytes: Uint8Array, path: string): string[] {
  let map: unknown

  try {
    map = JSON.parse(new TextDecoder().decode(bytes)).weight_map
  } catch (cause) {
    throw new ModelFileError(`expected ${path} to be JSON`, { cause })
  }

  const names = [...new Set(typeof map === 'object' && map !== null ? Object.values(map) : [])]

  // an index is a stranger's: it must not lead out of its folder
  if (names.length === 0 || names.length > SHARDS_MAX || !names.every((name): name is string => typeof name === 'string' && /^[\w.-]+\.safetensors$/.test(name))) {
    throw new ModelFileError(`expected ${path} to have a weight_map with 1 to ${SHARDS_MAX} files beside it`)
  }

  return names.toSorted()
}

async function smallFile (path: string, bytesMax: number): Promise<Uint8Array> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new ModelFileError(`expected a file at ${path} but it cannot be read`, { cause, hint: 'a model of Hugging Face has config.json, tokenizer.json or tokenizer.model, and model.safetensors' })
  })

  if (!found.isFile() || found.size > bytesMax) {
    throw new ModelFileError(`expected ${path} to be a file of at most ${bytesMax} bytes but it has ${found.size}`)
  }

  return new Uint8Array(await readFile(path))
}
