import { existsSync } from 'node:fs'
import { CID } from 'multiformats/cid'
import { parameterCount } from '../models/index.ts'
import { importModel, offlineStore, openModelFiles } from '../node/index.ts'
import { baseModelCodec } from '../wire/index.ts'
import { exitCodes } from './constants.ts'
import { CommandError } from './errors.ts'
import type { Context } from './context.ts'
import type { Output } from './output.ts'
import type { BaseModel } from '../interface/index.ts'
import type { ImportModelOptions } from '../node/index.ts'

/** Of `datanet model import`. */
export interface ImportOptions {
  name?: string
  licence?: string
  context?: number
  tokenizer?: string
  activations?: 'int16'
}

/** Puts a model into the store of a node that is not running. */
export async function bringModel ({ out, signal, next, options: { dataDir } }: Context, path: string, options: ImportOptions): Promise<void> {
  const show = progressLine(out)
  const imported = await offlineStore(dataDir, async store => importModel(store, path, {
    name: options.name,
    licence: options.licence,
    contextLength: options.context,
    tokenizer: options.tokenizer,
    activations: options.activations,
    signal,
    onProgress: show
  }))
  const { cid, record } = imported

  describeModel(out, record, imported.weightBytes)
  out.line(`base ${record.name}: ${cid.toString()}`)

  if (!existsSync(`${dataDir}/config.json`)) {
    out.line(`make a network on it with: ${next(`init --base ${cid.toString()}`)}`)
  }

  out.result({ base: cid.toString(), parameters: imported.parameters, weightBytes: imported.weightBytes, record: plain(record) })
}

/** Says what a model on the disk or in the store is. */
export async function showModel ({ out, signal, options: { dataDir } }: Context, model: string, options: { tokenizer?: string }): Promise<void> {
  if (existsSync(model)) {
    const files = await openModelFiles(model, { tokenizer: options.tokenizer, signal })

    describeModel(out, files, files.weights.size)
    await files.close()
    out.result({ name: files.name, licence: files.licence, parameters: parameterCount(files.config), weightBytes: files.weights.size, config: files.config, format: files.format ?? 'safetensors', tokenizerKind: files.tokenizerKind ?? 'datanet' })

    return
  }

  const cid = cidOf(model)
  const { record, size } = await offlineStore(dataDir, async store => {
    const record = baseModelCodec.decode(await store.get(cid, { offline: true, signal }))

    return { record, size: (await store.openFile(record.weights, { signal })).size }
  })

  describeModel(out, record, size)
  out.result({ base: cid.toString(), parameters: parameterCount(record.config), weightBytes: size, record: plain(record) })
}

function cidOf (text: string): CID {
  try {
    return CID.parse(text)
  } catch (cause) {
    throw new CommandError('ERR_ARGUMENT', `expected a folder, a file or the CID of a base but there is no ${text}`, { exitCode: exitCodes.usage, cause })
  }
}

/** What people want to know of a model. */
function describeModel (out: Output, { name, licence, config, format, tokenizerKind, chatTemplate }: Pick<BaseModel, 'name' | 'config' | 'format' | 'tokenizerKind'> & { licence?: string, chatTemplate?: unknown }, weightBytes: number): void {
  const { architecture, dim, hiddenDim, layers, heads, kvHeads, vocabularySize, contextLength, activations } = config

  out.table(['model', name], [
    ['licence', licence ?? 'not stated'],
    ['architecture', architecture ?? 'llama'],
    ['parameters', parameterCount(config).toLocaleString('en')],
    ['weights', `${format ?? 'safetensors'}, ${(weightBytes / 1_048_576).toFixed(1)} MiB`],
    ...(activations == null ? [] : [['products of quantised weights', `in integers, inputs rounded to ${activations}`]]),
    ['shape', `${layers} layers of ${dim}, ${heads} heads, ${kvHeads} for keys and values, feed-forward ${hiddenDim}`],
    ['context', `${contextLength.toLocaleString('en')} tokens`],
    ['vocabulary', `${vocabularySize.toLocaleString('en')} tokens, ${tokenizerKind ?? 'datanet'}`],
    ['chat template', chatTemplate == null ? 'the default' : 'its own']
  ])
}

/** A record with its CIDs as texts. */
function plain (record: BaseModel): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, CID.asCID(value)?.toString() ?? value]))
}

/** One line for people that is written over, a line a phase where nobody watches. */
function progressLine (out: Output): ImportModelOptions['onProgress'] {
  let last = ''

  return ({ phase, bytes, total }) => {
    const done = total === 0 ? 100 : Math.floor(bytes / total * 100)
    const text = `${phase === 'check' ? 'checking' : 'storing'} ${Math.min(100, done)} %`

    if (process.stderr.isTTY && !out.json) {
      process.stderr.write(text === last ? '' : `\r${text}${bytes >= total ? '\n' : ''}`)
    } else if (bytes >= total && text !== last) {
      out.line(text)
    }

    last = text
  }
}
