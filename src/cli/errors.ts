import { DatanetError } from '../utils/index.ts'
import { exitCodes } from './constants.ts'

/** An error that ends a command with a given exit code. */
export class CommandError extends DatanetError {
  readonly exitCode: number

  constructor (code: string, message: string, options: { exitCode?: number, hint?: string, cause?: unknown } = {}) {
    super(code, message, options)
    this.exitCode = options.exitCode ?? exitCodes.failed
  }
}

/** A file that the arguments name, and that cannot be read. */
export function fileError (path: string, cause: unknown): CommandError {
  const { code } = cause as NodeJS.ErrnoException

  return new CommandError('ERR_FILE', code === 'ENOENT' ? `there is no file ${path}` : `the file ${path} cannot be read${code == null ? '' : ` (${code})`}`, { exitCode: exitCodes.usage, cause })
}
