import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { packPeft } from '../client/index.ts'
import { amount, isCid } from './arguments.ts'
import { ADAPTER_CONFIG_BYTES_MAX, ADAPTER_WEIGHTS_BYTES_MAX, exitCodes } from './constants.ts'
import { contextOf, examples } from './context.ts'
import { CommandError } from './errors.ts'
import { formatOpen } from './output.ts'
import type { Context } from './context.ts'
import type { NodeClient } from '../client/index.ts'
import type { BaseView, ImportedWeightsView, MergeAdaptersRequest, MergedAdapterView, PublishAdapterRequest, PublishedAdapterView } from '../interface/index.ts'

/** The ledger answers within seconds; weights of 64 MiB are read and written in some more. */
const IMPORT_TIMEOUT_MS = 120_000

interface PublishOptions {
  name: string
  licence: string
  base?: string
  source?: string
  metric: Array<{ name: string, value: number }>
  price?: bigint
  promptPrice?: bigint
  as?: string
}

type Parent = MergeAdaptersRequest['parents'][number]

export function importCommand (): Command {
  return examples(new Command('import')
    .description('check a directory of Hugging Face\'s PEFT against a base and keep its weights; nothing is published')
    .argument('<folder>', 'with adapter_config.json and adapter_model.safetensors')
    .option('--base <base>', 'CID or name of the base; default: the network\'s first')
    .action(async (folder: string, { base }: { base?: string }, self: Command) => {
      const context = contextOf(self)
      const imported = await importFolder(context, await context.node(), folder, base)

      describeImport(context, imported)
      context.out.line(`publish them with \`${context.next(`adapter publish ${imported.weights} --name <name> --licence <spdx>`)}\``)
      context.out.result(imported)
    }), ['datanet adapter import ./speeches', 'datanet adapter import ./speeches --base smol'])
}

export function publishCommand (): Command {
  return examples(new Command('publish')
    .description('publish weights that were trained elsewhere; the same name again is the next version')
    .argument('<weights>', 'a PEFT directory, or the CID of an import')
    .requiredOption('--name <name>', 'name of the adapter')
    .requiredOption('--licence <spdx>', 'SPDX expression under which you give the weights; you answer for it')
    .option('--base <base>', 'of a directory: CID or name; default: the network\'s first')
    .option('--source <text>', 'where the weights come from, such as an address')
    .addOption(new Option('--metric <name=value>', 'a figure that you claim; may be repeated; it is shown as a claim').argParser(metric).default([], 'none'))
    .option('--price <amount>', 'OPEN for 1,000 tokens of an answer', amount)
    .option('--prompt-price <amount>', 'OPEN for 1,000 tokens of a prompt; default: as for an answer', amount)
    .option('--as <account>', 'account of the keychain that becomes developer')
    .action(async (weights: string, { base, metric, price, promptPrice, ...options }: PublishOptions, self: Command) => {
      const context = contextOf(self)
      const client = await context.node()
      const imported = await isFolder(weights) ? await importFolder(context, client, weights, base) : undefined

      if (imported == null && !isCid(weights)) {
        throw new CommandError('ERR_FILE', `there is no folder ${weights}, and it is no CID of an import`, { exitCode: exitCodes.usage, hint: 'name the directory that PEFT\'s save_pretrained wrote' })
      }

      if (imported != null) {
        describeImport(context, imported)
      }

      const request: PublishAdapterRequest & { as?: string } = { ...options, weights: imported?.weights ?? weights, metrics: metric, pricePerThousandTokens: price?.toString(), promptPricePerThousandTokens: promptPrice?.toString() }
      const published = await client.post<PublishedAdapterView>('/api/v1/adapters/publish', request, { signal: context.signal, timeoutMs: IMPORT_TIMEOUT_MS })

      context.out.line(`${published.name} is on the ledger as ${published.adapter}`)
      context.out.line('its answers are checked but not traced to data: the data\'s share of their fees goes to the treasury')
      context.out.line(`validators look at the weights now; see \`${context.next(`adapter show ${published.adapter}`)}\``)
      context.out.result(published)
    }), ['datanet adapter publish ./speeches --name speeches --licence CC0-1.0', 'datanet adapter publish bafkrei… --name speeches --licence MIT --price 0.5 --metric loss=2.31'])
}

export function mergeCommand (): Command {
  return examples(new Command('merge')
    .description('publish two to four adapters of one base as one that can be asked; who made them is paid, by what each did for an answer')
    .addArgument(new Argument('<parents...>', 'CID or name and weight of each, as a:0.7; 1 is the adapter as it was trained').argParser(parent))
    .option('--name <name>', 'default: the parents\' names and weights')
    .option('--as <account>', 'account of the keychain that pays the deposit')
    .action(async (parents: Parent[], options: { name?: string, as?: string }, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const request: MergeAdaptersRequest & { as?: string } = { ...options, parents }
      const merged = await (await node()).post<MergedAdapterView>('/api/v1/adapters/merge', request, { signal, timeoutMs: IMPORT_TIMEOUT_MS })

      out.line(merged.status === 'admitted' ? `the ledger has this merge already, as ${merged.adapter}` : `${merged.name} is on the ledger as ${merged.adapter}`)
      out.line(`it costs ${formatOpen(merged.pricePerThousandTokens)} for 1,000 tokens, as its dearest parent; ask it by CID, by name or as ${parents.map(({ adapter, weight }) => `${adapter}:${weight}`).join('+')}`)
      out.line(`see \`${next(`adapter show ${merged.adapter}`)}\``)
      out.result(merged)
    }), ['datanet adapter merge speeches:0.7 mails:0.3', 'datanet adapter merge bafyrei…:1 bafyrei…:-0.5 --name "speeches, not mails"'])
}

export function deprecateCommand (): Command {
  return examples(new Command('deprecate')
    .description('advise against an adapter of your own; it is still served and paid')
    .argument('<adapter>', 'CID, or name for its newest version')
    .requiredOption('--reason <text>', 'one line for who would ask it')
    .option('--successor <adapter>', 'CID or name of what to ask instead')
    .option('--as <account>', 'account that published it')
    .action(async (adapter: string, options: { reason: string, successor?: string, as?: string }, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const sent = await (await node()).post<{ transaction: string, height: number }>(`/api/v1/adapters/${encodeURIComponent(adapter)}/deprecate`, options, { signal })

      out.line(`final at height ${sent.height}: ${sent.transaction}`)
      out.result(sent)
    }), ['datanet adapter deprecate bafyrei… --reason "trained on half of the speeches" --successor speeches'])
}

function describeImport ({ out }: Context, { weights, rank, alpha, targets, parameters, bytes, sameAs }: ImportedWeightsView): void {
  out.line(`rank ${rank}, alpha ${alpha} on ${targets.join(' ')}: ${parameters.toLocaleString('en')} parameters in ${bytes.toLocaleString('en')} bytes, kept as ${weights}`)

  if (sameAs != null) {
    out.line(`the adapter ${sameAs} has the same weights: validators would reject a second one`)
  }
}

async function importFolder ({ signal }: Context, client: NodeClient, folder: string, base?: string): Promise<ImportedWeightsView> {
  const config = await readBounded(folder, 'adapter_config.json', ADAPTER_CONFIG_BYTES_MAX)
  const weights = await readBounded(folder, 'adapter_model.safetensors', ADAPTER_WEIGHTS_BYTES_MAX)
  const bases = await client.get<BaseView[]>('/api/v1/bases', { signal })
  const meant = base == null ? bases[0] : bases.find(one => one.base === base || one.name === base)

  if (meant == null) {
    throw new CommandError('ERR_BASE_UNKNOWN', `expected a base of this network but got ${base ?? 'none'}: there are ${bases.map(({ name }) => name).join(', ')}`, { exitCode: exitCodes.usage })
  }

  checkConfig(config, folder)

  return client.upload<ImportedWeightsView>(`/api/v1/adapters/import?base=${meant.base}`, packPeft({ config, weights }), { signal, timeoutMs: IMPORT_TIMEOUT_MS })
}

/** Before 64 MiB are sent: the node would say the same, without the folder. */
function checkConfig (bytes: Buffer, folder: string): void {
  try {
    JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new CommandError('ERR_FILE', `adapter_config.json in ${folder} is not JSON`, { exitCode: exitCodes.usage, cause })
  }
}

/** The size is asked first: nothing larger is read. */
async function readBounded (folder: string, file: string, bytesMax: number): Promise<Buffer> {
  const path = join(folder, file)

  try {
    const { size } = await stat(path)

    if (size > bytesMax) {
      throw new CommandError('ERR_FILE', `expected ${file} to have at most ${bytesMax.toLocaleString('en')} bytes but it has ${size.toLocaleString('en')}`, { exitCode: exitCodes.usage })
    }

    return await readFile(path)
  } catch (cause) {
    if (cause instanceof CommandError) {
      throw cause
    }

    throw new CommandError('ERR_FILE', `expected ${file} of PEFT in ${folder}`, { exitCode: exitCodes.usage, cause, hint: 'name the directory that PEFT\'s save_pretrained wrote' })
  }
}

async function isFolder (path: string): Promise<boolean> {
  return stat(path).then(found => found.isDirectory(), () => false)
}

/** Whether there are two to four is the node's to say. */
function parent (text: string, before: Parent[] = []): Parent[] {
  const [, adapter, weight] = /^(.+):(-?\d{1,2}(?:\.\d{1,3})?)$/.exec(text) ?? []

  if (adapter == null) {
    throw new InvalidArgumentError('Expected an adapter and its weight of at most three decimals, such as speeches:0.7.')
  }

  return [...before, { adapter, weight: Number(weight) }]
}

function metric (text: string, before: Array<{ name: string, value: number }>): Array<{ name: string, value: number }> {
  const [, name, number] = /^([^=]{1,64})=(-?\d{1,9}(?:\.\d{1,6})?)$/.exec(text) ?? []

  if (name == null || before.some(one => one.name === name)) {
    throw new InvalidArgumentError('Expected a name once and a number, such as loss=2.31.')
  }

  return [...before, { name, value: Number(number) }]
}
