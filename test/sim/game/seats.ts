import { dutyOf } from '../../../src/assessment/index.ts'
import { listTasks, readPayout, readValidators } from '../../../src/ledger/index.ts'
import { assessmentCommit, chainTrace, resultStep, scoreTree, traceTree } from '../../../src/scoring/index.ts'
import { cidOf, equalBytes, hash, toHex, utf8 } from '../../../src/wire/index.ts'
import { compute, CONTRIBUTIONS, workOf } from './computation.ts'
import type { Truth, Work } from './computation.ts'
import type { Actor, Board, Kept } from './interface.ts'
import type { Duty } from '../../../src/assessment/index.ts'
import type { Hash, TaskState, TransactionBody } from '../../../src/interface/index.ts'
import type { LedgerState } from '../../../src/ledger/index.ts'
import type { ScoreTree, TraceTree } from '../../../src/scoring/index.ts'

export const CHAIN = 'game-1'

const tables = new WeakMap<Work, ScoreTree>()
const traces = new WeakMap<Work, TraceTree>()

/** The table of scores as the ledger knows it: root, total, claims. */
export const tableOf = (work: Work): ScoreTree => {
  const table = tables.get(work) ?? scoreTree({
    type: 'scores',
    version: 1,
    adapter: cidOf(utf8('adapter')),
    method: 'trajectory',
    engine: 'datanet-engine/1',
    entries: CONTRIBUTIONS.map((contribution, i) => ({ contribution, score: work.scores[i] }))
  })

  tables.set(work, table)

  return table
}

/** The trace of who keeps this work in its journal. */
const traceOf = ({ who }: Actor, work: Work): TraceTree => {
  const trace = traces.get(work) ?? traceTree(who.account, chainTrace(work.steps))

  traces.set(work, trace)

  return trace
}

export const truthOf = ({ truths }: Board, task: Hash, state: TaskState): Truth => {
  const key = `${toHex(task)}/${state.fees}`
  const truth = truths.get(key) ?? compute(task, state)

  truths.set(key, truth)

  return truth
}

const keep = (board: Board, actor: Actor, task: Hash, fees: bigint, truth: Truth): Kept => {
  const key = toHex(task)
  const known = actor.journal.get(key)

  if (known?.fees === fees) {
    return known
  }

  const name = toHex(actor.who.account)
  const made = { ...workOf(actor.character, truth, name, task), fees, salt: hash('salt', utf8(`${board.game.seed} ${board.random.below(1 << 30)} ${name}`)) }

  actor.journal.set(key, made)

  return made
}

/** A redemption that is still in the task. */
const anyPlace = ({ sources }: TaskState): number => sources.findIndex(({ fault }) => fault === null)

const commit = (board: Board, actor: Actor, id: Hash, task: TaskState): TransactionBody[] => {
  const truth = truthOf(board, id, task)
  const others = task.seats.filter(({ assessor, commit }) => commit !== null && !equalBytes(assessor, actor.who.account))

  if (actor.character === 'silent') {
    return []
  }

  const works = actor.character === 'honest' || actor.character === 'withholder'

  if (actor.character === 'denier' || (truth.receipts === 'missing' && works)) {
    return [{ kind: 'report-receipts', task: id, fault: 'missing', source: truth.receipts === 'missing' ? truth.place : anyPlace(task) }]
  }

  if (actor.character === 'slanderer' || (truth.receipts === 'false' && works)) {
    return [{ kind: 'report-receipts', task: id, fault: 'false', source: truth.receipts === 'false' ? truth.place : anyPlace(task) }]
  }

  if (actor.character === 'copier') {
    const [first] = others

    return first === undefined || first.commit === null ? [] : [{ kind: 'commit', task: id, fees: task.fees, commit: first.commit }]
  }

  const work = keep(board, actor, id, task.fees, truth)
  const { root: scoreRoot, total } = tableOf(work)
  const { root: traceRoot, length: traceLength } = traceOf(actor, work)

  return [{
    kind: 'commit',
    task: id,
    fees: work.fees,
    commit: assessmentCommit({ chain: CHAIN, epoch: task.epoch, task: id, scoreRoot, total, traceRoot, traceLength, salt: work.salt, assessor: actor.who.account })
  }]
}

/** Where a withholder stops, by task: before the reveal, before openings, or nowhere. */
const withholds = (actor: Actor, id: Hash, duty: Duty): boolean =>
  actor.character === 'withholder' && ['reveal', 'open', 'none'][hash('withhold', id, actor.who.account)[0] % 3] === duty

const reveal = (actor: Actor, id: Hash): TransactionBody[] => {
  const work = actor.journal.get(toHex(id))

  if (work === undefined) {
    return []
  }

  const { root: scoreRoot, total } = tableOf(work)
  const { root: traceRoot, length: traceLength } = traceOf(actor, work)

  return [{ kind: 'reveal', task: id, scoreRoot, total, traceRoot, traceLength, salt: work.salt }]
}

const open = (actor: Actor, id: Hash, { openings }: TaskState): TransactionBody[] => {
  const work = actor.journal.get(toHex(id))

  if (work === undefined) {
    return []
  }

  const trace = traceOf(actor, work)

  return [{ kind: 'open', task: id, openings: openings.filter(index => index < work.steps.length).map(index => trace.open(index)) }]
}

/** What a validator says of receipts that some call false. */
const judgeReceipts = (board: Board, { validator }: Actor, id: Hash, task: TaskState): TransactionBody[] => {
  const { judgements } = task
  const { receipts, place } = truthOf(board, id, task)
  const isFalse = (receipts === 'false') !== (validator === 'liar')

  if (validator === 'mute' || receipts === 'missing') {
    return []
  }

  const accused = receipts === 'false' ? place : anyPlace(task)
  const own = isFalse ? accused : null

  return [{ kind: 'judge-receipts', task: id, source: validator === 'echo' && judgements.length > 0 ? judgements[0].source : own }]
}

/** What a validator says in judgement of a task, or of the step in dispute. */
const judge = (board: Board, actor: Actor, id: Hash, task: TaskState, duty: 'verdict' | 'judge-step'): TransactionBody[] => {
  const { validator } = actor
  const truth = truthOf(board, id, task)

  if (validator === 'mute' || validator === null || (truth.receipts !== 'fine' && validator !== 'liar' && validator !== 'echo')) {
    return []
  }

  const work = validator === 'liar' ? workOf('colluder', truth, '', id) : truth
  const [firstVerdict] = task.verdicts
  const [firstStep] = task.dispute?.steps ?? []

  if (duty === 'verdict') {
    const { root, total } = tableOf(work)
    const { scoreRoot, total: sum } = validator === 'echo' && firstVerdict !== undefined ? firstVerdict : { scoreRoot: root, total }

    return [{ kind: 'verdict', task: id, scoreRoot, total: sum }]
  }

  // behind the last step is the result
  const own = work.steps.at(task.dispute?.agreed ?? 0) ?? resultStep(tableOf(work).root, tableOf(work).total)

  return [{ kind: 'judge-step', task: id, step: validator === 'echo' && firstStep !== undefined ? firstStep.step : own }]
}

const claim = (actor: Actor, id: Hash, { scoreRoot }: TaskState, view: LedgerState): TransactionBody[] => {
  const work = actor.journal.get(toHex(id))

  if (work === undefined || scoreRoot === null) {
    return []
  }

  const tree = tableOf(work)

  if (!equalBytes(tree.root, scoreRoot)) {
    return []
  }

  const owed = work.scores.flatMap((score, i) => score > 0n && readPayout(view, id, CONTRIBUTIONS[i]) === undefined ? [i] : [])

  return owed.length === 0 ? [] : [{ kind: 'claim', task: id, claims: owed.map(i => tree.claim(i)) }]
}

const lists = new WeakMap<LedgerState, Array<{ task: Hash, state: TaskState }>>()

/** All tasks; read once for each state, since everybody looks at the same ones. */
export const tasksIn = (state: LedgerState): Array<{ task: Hash, state: TaskState }> => {
  const list = lists.get(state) ?? [...listTasks(state)]

  lists.set(state, list)

  return list
}

/** What an actor sends about a task, seeing the ledger as it is in `view`. */
export const play = (board: Board, actor: Actor, { task: id, state: task }: { task: Hash, state: TaskState }, view: LedgerState): TransactionBody[] => {
  const isValidator = actor.validator !== null && readValidators(view).some(({ account }) => equalBytes(account, actor.who.account))
  const duty = dutyOf(task, actor.who.account, isValidator)

  if (duty === null || withholds(actor, id, duty)) {
    return []
  }

  switch (duty) {
    case 'commit': return commit(board, actor, id, task)
    case 'reveal': return reveal(actor, id)
    case 'open': return open(actor, id, task)
    case 'claim': return claim(actor, id, task, view)
    case 'judge-receipts': return judgeReceipts(board, actor, id, task)
    default: return judge(board, actor, id, task, duty)
  }
}
