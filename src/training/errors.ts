import { DatanetError } from '../utils/index.ts'

/** A job asks for something that cannot be trained. */
export class TrainingInputError extends DatanetError {
  constructor (reason: string) {
    super('ERR_TRAINING_INPUT', reason)
  }
}

/** A worker thread threw; code and message are those of its error. */
export class WorkerFailedError extends DatanetError {}

/** A worker thread ended or went silent. */
export class WorkerLostError extends DatanetError {
  constructor (reason: string) {
    super('ERR_WORKER_LOST', `a worker thread ${reason}: start the job again, it resumes from its last checkpoint`)
  }
}

/** More jobs than the service queues. */
export class TrainingQueueFullError extends DatanetError {
  constructor (max: number) {
    super('ERR_TRAINING_QUEUE_FULL', `${max} jobs wait already: try again when one has finished`)
  }
}

/** An adapter is not what its recipe gives. */
export class AdapterMismatchError extends DatanetError {
  constructor (reason: string) {
    super('ERR_ADAPTER_MISMATCH', `the adapter does not follow from its recipe: ${reason}`)
  }
}

/** A job of the background made room for one that somebody waits for. */
export class PreemptedError extends DatanetError {
  constructor () {
    super('ERR_PREEMPTED', 'a job that somebody waits for took its place: start it again later')
  }
}

/** What somebody published as the state that a step starts from is not the one that was agreed on. */
export class StepStateError extends DatanetError {
  constructor (reason: string) {
    super('ERR_STEP_STATE', `the state before a step is not the one that its trace was agreed on with: ${reason}`)
  }
}
