/**
 * `npm run bench -- <area> [--json] [--quick]`: prints a table for people and, with `--json`, one JSON
 * object as the last line. An area is a file of this folder that exports `run`.
 */
import { existsSync, readdirSync } from 'node:fs'
import { arch, cpus, platform } from 'node:os'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
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

async function main (): Promise<void> {
  const area = process.argv[2]
  const file = ['ts', 'js'].map(ending => new URL(`${area}.${ending}`, here)).find(url => existsSync(url))
  if (area === undefined || !areas().includes(area) || file === undefined) {
    process.stderr.write(`expected one of ${areas().join(', ')} but got ${area ?? 'nothing'}: npm run bench -- <area> [--json] [--quick]\n`)
    process.exitCode = 2
    return
  }
  const { run, options = {} } = await import(file.href) as { run: Bench, options?: OwnOptions }
  const { values: { json, quick, ...own } } = parseArgs({
    allowPositionals: true,
    options: { ...options, json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } }
  })
  const values: Partial<Record<string, string>> = own
  const results = await run({ quick, values })
  const machine = `${cpus()[0].model} × ${cpus().length}, ${platform()} ${arch()}, Node ${process.version}`
  process.stdout.write(`${area} on ${machine}\n${table(results)}\n`)
  if (json) {
    process.stdout.write(`${JSON.stringify({ area, machine, results })}\n`)
  }
}

await main()
