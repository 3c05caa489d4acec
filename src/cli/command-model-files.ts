import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import { CID } from 'multiformats/cid'
import { parameterCount } from '../models/index.ts'
import { importModel, offlineStore, openModelFiles } from '../node/index.ts'
import { baseModelCodec } from '../wire/index.ts'
import { integer } from './arguments.ts'
import { exitCodes } from './constants.ts'
import { contextOf, examples } from './context.ts'
import { CommandError } from './errors.ts'
import type { Output } from './output.ts'
import type { BaseModel } from '../interface/index.ts'
import type { ImportModelOptions } from '../node/index.ts'

/** `datanet model`: base models of other people. */
export function modelCommand (): Command {
  const command = new Command('model').description('bring and look at base models')

  command.addCommand(importCommand())
  command.addCommand(showCommand())

  return examples(command, ['datanet model import ./SmolLM2-135M', 'datanet model show model.gguf'])
}

interface ImportOptions {
  name?: string
  licence?: string
  context?: number
  tokenizer?: string
  activations?: 'int16'
}

function importCommand (): Command {
  const command = new Command('import')
    .description('put a model into the store of a node that is not running: Llama, SmolLM2, Mistral, Qwen2 or GPT-2, as safetensors, GGUF (f32, f16, bf16, q8_0, q4_0 to q5_1, q2_k to q6_k, iq4) or llama2.c')
    .argument('<path>', 'a folder with config.json, a .gguf file, or a checkpoint of llama2.c')
    .option('--name <name>', 'what it is called; default: what its files say')
    .option('--licence <spdx>', 'licence of the weights; default: what its files say')
    .option('--context <tokens>', 'the most tokens that it may see; default: what it was trained for', integer(2, 131_072))
    .option('--tokenizer <file>', 'tokenizer.bin or tokenizer.model, for a checkpoint of llama2.c')
    .addOption(new Option('--activations <type>', 'multiply q8_0 and q4_0 weights in integers, several times as fast; default: in f32').choices(['int16']))
    .action(async (path: string, options: ImportOptions, self: Command) => {
      const { out, signal, next, options: { dataDir } } = contextOf(self)
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
    })

  return examples(command, [
    'datanet model import ./SmolLM2-135M',
    'datanet model import qwen2.5-0.5b-instruct-q8_0.gguf --context 4096 --licence Apache-2.0 --activations int16',
    'datanet model import stories260K.bin --tokenizer tok512.bin'
  ])
}

function showCommand (): Command {
  const command = new Command('show')
    .description('say what a model is: one on the disk, or one in the store of a node that is not running')
    .argument('<model>', 'a folder, a file, or the CID of a base')
    .option('--tokenizer <file>', 'tokenizer.bin or tokenizer.model, for a checkpoint of llama2.c')
    .action(async (model: string, options: { tokenizer?: string }, self: Command) => {
      const { out, signal, options: { dataDir } } = contextOf(self)

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
    })

  return examples(command, ['datanet model show model.gguf', 'datanet model show bafyrei… --json'])
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
