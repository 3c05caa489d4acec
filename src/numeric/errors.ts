import { DatanetError } from '../utils/index.ts'

/** Operands do not fit together; the message names the primitive, what it wanted and what came. */
export class ShapeError extends DatanetError {
  constructor (primitive: string, expected: string, came: string) {
    super('ERR_SHAPE', `${primitive} expects ${expected} but got ${came}: check the shapes of its operands`)
  }
}

/** A result is infinite or not a number, which is never hashed and never passed on. */
export class NonFiniteError extends DatanetError {
  readonly primitive: string
  /** Which tensor: its name or shape, what it was made of, and the first element that is not finite. */
  readonly tensor: string

  constructor (primitive: string, tensor = 'a value') {
    super('ERR_NON_FINITE', `${primitive} gave an infinite or undefined number where a finite one was expected, in ${tensor}: check its inputs, or lower the learning rate`)
    this.primitive = primitive
    this.tensor = tensor
  }
}

/** The tape's memory is used up. */
export class ArenaFullError extends DatanetError {
  constructor (wantedBytes: number, freeBytes: number, bytesMax: number) {
    super('ERR_ARENA_FULL', `the tape's arena of ${bytesMax} bytes has ${freeBytes} left but ${wantedBytes} were needed: call reset() between examples, or raise arenaBytesMax`)
  }
}

/** The machine gave no memory for an arena. */
export class MemoryUnavailableError extends DatanetError {
  constructor (bytes: number, cause: unknown) {
    super('ERR_MEMORY_UNAVAILABLE', `a tape needs ${bytes} bytes of address space but the machine gave none: reuse tapes, or lower arenaBytesMax`, { cause })
  }
}

/** A Value of another tape, or one made before reset(). */
export class StaleValueError extends DatanetError {
  constructor (primitive: string) {
    super('ERR_STALE_VALUE', `${primitive} got a value of another tape or from before reset(): make it again on this tape`)
  }
}

/** What a pass is captured from, or when, leaves open what a replay of it would compute. */
export class CaptureError extends DatanetError {
  constructor (expected: string, came: string) {
    super('ERR_CAPTURE', `a captured pass needs ${expected} but got ${came}: check its inputs and what it calls`)
  }
}

/** An argument outside of what a function is defined for. */
export class NumericRangeError extends DatanetError {
  constructor (what: string, expected: string, came: number) {
    super('ERR_NUMERIC_RANGE', `${what} must be ${expected} but is ${came}: check the caller`)
  }
}

/** A helping thread took a part of a product and never finished it. */
export class ThreadLostError extends DatanetError {
  constructor (waitedMs: number) {
    super('ERR_THREAD_LOST', `a thread was expected to finish its part of a product but was silent for ${waitedMs} ms: make new kernels, or use one thread`)
  }
}
