/**
 * `npm run bench -- <area> [--json] [--quick] [--help]`: prints a table for people and, with `--json`, one JSON
 * object as the last line. An area is a file of this folder that exports `run`.
 */
import { existsSync, readdirSync } from 'node:fs'
import { arch, cpus, platform } from 'node:os'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { usage } from './bench-usage.ts'
import type { Bench, BenchResult, OwnOptions } from './interface.ts'

const here = new URL('.', import.meta.url)

/** Names of files that are benchmarks: helpers have a dash or one of these names. */
function areas (): string[] {
  return readdirSync(here)
    .map(name => name.replace(/\.[tj]s$/, ''))
    .filter(name => /^[a-z]+$/.test(name) && name !== 'index' && name !== 'interface')
}

function table (results: BenchResult[]): string {
  const rows = new Table({ head: ['name', 'value', 'unit', 'against', 'detail'], style: { head: [], border: [] }, colWidths: [null, null, null, null, 60], wordWrap: true })
  for (const { name, value, unit, peer, detail } of results) {
    rows.push([name, Number(value.toPrecision(4)), unit, peer ?? '', detail ?? ''])
  }
  return rows.toString()
}

const COMMON = { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } } as const

async function main (): Promise<void> {
  const area = process.argv[2]
  const file = ['ts', 'js'].map(ending => new URL(`${area}.${ending}`, here)).find(url => existsSync(url))
  if (area === '--help' || area === '-h') {
    process.stdout.write(usage(areas()))
    return
  }
  if (area === undefined || !areas().includes(area) || file === undefined) {
    refuse(`expected one of ${areas().join(', ')} but got ${area ?? 'nothing'}`, usage(areas()))
    return
  }
  const { run, options = {} } = await import(file.href) as { run: Bench, options?: OwnOptions }
  const parsed = parse(options)
  if (typeof parsed === 'string') {
    refuse(parsed, usage(areas(), area, options))
    return
  }
  const { json, quick, help, values } = parsed
  if (help) {
    process.stdout.write(usage(areas(), area, options))
    return
  }
  const results = await run({ quick, values })
  const machine = `${cpus()[0].model} × ${cpus().length}, ${platform()} ${arch()}, Node ${process.version}`
  process.stdout.write(`${area} on ${machine}\n${table(results)}\n`)
  if (json) {
    process.stdout.write(`${JSON.stringify({ area, machine, results })}\n`)
  }
}

/** The command line, or what is wrong with it. */
function parse (options: OwnOptions): string | { json: boolean, quick: boolean, help: boolean, values: Partial<Record<string, string>> } {
  try {
    const { positionals, values: { json, quick, help, ...own } } = parseArgs({ allowPositionals: true, options: { ...options, ...COMMON } })
    const values: Partial<Record<string, string>> = own
    return positionals.length === 1 ? wrongChoice(options, values) ?? { json, quick, help, values } : `expected one area but got ${positionals.join(' ')}`
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
      return error.message
    }
    throw error
  }
}

/** Options whose help lists their values take no others. */
function wrongChoice (options: OwnOptions, values: Partial<Record<string, string>>): string | undefined {
  const wrong = Object.entries(options).find(([name, { value }]) => value?.includes('|') === true && values[name] !== undefined && !value.split('|').includes(values[name]))
  return wrong === undefined ? undefined : `expected --${wrong[0]} to be one of ${wrong[1].value} but got ${values[wrong[0]]}`
}

function refuse (message: string, help: string): void {
  process.stderr.write(`${message}\n\n${help}`)
  process.exitCode = 2
}

await main()
