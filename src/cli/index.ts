/**
 * The command line as a library: what `datanet` parses, for tests and documentation. It does
 * nothing until it is told to parse; the executable is bin.ts.
 *
 * @example
 * ```ts
 * await program().parseAsync(['status', '--json'], { from: 'user' })
 * ```
 */
export { exitCodes } from './constants.ts'
export { program } from './program.ts'
