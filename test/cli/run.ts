import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ChildProcess } from 'node:child_process'

const root = join(import.meta.dirname, import.meta.dirname.includes('/dist/') ? '../../..' : '../..')

/** What `npx datanet` runs, compiled by `npm run build:app`. */
const bin = join(root, 'dist/src/cli/bin.js')

/** @throws {RangeError} saying what to do, if the command line is not built */
export function needBuilt (): void {
  if (!existsSync(bin)) {
    throw new RangeError(`expected ${bin}: build it with \`npm run build:app\``)
  }
}

const folders: string[] = []

export async function temporary (): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'datanet-cli-'))

  folders.push(folder)

  return folder
}

export async function cleanTemporary (): Promise<void> {
  await Promise.all(folders.splice(0).map(async folder => rm(folder, { recursive: true, force: true })))
}

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
  /** both streams, for messages */
  all: string
}

/** Runs `datanet` until it ends. */
export async function datanet (...args: string[]): Promise<Ended> {
  return run([bin, ...args])
}

/** The same until its first words, at which it is interrupted as by Ctrl-C. */
export async function datanetInterrupted (...args: string[]): Promise<Ended> {
  return run([bin, ...args], child => { child.stdout?.once('data', () => { child.kill('SIGINT') }) })
}

/** The same with a standard output that nobody reads any more, as behind head(1). */
export async function datanetUnread (...args: string[]): Promise<Ended> {
  return run([bin, ...args], child => { child.stdout?.destroy() })
}

/** Has the process say on file descriptor 3 which modules it loads. */
const TELL = `import { writeSync } from 'node:fs'; import { registerHooks } from 'node:module'
registerHooks({ load: (url, context, next) => { if (url.startsWith('file:')) { writeSync(3, url + '\\n') } return next(url, context) } })`

/** Addresses of all files that a command loads as modules until it ends. */
export async function loadedBy (...args: string[]): Promise<string[]> {
  const { told } = await run(['--import', `data:text/javascript,${encodeURIComponent(TELL)}`, bin, ...args])

  return told.trimEnd().split('\n')
}

async function run (args: string[], begun: (child: ChildProcess) => void = () => {}): Promise<Ended & { told: string }> {
  // under npx the command names itself `npx datanet`
  const { npm_lifecycle_event: _, ...env } = process.env
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], timeout: 90_000, env })
  const [, , , aside] = child.stdio
  let stdout = ''
  let stderr = ''
  let told = ''

  child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  begun(child)
  aside?.on('data', (bytes: Buffer) => { told += bytes.toString('utf8') })

  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => { resolve({ code, stdout, stderr, told, all: `${stdout}${stderr}` }) })
  })
}

/** The JSON object that `--json` prints on the last line of standard output. */
export function lastJson <T> ({ stdout, all }: Ended): T {
  const last = stdout.trimEnd().split('\n').at(-1) ?? ''

  try {
    return JSON.parse(last) as T
  } catch (cause) {
    throw new RangeError(`expected JSON on the last line of:\n${all}`, { cause })
  }
}

export interface RunningNode {
  readonly lines: string[]
  /** Resolves with the first line, seen or still to come, that fits. */
  line (pattern: RegExp): Promise<RegExpExecArray>
  /** As Ctrl-C does under npx, which passes on what the terminal sent to all; resolves with the exit code. */
  interrupt (): Promise<number | null>
}

/** `datanet start` until it is ready. */
export async function startNode (dataDir: string): Promise<RunningNode> {
  const child = spawn(process.execPath, [bin, '--data-dir', dataDir, 'start'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = new Promise<number | null>(resolve => { child.once('close', resolve) })
  const lines: string[] = []
  const waiting = new Set<() => void>()

  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      waiting.forEach(look => { look() })
    })
  }

  const node: RunningNode = {
    lines,
    line: async pattern => new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.map(text => pattern.exec(text)).find(match => match != null)

        if (found != null) {
          waiting.delete(look)
          resolve(found)
        }
      }

      waiting.add(look)
      look()
      void exit.then(code => { reject(new RangeError(`the node ended with ${code ?? 'a signal'} and never said ${String(pattern)}:\n${lines.slice(-30).join('\n')}`)) })
    }),
    interrupt: async () => {
      child.kill('SIGINT')
      child.kill('SIGINT')

      return exit
    }
  }

  await node.line(/stop it with Ctrl-C/)

  return node
}
