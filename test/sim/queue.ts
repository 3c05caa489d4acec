interface Event {
  atMs: number
  order: number
  run (): void
}

/** Virtual time: a binary heap of what is to happen, ties in order of arrival. */
export interface Queue {
  readonly nowMs: number
  at (atMs: number, run: () => void): void
  /** Runs everything due up to then. */
  runUntil (untilMs: number): void
}

export const queue = (): Queue => {
  const heap: Event[] = []
  let nowMs = 0
  let order = 0

  const before = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

  const up = (index: number): void => {
    while (index > 0) {
      const parent = (index - 1) >> 1

      if (!before(heap[index], heap[parent])) {
        return
      }

      [heap[index], heap[parent]] = [heap[parent], heap[index]]
      index = parent
    }
  }

  const down = (): void => {
    let index = 0

    while (true) {
      const left = 2 * index + 1
      let least = index

      for (const child of [left, left + 1]) {
        if (child < heap.length && before(heap[child], heap[least])) {
          least = child
        }
      }

      if (least === index) {
        return
      }

      [heap[index], heap[least]] = [heap[least], heap[index]]
      index = least
    }
  }

  return {
    get nowMs () { return nowMs },
    at (atMs, run) {
      heap.push({ atMs: Math.max(atMs, nowMs), order: order++, run })
      up(heap.length - 1)
    },
    runUntil (untilMs) {
      while (heap.length > 0 && heap[0].atMs <= untilMs) {
        const event = heap[0]
        const last = heap.pop()

        if (heap.length > 0 && last !== undefined) {
          heap[0] = last
          down()
        }

        nowMs = event.atMs
        event.run()
      }

      nowMs = untilMs
    }
  }
}
