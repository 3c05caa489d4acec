import { DatanetError } from '../utils/index.ts'

/** Parameters under which the network could not go on, or that do not add up. */
export class ParamsError extends DatanetError {
  constructor (name: string, expected: string, came: unknown) {
    super('ERR_PARAMS', `params.${name}: expected ${expected} but got ${String(came)}`)
  }
}

/** Actions that no proposal may hold. */
export class ActionsError extends DatanetError {
  constructor (reason: string) {
    super('ERR_ACTIONS', reason)
  }
}
