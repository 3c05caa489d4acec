import { fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { client } from '../api/index.ts'
import { packageRoot } from '../node/index.ts'
import { RESTARTS_MAX, START_TIMEOUT_MS, STOP_TIMEOUT_MS } from './constants.ts'
import { ProcessFailedError } from './errors.ts'
import { memberDir, members } from './setup.ts'
import type { NodeClient } from '../api/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { ChildProcess } from 'node:child_process'

/** One process of the swarm. */
export interface SwarmProcess {
  name: string
  pid: number
  api: NodeClient
  addresses: string[]
}

/** The processes of the demo, each a node or a light client of its own. */
export interface Swarm {
  start (options?: AbortOptions & { onReady?(process: SwarmProcess): void }): Promise<void>
  stop (): Promise<void>
  get (name: string): SwarmProcess
  list (): SwarmProcess[]
  /** arguments that name the validators, for commands that join by themselves */
  bootstrap (): string[]
  /** Runs a command of the command line to its end, with --json, and returns its object. */
  command<T> (name: string, args: string[], options?: AbortOptions): Promise<T>
}

interface ReadyMessage {
  type: 'ready'
  url: string
  token: string
  addresses: string[]
}

/**
 * @param dataDir - see `prepare`
 * @param onRestart - a process that ended unasked runs again
 */
export function swarm (dataDir: string, onRestart: (process: SwarmProcess) => void = () => {}): Swarm {
  return new SwarmService(dataDir, onRestart)
}

class SwarmService implements Swarm {
  private readonly dataDir: string
  private readonly children = new Map<string, ChildProcess>()
  private readonly processes = new Map<string, SwarmProcess>()
  private readonly restarts = new Map<string, number>()
  private readonly onRestart: (process: SwarmProcess) => void
  private stopping = false

  constructor (dataDir: string, onRestart: (process: SwarmProcess) => void) {
    this.dataDir = dataDir
    this.onRestart = onRestart
  }

  async start ({ signal, onReady }: AbortOptions & { onReady?(process: SwarmProcess): void } = {}): Promise<void> {
    const [first, ...others] = members

    this.stopping = false
    const seed = await this.node(first.name, [], signal)

    onReady?.(seed)

    await Promise.all(others.map(async ({ name }) => {
      const process = await this.node(name, seed.addresses.slice(0, 1), signal)

      onReady?.(process)
    }))
    this.light()
  }

  get (name: string): SwarmProcess {
    const found = this.processes.get(name)

    if (found == null) {
      throw new ProcessFailedError(name, 'is not running', this.log(name))
    }

    return found
  }

  list (): SwarmProcess[] {
    return [...this.processes.values()]
  }

  async stop (): Promise<void> {
    this.stopping = true
    await Promise.all([...this.children].map(async ([, child]) => stopChild(child)))
    this.children.clear()
    this.processes.clear()
  }

  async command<T> (name: string, args: string[], { signal }: AbortOptions = {}): Promise<T> {
    const child = fork(cli(), ['--data-dir', memberDir(this.dataDir, name), '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], signal })
    let out = ''

    child.stdout?.on('data', chunk => { out += String(chunk) })

    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', () => { resolve() })
    })

    const last = out.trim().split('\n').at(-1) ?? ''

    try {
      const value = JSON.parse(last) as T & { error?: { message: string } }

      if (value.error == null) {
        return value
      }

      throw new ProcessFailedError(`${name} ${args.join(' ')}`, `failed: ${value.error.message}`, this.log(name))
    } catch (err) {
      throw err instanceof ProcessFailedError ? err : new ProcessFailedError(`${name} ${args.join(' ')}`, `printed no JSON: ${last.slice(0, 200)}`, this.log(name))
    }
  }

  private log (name: string): string {
    return join(memberDir(this.dataDir, name), 'log.txt')
  }

  /** The light client needs no port: it follows headers until it is stopped. */
  private light (): void {
    const bootstrap = this.bootstrap()

    this.spawn('light', ['light', ...bootstrap, 'follow'])
  }

  bootstrap (): string[] {
    return members
      .filter(({ roles }) => roles.includes('validator'))
      .flatMap(({ name }) => this.get(name).addresses.slice(0, 1).flatMap(address => ['--bootstrap', address]))
  }

  private async node (name: string, bootstrap: string[], signal?: AbortSignal): Promise<SwarmProcess> {
    const child = this.spawn(name, ['start', ...bootstrap.flatMap(address => ['--bootstrap', address])])
    const ready = await this.ready(name, child, signal)
    const process = { name, pid: child.pid ?? 0, api: client(ready), addresses: ready.addresses }

    this.processes.set(name, process)
    child.once('exit', () => { this.ended(name) })

    return process
  }

  /** A process that was killed comes back on its data directory, as a service manager would have it. */
  private ended (name: string): void {
    const restarts = this.restarts.get(name) ?? 0

    if (this.stopping || restarts >= RESTARTS_MAX) {
      return
    }

    this.restarts.set(name, restarts + 1)

    const others = [...this.processes.values()].filter(process => process.name !== name).flatMap(({ addresses }) => addresses.slice(0, 1))

    this.node(name, others.slice(0, 2)).then(this.onRestart, () => { this.ended(name) })
  }

  private async ready (name: string, child: ChildProcess, signal?: AbortSignal): Promise<ReadyMessage> {
    const timeout = AbortSignal.timeout(START_TIMEOUT_MS)
    const either = signal == null ? timeout : AbortSignal.any([timeout, signal])

    return new Promise<ReadyMessage>((resolve, reject) => {
      const fail = (what: string): void => { reject(new ProcessFailedError(name, what, this.log(name))) }

      child.once('message', message => { resolve(message as ReadyMessage) })
      child.once('error', err => { fail(`could not be started: ${err.message}`) })
      child.once('exit', (code, by) => { fail(`ended with ${code ?? by ?? 'no code'} before it was ready`) })
      either.addEventListener('abort', () => {
        if (signal?.aborted === true) {
          reject(new ProcessFailedError(name, 'was interrupted', this.log(name)))
        } else {
          fail(`was not ready after ${START_TIMEOUT_MS / 1000} s`)
        }
      }, { once: true })
    })
  }

  private spawn (name: string, args: string[]): ChildProcess {
    const log = openSync(this.log(name), 'a')
    // a group of its own, so that Ctrl-C reaches us alone and we end them in order
    const child = fork(cli(), ['--data-dir', memberDir(this.dataDir, name), ...args], { stdio: ['ignore', log, log, 'ipc'], detached: true })

    closeSync(log)
    this.children.set(name, child)

    return child
  }
}

/** The command line as this process runs it: compiled, or from the sources. */
function cli (): string {
  return import.meta.url.endsWith('.ts') ? join(packageRoot(), 'src/cli/bin.ts') : join(packageRoot(), 'dist/src/cli/bin.js')
}

async function stopChild (child: ChildProcess): Promise<void> {
  if (child.exitCode != null || child.signalCode != null) {
    return
  }

  await new Promise<void>(resolve => {
    const timer = setTimeout(() => { child.kill('SIGKILL') }, STOP_TIMEOUT_MS)

    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
