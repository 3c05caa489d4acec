/**
 * What every module may use: the base error, and errors of what was thrown.
 */
export { DatanetError, toError } from './errors.ts'
