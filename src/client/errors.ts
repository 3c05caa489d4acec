import { DatanetError } from '../utils/index.ts'

/** The node answered with an error; `code`, message and hint are its own. */
export class RequestFailedError extends DatanetError {
  /** of HTTP; 422 means understood and refused */
  readonly status: number

  constructor (status: number, code: string, message: string, options: { hint?: string, cause?: unknown } = {}) {
    super(code, message, options)
    this.status = status
  }
}

export class NodeUnreachableError extends DatanetError {
  constructor (where: string, cause?: unknown) {
    super('ERR_NODE_UNREACHABLE', `no node answers for ${where}`, {
      hint: 'start it with `datanet start` (add --data-dir if it is elsewhere), then try again',
      cause
    })
  }
}
