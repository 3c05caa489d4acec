/**
 * Which redemptions an adapter's task of an epoch is about. A task is bounded, since its seats replay
 * every receipt, so a redemption that pays more for its part of a task takes the place of those that
 * pay the least. Else whoever fills a task with receipts of his own at one base unit each would make
 * all others wait.
 *
 * What finds no place, or gives way, loses nothing: it waits with its fees and its bond, whatever
 * becomes of its channel, and is in the adapter's next task before anybody redeems into that, the best
 * paid first. There it may give way again. So to delay an honest redemption one has to outbid it for
 * all parts of the task, in every epoch: with receipts that hold, whose fees are divided among others,
 * or with made up ones, whose fees and bonds are locked for as long as committees look at them, and are
 * lost unless some of the seats get them.
 */
import { CID } from 'multiformats/cid'
import { taskId } from '../scoring/index.ts'
import { OPEN_TASKS_MAX, TASK_PART_RECEIPTS_MIN, TASK_RECEIPTS_MAX, TASK_SOURCES_MAX } from './constants.ts'
import { stateKeys, statePrefixes } from './keys.ts'
import { announce, getChain, getTask, patchChain, putTask } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Amount, TaskSource, TaskState } from '../interface/index.ts'

/** Adds a redemption to the adapter's task of the running epoch, or to those that wait for the next. */
export function joinTask (draft: Draft, adapter: CID, source: TaskSource): void {
  const { chain, epoch } = getChain(draft)
  const id = taskId(chain, epoch, adapter)
  const task = getTask(draft, id) ?? beginTask(draft, adapter)
  const all = [...task?.sources ?? [], source]
  const taken = task === undefined ? new Set<TaskSource>() : bestOf(all)

  announce(draft, source.channel, id, source.fees, 'escrow', id)
  announce(draft, source.gateway, id, source.bond, 'bond', id)

  if (task !== undefined) {
    putTask(draft, id, withSources(task, all.filter(one => taken.has(one))))
  }

  for (const one of all.filter(one => !taken.has(one))) {
    draft.put(stateCodecs.waiting, stateKeys.waiting(adapter, partFee(one), one), one)
    announce(draft, id, one.channel, one.fees + one.bond, 'escrow', id)
  }
}

/** At a cutoff, when the next epoch runs: what waits is in that epoch's tasks first. */
export function beginTasks (draft: Draft): void {
  for (const adapter of waitingAdapters(draft)) {
    if (beginTask(draft, adapter) === undefined) {
      return
    }
  }
}

/** Adapters for whose next task redemptions wait: one look at the state for each, however many wait for it. */
function * waitingAdapters (draft: Draft): IterableIterator<CID> {
  for (let from: string = statePrefixes.waiting; ;) {
    const [key] = draft.keys(statePrefixes.waiting, 1, from)

    if (key === undefined) {
      return
    }

    const adapter = CID.parse(key.slice(statePrefixes.waiting.length).split('/')[0])

    yield adapter
    from = stateKeys.waitingAfter(adapter)
  }
}

/**
 * The adapter's task of the running epoch, with what waits for it.
 *
 * @returns undefined if OPEN_TASKS_MAX tasks are not settled: what waits goes on waiting
 */
function beginTask (draft: Draft, adapter: CID): TaskState | undefined {
  const { chain, epoch, openTasks } = getChain(draft)

  if (openTasks.length >= OPEN_TASKS_MAX) {
    return undefined
  }

  const id = taskId(chain, epoch, adapter)
  const waiting = draft.keys(stateKeys.waitingFor(adapter), TASK_SOURCES_MAX).flatMap(key => {
    const source = draft.get(stateCodecs.waiting, key)

    return source === undefined ? [] : [{ key, source }]
  })
  const taken = bestOf(waiting.map(({ source }) => source))
  const begun = waiting.filter(({ source }) => taken.has(source))
  const task = withSources(newTask(adapter, epoch), begun.map(({ source }) => source))

  patchChain(draft, { openTasks: [...openTasks, id] })
  draft.emit({ type: 'task', task: id, adapter, epoch, phase: 'collecting' })
  putTask(draft, id, task)

  for (const { key, source } of begun) {
    draft.delete(key)
    announce(draft, source.channel, id, source.fees + source.bond, 'escrow', id)
  }

  return task
}

/** Those that a task has room for, the best paid first; of equals the one that came first. */
function bestOf (sources: TaskSource[]): Set<TaskSource> {
  const best = new Set<TaskSource>()
  let receipts = 0

  for (const one of sources.toSorted((a, b) => compare(partFee(b), partFee(a)))) {
    if (best.size < TASK_SOURCES_MAX && receipts + one.receipts <= TASK_RECEIPTS_MAX) {
      best.add(one)
      receipts += one.receipts
    }
  }

  return best
}

/**
 * What a redemption pays for its part of a task, in 2^-32 base units a receipt. A redemption takes a
 * place as well, of which there are fewer: so it counts as TASK_PART_RECEIPTS_MIN receipts at least.
 */
function partFee ({ fees, receipts }: TaskSource): bigint {
  return (fees << 32n) / BigInt(Math.max(receipts, TASK_PART_RECEIPTS_MIN))
}

function compare (a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b)
}

function withSources (task: TaskState, sources: TaskSource[]): TaskState {
  return { ...task, fees: sources.reduce((sum: Amount, { fees }) => sum + fees, 0n), sources }
}

function newTask (adapter: CID, epoch: number): TaskState {
  return {
    adapter,
    epoch,
    phase: 'collecting',
    deadline: 0,
    redraws: 0,
    rollovers: 0,
    fees: 0n,
    sources: [],
    seats: [],
    verdicts: [],
    judgements: [],
    scoreRoot: null,
    total: 0n,
    openings: [],
    revealedAt: 0,
    dispute: null,
    challenge: null,
    feeSplit: null,
    dataPool: 0n,
    paid: 0n
  }
}
