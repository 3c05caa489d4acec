import { ApiError } from './api.ts'
import { readPayments, writePayments } from './payments.ts'
import type { Api } from './api.ts'
import type { AccountInfo, Payment } from './types.ts'
import type {
  AdapterView, AnswerView, BaseView, ContributionView, DatanetView, NodeEvent, NodeStatus, PresetView, ProposalView, TaskView, TrainingView
} from '../../interface/index.ts'

export type BlockEvent = Extract<NodeEvent, { type: 'block' }>

/** All that the page knows of its node; lists are undefined until they have been read once. */
export interface NodeData {
  connection: 'connecting' | 'live' | 'reconnecting' | 'unauthorized'
  status?: NodeStatus
  block?: BlockEvent
  wallet?: AccountInfo[]
  datanets?: DatanetView[]
  contributions?: ContributionView[]
  bases?: BaseView[]
  presets?: PresetView[]
  trainings?: TrainingView[]
  adapters?: AdapterView[]
  answers?: AnswerView[]
  tasks?: TaskView[]
  proposals?: ProposalView[]
  /** 0..1 by task, while this node recomputes it */
  recompute: Record<string, number>
  /** payments that belong to a task, as they were seen */
  payments: Payment[]
  /** what the node warned of, newest first */
  warnings: string[]
}

const resources = ['status', 'wallet', 'datanets', 'contributions', 'bases', 'presets', 'trainings', 'adapters', 'answers', 'tasks', 'proposals'] as const

export type Resource = typeof resources[number]

/** Events come in bursts, one per block: what they touch is read once per burst. */
const SETTLE_MS = 250

const RECONNECT_MS_MIN = 500
const RECONNECT_MS_MAX = 10_000
const WARNINGS_MAX = 20

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
      try {
        const value = await api.get(resource)

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

  async function run (signal: AbortSignal): Promise<void> {
    let wait = RECONNECT_MS_MIN

    while (!signal.aborted) {
      try {
        const onOpen = (): void => {
          wait = RECONNECT_MS_MIN
          patch({ connection: 'live' })
          // whatever happened while nobody listened
          refresh(...resources)
        }

        for await (const event of api.events({ signal, onOpen })) {
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

interface Effect {
  change?: Partial<NodeData>
  reread: Resource[]
}

const PAYMENTS_MAX = 2_000

/** What an event changes at once, and what has to be read again because of it. */
function effectOf (data: NodeData, event: NodeEvent): Effect {
  switch (event.type) {
    case 'block':
      return { change: { block: event, status: advance(data.status, event.height) }, reread: [] }
    case 'peer':
      return { reread: ['status'] }
    case 'datanet':
    case 'contribution':
      return { reread: ['datanets', 'contributions', 'wallet'] }
    case 'attestation':
      return { reread: ['contributions'] }
    case 'adapter':
      return { reread: ['adapters'] }
    case 'training':
      return { change: { trainings: merge(data.trainings ?? [], event.training, view => view.id) }, reread: event.training.state === 'done' ? ['adapters'] : [] }
    case 'answer':
      return { reread: ['answers', 'wallet'] }
    case 'task':
      return { change: { tasks: merge(data.tasks ?? [], event.task, view => view.task) }, reread: event.task.phase === 'settled' ? ['contributions', 'adapters', 'tasks'] : [] }
    case 'recompute':
      return { change: { recompute: { ...data.recompute, [event.task]: event.progress } }, reread: [] }
    case 'payment': {
      const { from, to, amount, reason, task } = event

      return {
        change: task == null ? undefined : { payments: [...data.payments, { from, to, amount, reason, task }].slice(-PAYMENTS_MAX) },
        reread: ['wallet', 'status']
      }
    }
    case 'proposal':
      return { reread: ['proposals', 'wallet'] }
    case 'params':
      return { change: data.status == null ? undefined : { status: { ...data.status, params: event.params } }, reread: ['proposals'] }
    case 'log':
      return event.level === 'info' ? { reread: [] } : { change: { warnings: [event.message, ...data.warnings].slice(0, WARNINGS_MAX) }, reread: [] }
  }
}

function advance (status: NodeStatus | undefined, height: number): NodeStatus | undefined {
  if (status == null) {
    return undefined
  }

  const epochBlocks = Number(status.params.epochBlocks)

  return { ...status, height, epoch: epochBlocks > 0 ? Math.floor(height / epochBlocks) : status.epoch }
}

/** The list with a newer version of one item; new items come first. */
function merge<T> (list: T[], item: T, key: (item: T) => string): T[] {
  return list.some(other => key(other) === key(item))
    ? list.map(other => key(other) === key(item) ? item : other)
    : [item, ...list]
}
