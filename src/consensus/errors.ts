import { DatanetError } from '../utils/index.ts'

/** The configuration cannot work: an unusable validator set, a missing signer, contradictory timeouts. */
export class ConsensusConfigError extends DatanetError {
  constructor (message: string) {
    super('ERR_CONSENSUS_CONFIG', message)
  }
}

/** The driver broke the protocol between it and the state machine, for instance an input before `start`. */
export class ConsensusDriverError extends DatanetError {
  constructor (message: string) {
    super('ERR_CONSENSUS_DRIVER', message)
  }
}
