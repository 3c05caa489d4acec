import { kernels, prng } from '../../src/numeric/index.ts'
import { processMs } from './models-peer.ts'
import { multiplier, reader } from './numeric-limit.ts'

/** What one round of something took for one unit of its work. */
export type Round = () => number

/** Units of work in milliseconds, each of them measured once a round after the others; the first rounds compile and pack. */
export function interleaved (rounds: number, works: readonly Round[], roundsBefore = 1): number[][] {
  const times = works.map((): number[] => [])

  for (let round = 0; round < roundsBefore + rounds; round++) {
    for (const [i, work] of works.entries()) {
      const ms = work()

      if (round >= roundsBefore) {
        times[i].push(ms)
      }
    }
  }

  return times
}

export function median (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

/** The median of how many times as long as its limit something took in the same round, upside down. */
export function ofLimit (limit: readonly number[], times: readonly number[]): number {
  return median(times.map((ms, i) => limit[i] / ms))
}

/** Milliseconds of processor time that `work` takes. */
export function timed (work: () => void, now = processMs): number {
  const begin = now()

  work()
  return now() - begin
}

/** Milliseconds for a million operations of products of a training's size, packing included. */
export function products (): Round {
  const k = kernels({ arenaBytesMax: 1 << 26 })
  const source = prng(1)
  const floats = new Float32Array(k.buffer)
  const [a, b, c, scratch] = [1 << 20, 1 << 23, 1 << 24, 1 << 25]
  const [m, n, inner] = [128, 512, 512]

  for (let i = 0; i < n * inner; i++) {
    floats[a / 4 + i % (m * inner)] = source.nextNormal()
    floats[b / 4 + i] = source.nextNormal()
  }

  return () => timed(() => {
    for (let i = 0; i < 4; i++) {
      k.gemm(m, n, inner, a, inner, 1, b, n, 1, 0, scratch, c, n, false)
    }
  }) / (4 * 2 * m * n * inner / 1e6)
}

/** Milliseconds for a megabyte, as many bytes at a time as a model has, read as fast as memory gives them. */
export async function reading (bytes: number): Promise<Round> {
  const read = await reader(bytes)
  const repeats = Math.max(1, Math.round(5e7 / bytes))

  return () => timed(() => {
    for (let i = 0; i < repeats; i++) {
      read()
    }
  }) / (repeats * bytes / 1e6)
}

/** Milliseconds for a megabyte of q8_0 by a loop that multiplies the same few bytes in integers, and does nothing else. */
export async function multiplying (): Promise<Round> {
  const { run, bytes } = await multiplier()
  const repeats = Math.round(2e7 / bytes)

  // until the optimising compiler has it, which takes calls as well as time
  for (let i = 0; i < 60_000; i++) {
    run()
  }

  return () => timed(() => {
    for (let i = 0; i < repeats; i++) {
      run()
    }
  }) / (repeats * bytes / 1e6)
}
