import { queues } from './queues.ts'

/** Runs what belongs to one key in several lanes side by side, and in each lane in order. */
export interface Lanes {
  /**
   * @param key - whose work it is
   * @param work - is told its lane, from 0
   * @param mayUse - whether a lane behind the first one may be begun
   * @throws {BusyError} if too much waits
   */
  run<T> (key: string, work: (lane: number) => Promise<T>, mayUse: (lane: number) => Promise<boolean>): Promise<T>
}

export function lanes (lanesMax: number): Lanes {
  const lines = queues()
  const users = new Map<string, number[]>()

  return {
    async run (key, work, mayUse) {
      const counts = users.get(key) ?? new Array<number>(lanesMax).fill(0)
      const least = counts.indexOf(Math.min(...counts))

      users.set(key, counts)
      // taken before anything is waited for, so that the next one sees it
      counts[least]++

      let lane = least

      try {
        if (least > 0 && !await mayUse(least)) {
          counts[least]--
          lane = 0
          counts[lane]++
        }

        return await lines.run(`${key}/${lane}`, async () => work(lane))
      } finally {
        counts[lane]--

        if (counts.every(count => count === 0)) {
          users.delete(key)
        }
      }
    }
  }
}
