import { NodeUnreachableError, RequestFailedError } from '../client/index.ts'
import { DatanetError, toError } from '../utils/index.ts'
import { errorColours as pc } from './colours.ts'
import { exitCodes } from './constants.ts'
import { CommandError } from './errors.ts'
import { formatOpen } from './output.ts'
import type { CommanderError } from 'commander'

/** Codes of a node for arguments that it did not understand: nothing was done. */
const usageCodes = new Set(['ERR_REQUEST', 'ERR_CID', 'ERR_UNKNOWN_PARAMETER', 'ERR_ACCOUNT_MISSING'])

/** Says what went wrong and what to do, and returns the exit code. */
export function printError (err: unknown, options: { json: boolean, verbose: boolean }): number {
  const error = toError(err)

  if (error.name === 'AbortError') {
    if (options.json) {
      printJson('ERR_INTERRUPTED', 'interrupted')
    }

    process.stderr.write('interrupted\n')
    return exitCodes.interrupted
  }

  const code = error instanceof DatanetError ? error.code : 'ERR_INTERNAL'
  const hint = error instanceof DatanetError ? error.hint : undefined

  if (options.json) {
    printJson(code, error.message, hint)
  } else {
    process.stderr.write(`${pc.red('error')} ${withOpen(error.message)}\n`)

    if (hint != null) {
      process.stderr.write(`${pc.dim('hint ')} ${hint}\n`)
    }

    process.stderr.write(`${pc.dim(`code  ${code}`)}\n`)
  }

  if (options.verbose || (!(error instanceof DatanetError) && !(error instanceof RangeError))) {
    process.stderr.write(`${error.stack ?? ''}\n`)
  }

  return exitCodeOf(error)
}

/** What the parser already told people about, as an exit code and, for programs, as an object. */
export function printUsageError (err: CommanderError, { json }: { json: boolean }): number {
  // help that was asked for
  if (err.exitCode === 0) {
    return exitCodes.ok
  }

  if (json) {
    printJson('ERR_USAGE', err.message === '(outputHelp)' ? 'expected a command' : err.message.replace(/^error: /, ''))
  }

  return exitCodes.usage
}

function printJson (code: string, message: string, hint?: string): void {
  process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`)
}

/** The ledger counts in base units, people do not. */
function withOpen (message: string): string {
  return message.replace(/\b\d{15,}\b(?! base units)/g, units => `${units} (${formatOpen(units)})`).replace(/\b(\d{15,}) base units/g, (_all, units: string) => `${units} base units (${formatOpen(units)})`)
}

function exitCodeOf (error: Error): number {
  if (error instanceof CommandError) {
    return error.exitCode
  }

  // of the light client, whose errors only it loads
  if (error instanceof NodeUnreachableError || (error instanceof DatanetError && error.code === 'ERR_NO_PEER')) {
    return exitCodes.unreachable
  }

  if (error instanceof RequestFailedError && usageCodes.has(error.code)) {
    return exitCodes.usage
  }

  return error instanceof RequestFailedError && error.status === 422 ? exitCodes.refused : exitCodes.failed
}
