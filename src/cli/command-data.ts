import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Argument, Command, Option } from 'commander'
import { cid, collect, datanetNamed } from './arguments.ts'
import { exitCodes } from './constants.ts'
import { contextOf, examples } from './context.ts'
import { CommandError, fileError } from './errors.ts'
import type { NodeClient } from '../client/index.ts'
import type { ContributionView } from '../interface/index.ts'

const formats: Record<string, string> = { '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.csv': 'csv', '.parquet': 'parquet', '.txt': 'text', '.md': 'text' }

/** `datanet create`. */
export function createCommand (): Command {
  const command = new Command('create')
    .description('create a Datanet')
    .addArgument(new Argument('<name>', 'short name, lower case'))
    .requiredOption('--title <text>', 'one line for people')
    .requiredOption('--licence <spdx>', 'licence of all contributions, e.g. CC0-1.0')
    .option('--description <text>', 'what belongs into it', '')
    .option('--field <name:type>', 'a column, type string or integer; add ? if it may be missing; repeat for more', collect, [])
    .option('--text-field <name>', 'the column that models are trained on', 'text')
    .option('--as <account>', 'account of the keychain that becomes curator')
    .action(async (name: string, options: { title: string, licence: string, description: string, field: string[], textField: string, as?: string }, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const { field, ...rest } = options
      const client = await node()
      const created = await client.post<{ datanet: string, name: string }>('/api/v1/datanets', {
        ...rest,
        name,
        fields: field.length === 0 ? [{ name: options.textField, type: 'string', required: true }] : field.map(parseField)
      }, { signal })

      out.line(`Datanet ${created.name} is on the ledger: ${created.datanet}`)
      out.line(`contribute with: ${next(`contribute ${created.name} <file> --title "…"`)}`)
      out.result(created)
    })

  return examples(command, [
    'datanet create speeches --title "State of the Union" --licence CC0-1.0',
    'datanet create mails --title "Labelled mails" --licence CC0-1.0 --field text:string --field label:string --field year:integer?'
  ])
}

/** `datanet contribute`. */
export function contributeCommand (): Command {
  const command = new Command('contribute')
    .description('add a file of rows to a Datanet: JSONL, CSV, Parquet or text')
    .argument('<datanet>', 'name or CID of the Datanet')
    .argument('<file>', 'the rows; the format follows from its ending')
    .option('--title <text>', 'one line for people; default: the file\'s name')
    .addOption(new Option('--format <format>', 'format of the file').choices(['jsonl', 'csv', 'parquet', 'text']))
    .option('--set <field=value>', 'a value for every row, for fields that the file lacks; repeat for more', collect, [])
    .option('--as <account>', 'account of the keychain that contributes')
    .option('--detach', 'return at once, before validators have judged it')
    .action(async (datanet: string, file: string, options: { title?: string, format?: string, set: string[], as?: string, detach?: boolean }, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const format = options.format ?? formats[extname(file).toLowerCase()]

      if (format == null) {
        throw new CommandError('ERR_FORMAT', `the format of ${file} cannot be told by its ending`, { exitCode: exitCodes.usage, hint: 'name it with --format' })
      }

      const content = await readFile(file).catch((cause: unknown) => {
        throw fileError(file, cause)
      })
      const constants = options.set.map(parseConstant)
      const client = await node()
      const query = new URLSearchParams({ datanet: await datanetNamed(client, datanet, { signal }), title: options.title ?? basename(file), format, ...(options.as == null ? {} : { as: options.as }) })

      if (options.set.length > 0) {
        query.set('constants', JSON.stringify(Object.fromEntries(constants)))
      }

      const made = await client.upload<{ contribution: string, rows: number, bytes: number, status: string }>(`/api/v1/contributions?${query.toString()}`, content, { signal, timeoutMs: 120_000 })

      out.line(`${made.rows} rows (${made.bytes} bytes) are on the ledger as ${made.contribution}`)

      const status = options.detach === true ? made.status : await verdictOn(client, made, query.get('datanet') ?? '', signal)

      if (status === 'rejected') {
        throw new CommandError('ERR_REJECTED', `validators rejected the contribution ${made.contribution}`, {
          exitCode: exitCodes.refused, hint: 'its rows must be enough, new, fit for the Datanet\'s fields and licence, and free of personal data'
        })
      }

      out.line(status === 'admitted'
        ? `validators admitted it; train with: ${next(`train ${datanet} --name ${/^[a-z0-9-]+$/.test(datanet) && datanet.length < 48 ? datanet : '<name>'}`)}`
        : `validators fetch and check it now; follow with: ${next('status')}`)
      out.result({ ...made, status })
    })

  return examples(command, [
    'datanet contribute speeches lincoln-1862.txt --title "Lincoln 1862" --set year=1862',
    'datanet contribute bafy… rows.csv --as alice --detach'
  ])
}

/** `datanet withdraw`. */
export function withdrawCommand (): Command {
  const command = new Command('withdraw')
    .description('take a contribution of yours back, for good: no adapter is trained on it any more, and it is paid up to this epoch')
    .addArgument(new Argument('<contribution>', 'its CID').argParser(cid))
    .option('--as <account>', 'account of the keychain that contributed it')
    .action(async (contribution: string, { as }: { as?: string }, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const sent = await (await node()).post<{ transaction: string, height: number }>(`/api/v1/contributions/${contribution}/withdraw`, { as }, { signal })

      out.line(`withdrawn at height ${sent.height}; what was trained on it stays what it is`)
      out.result(sent)
    })

  return examples(command, ['datanet withdraw bafyrei…', 'datanet withdraw bafyrei… --as alice'])
}

/** How long a verdict is waited for, and how often it is looked for. Validators need seconds. */
const VERDICT_TIMEOUT_MS = 60_000
const VERDICT_POLL_MS = 500

/** The status of a contribution once validators decided, or `pending` if they take long. */
async function verdictOn (client: NodeClient, { contribution, status }: { contribution: string, status: string }, datanet: string, signal: AbortSignal): Promise<string> {
  const deadline = performance.now() + VERDICT_TIMEOUT_MS
  let newest = status

  while (newest === 'pending' && performance.now() < deadline) {
    await delay(VERDICT_POLL_MS, undefined, { signal })

    const all = await client.get<ContributionView[]>(`/api/v1/contributions?datanet=${datanet}`, { signal })

    newest = all.find(view => view.contribution === contribution)?.status ?? newest
  }

  return newest
}

function parseField (text: string): { name: string, type: string, required: boolean } {
  const match = /^([A-Za-z_][A-Za-z0-9_]*):(string|integer)(\?)?$/.exec(text)

  if (match == null) {
    throw new CommandError('ERR_FIELD', `expected a field such as text:string or year:integer?, but got "${text}"`, { exitCode: exitCodes.usage })
  }

  return { name: match[1], type: match[2], required: match[3] == null }
}

function parseConstant (text: string): [string, string | number] {
  const at = text.indexOf('=')

  if (at <= 0) {
    throw new CommandError('ERR_CONSTANT', `expected --set field=value, but got "${text}"`, { exitCode: exitCodes.usage })
  }

  const value = text.slice(at + 1)

  return [text.slice(0, at), /^-?\d{1,15}$/.test(value) ? Number(value) : value]
}
