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
