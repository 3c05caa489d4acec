import pc from 'picocolors'
import { NodeUnreachableError, RequestFailedError } from '../api/index.ts'
import { DatanetError } from '../utils/index.ts'
import { exitCodes } from './constants.ts'
import { CommandError } from './errors.ts'

/** Says what went wrong and what to do, and returns the exit code. */
export function printError (err: unknown, options: { json: boolean, verbose: boolean }): number {
  const error = err instanceof Error ? err : new TypeError(String(err))

  if (error.name === 'AbortError') {
    process.stderr.write('interrupted\n')
    return exitCodes.interrupted
  }

  const code = error instanceof DatanetError ? error.code : 'ERR_INTERNAL'
  const hint = error instanceof DatanetError ? error.hint : undefined

  if (options.json) {
    process.stdout.write(`${JSON.stringify({ error: { code, message: error.message, hint } })}\n`)
  } else {
    process.stderr.write(`${pc.red('error')} ${error.message}\n`)

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

function exitCodeOf (error: Error): number {
  if (error instanceof CommandError) {
    return error.exitCode
  }

  if (error instanceof NodeUnreachableError) {
    return exitCodes.unreachable
  }

  return error instanceof RequestFailedError && error.status === 422 ? exitCodes.refused : exitCodes.failed
}
