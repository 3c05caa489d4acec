import { DatanetError } from '../../utils/index.ts'

/** An encoded training state is malformed. */
export class StateEncodingError extends DatanetError {
  constructor (reason: string) {
    super('ERR_TRAINING_STATE', `a training state cannot be read: ${reason}; fetch the checkpoint again or retrain`)
  }
}

/** Plan, parameters, groups or columns do not fit together. */
export class AttributionInputError extends DatanetError {
  constructor (reason: string) {
    super('ERR_ATTRIBUTION_INPUT', reason)
  }
}

/** A run left the finite numbers, so that nothing it computes can be agreed on. */
export class DivergedError extends DatanetError {
  constructor (what: string, step: number) {
    super('ERR_DIVERGED', `${what} is not finite at step ${step}: lower the learning rate or raise the batch size`)
  }
}
