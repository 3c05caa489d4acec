/**
 * What every module may use: the base error, bytes and bounds.
 */
export { DatanetError } from './errors.ts'
