import type { NodeData, Resource } from './node-data.ts'
import type { NodeEvent, NodeStatus } from '../../interface/index.ts'

export const WARNINGS_MAX = 20

interface Effect {
  change?: Partial<NodeData>
  reread: Resource[]
}

const PAYMENTS_MAX = 2_000

/**
 * What an event changes at once, and what has to be read again because of it.
 */
export function effectOf (data: NodeData, event: NodeEvent): Effect {
  // each entry gets the event of its own type, which the table's type says and the index cannot
  const effect = effects[event.type] as (data: NodeData, event: NodeEvent) => Effect | undefined

  return effect(data, event) ?? { reread: [] }
}

type Effects = { [T in NodeEvent['type']]: (data: NodeData, event: Extract<NodeEvent, { type: T }>) => Effect | undefined }

const effects: Effects = {
  block: (data, event) => ({ change: { block: event, status: advance(data.status, event.height) }, reread: [] }),
  peer: () => ({ reread: ['status'] }),
  datanet: () => ({ reread: ['datanets', 'contributions', 'wallet'] }),
  contribution: () => ({ reread: ['datanets', 'contributions', 'wallet'] }),
  attestation: () => ({ reread: ['contributions'] }),
  adapter: () => ({ reread: ['adapters'] }),
  training: (data, { training }) => ({
    change: { trainings: merge(data.trainings ?? [], training, view => view.id) },
    reread: training.state === 'done' ? ['adapters'] : []
  }),
  answer: () => ({ reread: ['answers', 'wallet'] }),
  task: (data, { task }) => ({
    change: { tasks: merge(data.tasks ?? [], task, view => view.task) },
    // payouts follow one by one
    reread: task.phase === 'settled' ? ['contributions', 'adapters', 'tasks'] : []
  }),
  recompute: (data, { task, progress }) => ({ change: { recompute: { ...data.recompute, [task]: progress } }, reread: [] }),
  payment: (data, { from, to, amount, reason, task }) => task == null
    ? { reread: ['wallet', 'status'] }
    : { change: { payments: [...data.payments, { from, to, amount, reason, task }].slice(-PAYMENTS_MAX) }, reread: reason === 'data' ? ['wallet', 'status', 'tasks', 'contributions'] : ['wallet', 'status'] },
  proposal: () => ({ reread: ['proposals', 'wallet'] }),
  params: ({ status }, { params }) => ({ change: status == null ? undefined : { status: { ...status, params } }, reread: ['proposals'] }),
  log: ({ warnings }, { level, message }) => level === 'info' ? undefined : { change: { warnings: [message, ...warnings].slice(0, WARNINGS_MAX) }, reread: [] }
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
