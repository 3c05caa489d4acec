import { CommanderError } from 'commander'
import { onInterrupt } from './context.ts'
import { printError, printUsageError } from './errors-print.ts'
import { program } from './program.ts'

/** Runs the command line of this process, and sets its exit code. */
export async function main (): Promise<void> {
  onInterrupt()

  const root = program()

  try {
    await root.parseAsync()
  } catch (err) {
    if (err instanceof CommanderError) {
      process.exitCode = printUsageError(err, { json: process.argv.includes('--json') })
    } else {
      process.exitCode = printError(err, { json: root.opts().json === true, verbose: root.opts().verbose === true })
    }
  }
}
