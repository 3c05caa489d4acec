import { FLOPS_PER_SECOND_AND_THREAD } from './constants.ts'

/**
 * How fast this machine works, from what it did: the newest measurement counts half, so that an
 * estimate follows a machine that gets busy.
 */
export class Pace {
  #flopsPerSecond: number

  constructor (threads: number) {
    this.#flopsPerSecond = threads * FLOPS_PER_SECOND_AND_THREAD
  }

  secondsFor (flops: number): number {
    return flops / this.#flopsPerSecond
  }

  get flopsPerSecond (): number {
    return this.#flopsPerSecond
  }

  /** A measurement made for the purpose replaces what was known. */
  calibrated (flops: number, milliseconds: number): void {
    if (milliseconds > 0) {
      this.#flopsPerSecond = flops / milliseconds * 1000
    }
  }

  measured (flops: number, milliseconds: number): void {
    if (milliseconds > 0) {
      this.#flopsPerSecond = (this.#flopsPerSecond + flops / milliseconds * 1000) / 2
    }
  }
}

/** Seconds left when a share of the work took so long. */
export function secondsLeft (startedAtMs: number, share: number): number {
  return share > 0 ? (performance.now() - startedAtMs) / 1000 * (1 - share) / share : 0
}
