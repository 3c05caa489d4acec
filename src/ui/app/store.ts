import { ApiError } from './api.ts'
import { effectOf, WARNINGS_MAX } from './effects.ts'
import { resources } from './node-data.ts'
import { readPayments, writePayments } from './payments.ts'
import type { Api } from './api.ts'
import type { NodeData, Resource } from './node-data.ts'
import type { NodeEvent, NodeStatus } from '../../interface/index.ts'

/** Events come in bursts, one per block: what they touch is read once per burst. */
const SETTLE_MS = 250

/** Times in a row that what was read is put aside because events came meanwhile: blocks never end. */
const STALE_READS_MAX = 3

const RECONNECT_MS_MIN = 500
const RECONNECT_MS_MAX = 10_000

export interface NodeStore {
  readonly api: Api
  get (): NodeData
  subscribe (listener: () => void): () => void
  /** Reads something again, soon. */
  refresh (...what: Resource[]): void
  start (): () => void
}

/** Keeps a picture of the node up to date: events tell what changed, the API tells to what. */
export function nodeStore (api: Api): NodeStore {
  let data: NodeData = { connection: 'connecting', recompute: {}, payments: [], warnings: [] }
  const listeners = new Set<() => void>()
  const due = new Set<Resource>()
  const stale = new Map<Resource, number>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let reading = false

  const patch = (change: Partial<NodeData>): void => {
    data = { ...data, ...change }
    listeners.forEach(listener => { listener() })
  }

  const refresh = (...what: Resource[]): void => {
    what.forEach(resource => due.add(resource))

    if (due.size > 0 && timer == null && !reading) {
      timer = setTimeout(() => { void read() }, data.status == null ? 0 : SETTLE_MS)
    }
  }

  async function read (): Promise<void> {
    const what = [...due]

    timer = undefined
    reading = true
    due.clear()

    await Promise.all(what.map(async resource => {
      const before = data[resource]

      try {
        const value = await api.get(resource)
        const times = stale.get(resource) ?? 0

        // an event said something newer while the node answered
        if (data[resource] !== before && times < STALE_READS_MAX) {
          stale.set(resource, times + 1)
          due.add(resource)

          return
        }

        stale.delete(resource)
        patch({ [resource]: value })

        if (resource === 'status') {
          const { chain } = value as NodeStatus

          if (data.payments.length === 0) {
            patch({ payments: readPayments(chain) })
          }
        }
      } catch (err) {
        if (err instanceof ApiError && err.status !== 0 && err.status !== 401) {
          warn(`${resource}: ${err.message}`)
        }
      }
    }))

    reading = false
    refresh()
  }

  const warn = (message: string): void => { patch({ warnings: [message, ...data.warnings.filter(other => other !== message)].slice(0, WARNINGS_MAX) }) }

  const onEvent = (event: NodeEvent): void => {
    const { change, reread } = effectOf(data, event)

    if (change != null) {
      patch(change)
    }

    if (event.type === 'payment' && event.task != null && data.status != null) {
      writePayments(data.status.chain, data.payments)
    }

    refresh(...reread)
  }

  const onOpen = (): void => {
    patch({ connection: 'live' })
    // whatever happened while nobody listened
    refresh(...resources)
  }

  async function run (signal: AbortSignal): Promise<void> {
    let wait = RECONNECT_MS_MIN

    while (!signal.aborted) {
      try {
        for await (const event of api.events({ signal, onOpen })) {
          wait = RECONNECT_MS_MIN
          onEvent(event)
        }
      } catch (err) {
        if (err instanceof ApiError && err.status === 401) {
          patch({ connection: 'unauthorized' })

          return
        }
      }

      if (!signal.aborted) {
        patch({ connection: 'reconnecting' })
        await pause(wait, signal)
        wait = Math.min(RECONNECT_MS_MAX, wait * 2)
      }
    }
  }

  return {
    api,
    get: () => data,
    subscribe: listener => {
      listeners.add(listener)

      return () => { listeners.delete(listener) }
    },
    refresh,
    start () {
      const controller = new AbortController()

      void run(controller.signal)

      return () => {
        controller.abort()
        clearTimeout(timer)
      }
    }
  }
}

async function pause (milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, milliseconds)

    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })
}
