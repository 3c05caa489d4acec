import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { integer } from './arguments.ts'
import { deprecateCommand, importCommand, mergeCommand, publishCommand } from './command-adapter-publish.ts'
import { exitCodes } from './constants.ts'
import { contextOf, examples } from './context.ts'
import { CommandError } from './errors.ts'
import { formatOpen, lossText, short } from './output.ts'
import type { Output } from './output.ts'
import type { AdapterDetailView, AdapterEntryView, PulledAdapterView } from '../interface/index.ts'

/** A node fetches weights from peers for as long as its own limit allows. */
const FILES_TIMEOUT_MS = 330_000

const FILES = ['adapter_config.json', 'adapter_model.safetensors']

interface FilterOptions {
  base?: string
  datanet?: string
  licence?: string
  developer?: string
  status?: string
  origin?: string
  limit?: number
  newest?: boolean
}

/** `datanet adapter`: what is published, and its files. */
export function adapterCommand (): Command {
  const command = new Command('adapter').description('adapters of the network: look, search, keep, take along, bring and deprecate')

  command.addCommand(listCommand(), { isDefault: true })
  command.addCommand(searchCommand())
  command.addCommand(showCommand())
  command.addCommand(pullCommand())
  command.addCommand(exportCommand())
  command.addCommand(importCommand())
  command.addCommand(publishCommand())
  command.addCommand(mergeCommand())
  command.addCommand(deprecateCommand())

  return examples(command, ['datanet adapter list', 'datanet adapter search speech --licence CC0-1.0', 'datanet adapter export speeches ./speeches', 'datanet adapter publish ./speeches --name speeches --licence CC0-1.0'])
}

function filterOptions (command: Command): Command {
  return command
    .option('--base <base>', 'CID or name of the base')
    .option('--datanet <datanet>', 'CID or name of a Datanet that it was trained on')
    .option('--licence <spdx>', 'licence of the base or of a Datanet')
    .option('--developer <account>', 'who published it')
    .addOption(new Option('--status <status>', 'what validators said').choices(['pending', 'admitted', 'rejected']))
    .addOption(new Option('--origin <origin>', 'trained by a recipe of the network, imported, or merged of others').choices(['trained', 'imported', 'merged']))
    .option('--newest', 'only the newest version of each')
    .option('--limit <count>', 'at most so many', integer(1, 500))
}

function listCommand (): Command {
  return examples(filterOptions(new Command('list').description('the registry: adapters, versions, licences and prices, the last published first'))
    .action(async (options: FilterOptions, self: Command) => { await list(self, options) }),
  ['datanet adapter list --newest', 'datanet adapter list --datanet speeches --json'])
}

function searchCommand (): Command {
  return examples(filterOptions(new Command('search').description('adapters by words of their name or source, the best fit first').argument('<text>', 'words may be cut short or slightly wrong'))
    .action(async (text: string, options: FilterOptions, self: Command) => { await list(self, { ...options, text }) }),
  ['datanet adapter search speech', 'datanet adapter search speech --licence CC0-1.0 --newest'])
}

async function list (self: Command, filter: FilterOptions & { text?: string }): Promise<void> {
  const { out, node, signal, next } = contextOf(self)
  const { text, base, datanet, licence, developer, status, origin, newest, limit } = filter
  const query = new URLSearchParams(Object.entries({ text, base, datanet, licence, developer, status, origin, newest, limit }).flatMap(([key, value]) => value == null ? [] : [[key, String(value)]]))
  const found = await (await node()).get<AdapterEntryView[]>(`/api/v1/registry?${query.toString()}`, { signal })

  if (found.length === 0) {
    out.line(query.size > 0 ? 'no adapter fits' : `no adapters yet; to train one: ${next('train --help')}`)
  } else {
    out.table(['adapter', 'version', 'status', 'base', 'Datanets', 'licences', 'loss', 'price of 1,000 tokens', 'CID'], found.map(view => [
      view.name, versionText(view), statusText(view), view.baseName, view.origin === 'imported' ? '(imported)' : view.datanets.map(one => one.name).join(' '), view.licences.join(' '),
      lossText(view), formatOpen(view.pricePerThousandTokens), view.adapter
    ]))
  }

  out.result(found)
}

function showCommand (): Command {
  return examples(new Command('show')
    .description('all of one adapter: recipe, licences, versions, and who redeemed answers of it')
    .argument('<adapter>', 'CID, or name for its newest version')
    .action(async (adapter: string, _options, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const view = await (await node()).get<AdapterDetailView>(pathOf(adapter), { signal })

      describe(out, view)
      out.result(view)
    }), ['datanet adapter show speeches', 'datanet adapter show bafyrei… --json'])
}

function describe (out: Output, view: AdapterDetailView): void {
  out.table(['adapter', view.name], [
    ['CID', view.adapter],
    ['version', `${versionText(view)}, ${statusText(view)} at height ${view.height}`],
    ...deprecationRows(view),
    ['developer', view.developer],
    ['base', `${view.baseName} ${view.base}`],
    ...originRows(view),
    ['licences', view.licences.join(', ')],
    ['price', `${formatOpen(view.promptPricePerThousandTokens)} for 1,000 tokens of a prompt, ${formatOpen(view.pricePerThousandTokens)} of an answer`],
    ['earned', formatOpen(view.earned)],
    ['kept here', view.held ? 'yes' : 'no']
  ])

  if (view.versions.length > 1) {
    out.line()
    out.table(['version', 'status', 'height', 'CID'], view.versions.map(one => [versionText(one), one.status, String(one.height), one.adapter]))
  }

  if (view.columns.some(({ file }) => file != null)) {
    out.line()
    out.table(['column of', 'agreed', 'by', 'disputed by'], view.columns.map(one => [short(one.contribution), one.agreed ? 'yes' : 'not yet', one.checkedBy.map(short).join(' ') || '–', one.disputedBy.map(short).join(' ') || '–']))
  }

  describeUsage(out, view)
}

function deprecationRows ({ deprecated }: AdapterDetailView): string[][] {
  return deprecated == null ? [] : [['deprecated', `${deprecated.reason}${deprecated.successor == null ? '' : `; ask ${deprecated.successor} instead`}`]]
}

/** What it came from: what anybody can compute again, or what its importer says. */
function originRows ({ recipe, lora, parents, snapshot, datanets, contributions, method, influence, losses, source, claims }: AdapterDetailView): string[][] {
  const shape = lora == null ? '–' : `rank ${lora.rank}, alpha ${lora.alpha} on ${lora.targets.join(' ')}`

  if (parents != null) {
    return parents.map(({ adapter, weight }, i) => [i === 0 ? 'merge of' : '', `${weight} × ${adapter}`])
  }

  return recipe == null
    ? [
        ['origin', `imported${source == null ? '' : ` from ${source}`}: answers are checked, not traced to data`],
        ['shape', shape],
        ['claimed, unchecked', claims.map(({ name, value }) => `${name} ${value}`).join(', ') || '–']
      ]
    : [
        ['snapshot', snapshot ?? '–'],
        ['Datanets', datanets.map(({ name, licence }) => `${name} (${licence})`).join(', ')],
        ['contributions', String(contributions)],
        ['recipe', `${shape}, ${recipe.steps} steps of ${recipe.batchSize} × ${recipe.sequenceLength} tokens, seed ${recipe.seed}, ${recipe.engine}`],
        ['loss', `${lossText({ losses })} nats per token`],
        ['attribution', `${method}, ${influence}`]
      ]
}

function describeUsage (out: Output, { usage, uses }: AdapterDetailView): void {
  if (usage.answers === 0) {
    return
  }

  out.line()
  out.line(`${usage.answers.toLocaleString('en')} answers over ${formatOpen(usage.fees)} were redeemed`)
  out.table(['payer', 'answers', 'fees'], usage.payers.map(one => [one.payer, String(one.answers), formatOpen(one.fees)]))
  out.line()
  out.table(['epoch', 'answers', 'fees'], usage.epochs.map(one => [String(one.epoch), String(one.answers), formatOpen(one.fees)]))
  out.line()
  out.table(['epoch', 'payer', 'gateway', 'receipts', 'fees'], uses.map(one => [String(one.epoch), one.payer == null ? '–' : short(one.payer), short(one.gateway), String(one.receipts), formatOpen(one.fees)]))
}

function pullCommand (): Command {
  return examples(new Command('pull')
    .description('fetch an adapter from the swarm, check it, keep and serve it; without the weights of its base')
    .argument('<adapter>', 'CID, or name for its newest version')
    .option('--all', 'checkpoints and influence columns too, which the settlement of its answers needs')
    .action(async (adapter: string, { all }: { all?: boolean }, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const pulled = await (await node()).post<PulledAdapterView>(`${pathOf(adapter)}/pull`, { all }, { signal, timeoutMs: FILES_TIMEOUT_MS })

      out.line(`${pulled.name} is kept: ${pulled.files} files of ${pulled.bytes.toLocaleString('en')} bytes, ${pulled.parameters.toLocaleString('en')} parameters`)
      out.result(pulled)
    }), ['datanet adapter pull speeches', 'datanet adapter pull bafyrei… --all'])
}

function exportCommand (): Command {
  return examples(new Command('export')
    .description('write an adapter, or a merge as one, as a directory that Hugging Face\'s PEFT reads')
    .argument('<adapter>', 'CID, or name for its newest version')
    .argument('<folder>', 'made if there is none')
    .option('--force', 'write over the files of an earlier adapter')
    .action(async (adapter: string, folder: string, { force }: { force?: boolean }, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const client = await node()
      const contents = await Promise.all(FILES.map(async file => client.download(`${pathOf(adapter)}/${file}`, { signal, timeoutMs: FILES_TIMEOUT_MS })))

      await writeAll(folder, contents, force === true)

      const bytes = contents.reduce((sum, { byteLength }) => sum + byteLength, 0)

      out.line(`${FILES.join(' and ')} are in ${folder}, ${bytes.toLocaleString('en')} bytes`)
      out.result({ folder: resolve(folder), files: FILES, bytes })
    }), ['datanet adapter export speeches ./speeches', 'datanet adapter export bafyrei… ./speeches --force'])
}

async function writeAll (folder: string, contents: Uint8Array[], force: boolean): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })

    for (const [i, content] of contents.entries()) {
      await writeFile(join(folder, FILES[i]), content, { flag: force ? 'w' : 'wx' })
    }
  } catch (cause) {
    const there = (cause as NodeJS.ErrnoException).code === 'EEXIST'

    throw new CommandError('ERR_FILE', there ? `there is an adapter in ${folder} already` : `${folder} cannot be written`, {
      exitCode: exitCodes.usage, cause, hint: there ? 'take another folder, or write over it with --force' : undefined
    })
  }
}

function pathOf (adapter: string): string {
  return `/api/v1/adapters/${encodeURIComponent(adapter)}`
}

function versionText ({ version, newest }: { version: number | null, newest?: boolean }): string {
  return version == null ? '–' : `${version}${newest === true ? ' (newest)' : ''}`
}

function statusText ({ status, deprecated }: Pick<AdapterEntryView, 'status' | 'deprecated'>): string {
  return deprecated == null ? status : `${status}, deprecated`
}
