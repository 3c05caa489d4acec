import { homedir } from 'node:os'
import { join } from 'node:path'
import { connect } from '../client/index.ts'
import { exitCodes, SAME_INTERRUPT_MS } from './constants.ts'
import { output } from './output.ts'
import type { Output } from './output.ts'
import type { NodeClient } from '../client/index.ts'
import type { Command } from 'commander'

/** Options that every command takes. */
export interface GlobalOptions {
  dataDir: string
  json?: boolean
  verbose?: boolean
}

/** What a command works with. */
export interface Context {
  options: GlobalOptions
  out: Output
  /** fires on Ctrl-C */
  signal: AbortSignal
  /** the running node of the data directory; rejects with `NodeUnreachableError` */
  node (): Promise<NodeClient>
  /** a command as this user would type it, to be told as the next step */
  next (command: string): string
}

export const defaultDataDir = (): string => process.env.DATANET_DIR ?? join(homedir(), '.datanet')

/** In a clone the command is run by npx. */
const invocation = process.env.npm_lifecycle_event === 'npx' ? 'npx datanet' : 'datanet'

const interrupt = new AbortController()

/** Ctrl-C ends the work in hand; a second one ends the process. */
export function onInterrupt (): void {
  let since: number | undefined
  const stop = (): void => {
    if (since === undefined) {
      since = performance.now()
      interrupt.abort()
    } else if (performance.now() - since > SAME_INTERRUPT_MS) {
      process.exit(exitCodes.interrupted)
    }
  }

  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  // who read what we say has enough, as head(1) does: like Ctrl-C, and no error
  process.stdout.on('error', stop)
  process.stderr.on('error', () => {})
  // who started us is gone and cannot tell us to stop; listening for that must not keep us alive
  process.once('disconnect', stop)
  process.channel?.unref()
}

export function contextOf (command: Command): Context {
  const options = command.optsWithGlobals<GlobalOptions>()

  return {
    options,
    out: output(options),
    signal: interrupt.signal,
    node: async () => connect(options.dataDir),
    next: text => `${invocation}${options.dataDir === defaultDataDir() ? '' : ` --data-dir ${options.dataDir}`} ${text}`
  }
}

/** Examples below a command's help. */
export function examples (command: Command, lines: string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map(line => `  $ ${line}`).join('\n')}\n`)
}
