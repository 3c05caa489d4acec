import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const program = fileURLToPath(new URL(`./validator.${ending}`, import.meta.url))

/** A validator in a process; see validator.ts for what it answers. */
export interface Process {
  /** where others reach it */
  readonly address: string
  /** One line there, one line back. Errors of the validator are thrown. */
  ask (line: string): Promise<string>
  /** Sends a signal; after SIGKILL it resolves when the process is gone. */
  signal (name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
}

const SKEW = 'data:text/javascript,const now = Date.now; globalThis.Date = class extends Date { constructor (...args) { super(...(args.length === 0 ? [now() + 3600000] : args)) } static now () { return now() + 3600000 } }'

export interface ProcessOptions {
  /** the wall clock is an hour ahead. False by default. */
  skewed?: boolean
  /** a network namespace that exists. The machine's own by default. */
  namespace?: string
}

/** Resolves once the validator is ready and listens on `host:port`. */
export const validatorProcess = async (index: number, count: number, folder: string, listen: { host: string, port: number }, bootstrap: string[], { skewed = false, namespace }: ProcessOptions = {}): Promise<Process> => {
  const args = ['--experimental-transform-types', '--no-warnings', ...(skewed ? ['--import', SKEW] : []), program, `${index}`, `${count}`, folder, `/ip4/${listen.host}/tcp/${listen.port}`, ...bootstrap]
  // `ip netns exec` becomes the program that it runs, so signals reach the validator
  const [command, ...rest] = namespace === undefined ? [process.execPath, ...args] : ['ip', 'netns', 'exec', namespace, process.execPath, ...args]
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: Array<PromiseWithResolvers<string>> = []
  const gone = new Promise<void>(resolve => child.once('exit', () => {
    waiting.splice(0).forEach(({ reject }) => { reject(new Error(`validator ${index} ended`)) })
    resolve()
  }))
  const next = async (): Promise<string> => {
    const line = Promise.withResolvers<string>()
    waiting.push(line)
    return line.promise
  }

  createInterface({ input: child.stdout }).on('line', line => { waiting.shift()?.resolve(line) })
  // a process that was killed does not read any more
  child.stdin.on('error', () => {})

  const [, address] = (await next()).split(' ')

  return {
    address,
    ask: async (line) => {
      child.stdin.write(`${line}\n`)
      const said = await next()

      if (said.startsWith('error') || said === 'failed') {
        throw new Error(`validator ${index} on ${line}: ${said}`)
      }

      return said
    },
    signal: async (name) => {
      child.kill(name)

      if (name === 'SIGKILL') {
        await gone
      }
    }
  }
}
