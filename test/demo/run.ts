import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DemoResult } from '../../src/demo/index.ts'

const root = join(import.meta.dirname, import.meta.dirname.includes('/dist/') ? '../../..' : '../..')

/** What `npm start` runs, compiled by `npm run build:app`. */
export const bin = join(root, 'dist/src/cli/bin.js')

export const built = (): boolean => existsSync(bin)

export interface DemoRun {
  /** all lines so far, of both streams */
  readonly lines: string[]
  /** process ids by name, the newest */
  readonly pids: Map<string, number>
  /** the object of --json, once it was printed */
  readonly result: Promise<DemoResult>
  readonly exit: Promise<number | null>
  /** called for every line */
  onLine?(line: string): void
  interrupt (): void
}

/** Starts `datanet start --demo --json` as a user would, in a data directory. */
export function startDemo (dataDir: string, options: { once?: boolean, onLine?(line: string): void } = {}): DemoRun {
  const args = ['--data-dir', dataDir, '--json', 'start', '--demo', '--api-port', '0', ...(options.once === true ? ['--once'] : [])]
  // the lines are matched: whatever the surroundings say of colours, we want none
  const { FORCE_COLOR, ...env } = process.env
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env, NO_COLOR: '1' } })
  const lines: string[] = []
  const pids = new Map<string, number>()
  const exit = new Promise<number | null>(resolve => { child.once('close', code => { resolve(code) }) })

  const result = new Promise<DemoResult>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', line => {
        const process = /(\S+) (?:is|ended and runs again as) process (\d+)/.exec(line)

        lines.push(line)

        if (process != null) {
          pids.set(process[1], Number(process[2]))
        }

        if (line.startsWith('{"adapter"')) {
          resolve(JSON.parse(line) as DemoResult)
        }

        options.onLine?.(line)
      })
    }

    child.once('close', code => { reject(new RangeError(`the demo ended with ${code ?? 'a signal'} and printed no result:\n${lines.slice(-30).join('\n')}`)) })
  })

  // who only waits for the exit does not want this rejection
  result.catch(() => {})

  return { lines, pids, result, exit, interrupt: () => { child.kill('SIGINT') } }
}
