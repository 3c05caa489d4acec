import { readChain, readTask, readValidators } from '../ledger/index.ts'
import { assessmentCommit, chainTrace, scoreTree, traceTree } from '../scoring/index.ts'
import { toError } from '../utils/index.ts'
import { equalBytes, fromHex, toHex } from '../wire/index.ts'
import { owedClaims } from './claims.ts'
import { CLAIM_STAGGER_BLOCKS, SUBMIT_TIMEOUT_MS } from './constants.ts'
import { dutyOf } from './duties.ts'
import { journal } from './journal.ts'
import { Planter } from './planter.ts'
import { Recomputing } from './recompute.ts'
import { serveScores } from './scores.ts'
import { StepStates } from './step-states.ts'
import type { AssessComponents } from './assess.ts'
import type { Act, Assessor, AssessorEvent } from './interface.ts'
import type { Journal, SaltedAssessment } from './journal.ts'
import type { Signer } from '../identity/index.ts'
import type { Hash, ScoreTable, TaskState, TransactionBody } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Level } from 'level'

export interface AssessorInit {
  signer: Signer
  onEvent? (event: AssessorEvent): void
}

export interface AssessorComponents extends AssessComponents {
  chain: SettlementBackend
  db: Level
}

/**
 * Takes its seat in every committee that the beacon draws it into: recompute, commit, reveal, open,
 * answer disputes, judge the step they come down to or the whole task (validators), plant answers when it is its turn, and claim for contributors when all is settled.
 * What it does follows from the ledger and its journal alone, so it goes on where it was after a
 * restart.
 *
 * @example
 * ```ts
 * const seat = assessor({ signer })({ network, chain, storage, training, db })
 * await seat.start()
 * ```
 */
export function assessor (init: AssessorInit): (components: AssessorComponents) => Assessor {
  return components => new AssessorService(init, components)
}

/** Of errors while planting: which task it is about is a secret. */
const NO_TASK = new Uint8Array(32)

class AssessorService implements Assessor {
  private readonly init: AssessorInit
  private readonly components: AssessorComponents
  private readonly journal: Journal
  private readonly states: StepStates
  private readonly recomputing: Recomputing
  private readonly planter: Planter
  /** what is being worked on: tasks by their ids, and plants */
  private readonly busy = new Map<string, Promise<void>>()
  /** tasks that this node assessed and whose payouts are not all made, with the height at which they were seen settled */
  private readonly unpaid = new Map<string, number | null>()
  private controller = new AbortController()
  private started = false
  private served = false
  private readonly onBlock = (): void => { this.look() }

  constructor (init: AssessorInit, components: AssessorComponents) {
    this.init = init
    this.components = components
    this.journal = journal(components.db)
    this.states = new StepStates({ ...components, journal: this.journal, signer: init.signer })
    this.recomputing = new Recomputing({
      ...components,
      journal: this.journal,
      states: this.states,
      signer: init.signer,
      mayForget: task => !this.unpaid.has(task),
      emit: event => { this.emit(event) }
    })
    this.planter = new Planter({
      ...components,
      signer: init.signer,
      recomputing: this.recomputing,
      send: async (task, body, type) => this.send(task, body, type)
    })
  }

  async start (): Promise<void> {
    if (this.started) {
      return
    }

    this.started = true
    this.controller = new AbortController()

    for (const task of await this.journal.tasks()) {
      this.unpaid.set(task, null)
    }

    // a network has no way back from a registration
    if (!this.served) {
      this.served = true
      serveScores(this.components.network, async task => this.started ? this.table(task) : undefined)
      this.states.serve()
    }

    this.components.chain.addEventListener('block', this.onBlock)
    this.look()
  }

  async stop (): Promise<void> {
    if (!this.started) {
      return
    }

    this.started = false
    this.components.chain.removeEventListener('block', this.onBlock)
    this.controller.abort()
    await Promise.allSettled(this.busy.values())
  }

  async table (task: Hash): Promise<ScoreTable | undefined> {
    // before, whoever asks could commit, plant or give a verdict without the work
    const isAgreed = readTask(this.components.chain.state(), task)?.scoreRoot != null

    return isAgreed ? (await this.journal.get(task))?.table : undefined
  }

  /** Looks at every open task and at those that still owe payouts; each is worked on by one at a time. */
  private look (): void {
    const { openTasks } = readChain(this.components.chain.state())
    const tasks = new Set([...openTasks.map(toHex), ...this.unpaid.keys()])

    for (const hex of tasks) {
      const task = fromHex(hex)

      this.once(hex, task, async () => this.act(task))
      // beside what it judges as a validator
      this.once(`state/${hex}`, task, async () => this.publish(task))
    }

    // beside the tasks: planting takes as long as an assessment
    this.once('plant', NO_TASK, async () => this.planter.plant(this.controller.signal))
    this.once('follow', NO_TASK, async () => this.planter.follow())
  }

  /** Unless it is being done already. */
  private once (key: string, task: Hash, job: () => Promise<void>): void {
    if (this.busy.has(key)) {
      return
    }

    const work = job()
      .catch((error: unknown) => { this.report(task, error) })
      .finally(() => { this.busy.delete(key) })

    this.busy.set(key, work)
  }

  private report (task: Hash, error: unknown): void {
    if (!this.controller.signal.aborted) {
      this.emit({ type: 'assessor:error', task, error: toError(error) })
    }
  }

  private async act (task: Hash): Promise<void> {
    const state = readTask(this.components.chain.state(), task)

    if (state == null || state.phase === 'unavailable') {
      this.unpaid.delete(toHex(task))
      return
    }

    switch (dutyOf(state, this.init.signer.account, this.validates())) {
      case 'commit': return this.commit(task, state)
      case 'reveal': return this.reveal(task)
      case 'open': return this.open(task, state)
      case 'verdict': return this.giveVerdict(task, state)
      case 'judge-step': return this.judgeStep(task, state)
      case 'judge-receipts': return this.judgeReceipts(task, state)
      case 'claim': return this.claim(task, state)
      default:
    }
  }

  /** As a seat in a dispute: the state of the step that it came down to. */
  private async publish (task: Hash): Promise<void> {
    const state = readTask(this.components.chain.state(), task)

    if (state != null && await this.states.publish(task, state, this.controller.signal)) {
      this.emit({ type: 'assessor:publish', task })
    }
  }

  private async commit (task: Hash, state: TaskState): Promise<void> {
    const assessment = await this.recomputing.assessment(task, state, this.controller.signal)

    if (assessment == null) {
      return
    }

    if ('unavailable' in assessment) {
      this.emit({ type: 'assessor:unavailable', task, reason: assessment.unavailable })
      await this.send(task, { kind: 'report-receipts', task, ...assessment.report }, 'assessor:report')
      return
    }

    this.unpaid.set(toHex(task), null)

    const { root, total, trace } = this.treesOf(assessment)
    const commit = assessmentCommit({
      chain: this.components.chain.id,
      epoch: state.epoch,
      task,
      scoreRoot: root,
      total,
      traceRoot: trace.root,
      traceLength: trace.length,
      salt: assessment.salt,
      assessor: this.init.signer.account
    })

    await this.send(task, { kind: 'commit', task, fees: assessment.fees, commit }, 'assessor:commit')
  }

  private async reveal (task: Hash): Promise<void> {
    const assessment = await this.journal.get(task)

    // a commit of ours that we know nothing of: another node has our key
    if (assessment == null) {
      return
    }

    const { root, total, trace } = this.treesOf(assessment)

    await this.send(task, { kind: 'reveal', task, scoreRoot: root, total, traceRoot: trace.root, traceLength: trace.length, salt: assessment.salt }, 'assessor:reveal')
  }

  private async open (task: Hash, state: TaskState): Promise<void> {
    const assessment = await this.journal.get(task)

    if (assessment == null) {
      return
    }

    const { trace } = this.treesOf(assessment)
    const openings = state.openings.map(index => trace.open(index))

    await this.send(task, { kind: 'open', task, openings }, state.phase === 'dispute' ? 'assessor:answer' : 'assessor:open')
  }

  /** After a dispute every validator recomputes the one step at which the traces part. */
  private async judgeStep (task: Hash, state: TaskState): Promise<void> {
    const { dispute } = state

    if (dispute == null) {
      return
    }

    const step = await this.recomputing.step(task, state, dispute, this.controller.signal)

    if (step != null) {
      await this.send(task, { kind: 'judge-step', task, step }, 'assessor:judge-step')
    }
  }

  /** Where seats call receipts false and others do not, every validator looks at all of them. */
  private async judgeReceipts (task: Hash, state: TaskState): Promise<void> {
    const assessment = await this.recomputing.assessment(task, state, this.controller.signal)
    const found = assessment != null && 'unavailable' in assessment ? assessment.report : undefined

    // of what is missing nobody can say whether it is true
    if (assessment != null && found?.fault !== 'missing') {
      await this.send(task, { kind: 'judge-receipts', task, source: found?.source ?? null }, 'assessor:judge-receipts')
    }
  }

  private validates (): boolean {
    return readValidators(this.components.chain.state()).some(validator => equalBytes(validator.account, this.init.signer.account))
  }

  /** Where no single step tells, every validator recomputes the task and says which root is right. */
  private async giveVerdict (task: Hash, state: TaskState): Promise<void> {
    const assessment = await this.recomputing.assessment(task, state, this.controller.signal)

    if (assessment != null && !('unavailable' in assessment)) {
      const { root, total } = this.treesOf(assessment)

      await this.send(task, { kind: 'verdict', task, scoreRoot: root, total }, 'assessor:verdict')
    }
  }

  /** Claims what contributors are owed; seats take turns so that one transaction does for all. */
  private async claim (task: Hash, state: TaskState): Promise<void> {
    const key = toHex(task)
    const { chain } = this.components
    const seat = state.seats.findIndex(({ assessor }) => equalBytes(assessor, this.init.signer.account))
    const assessment = seat < 0 ? undefined : await this.journal.get(task)
    const claims = assessment == null ? null : owedClaims(chain.state(), task, state, assessment.table)

    if (claims == null || claims.length === 0) {
      this.unpaid.delete(key)
      return
    }

    const settledAt = this.unpaid.get(key) ?? chain.height

    this.unpaid.set(key, settledAt)

    if (chain.height < settledAt + seat * CLAIM_STAGGER_BLOCKS) {
      return
    }

    for (const body of claims) {
      await this.send(task, body, 'assessor:claim')
    }
  }

  private treesOf ({ table, trace }: SaltedAssessment): { root: Hash, total: bigint, trace: ReturnType<typeof traceTree> } {
    const { root, total } = scoreTree(table)

    return { root, total, trace: traceTree(this.init.signer.account, chainTrace(trace)) }
  }

  /** Whether the ledger took it. */
  private async send (task: Hash, body: TransactionBody, type: Act): Promise<boolean> {
    const signal = AbortSignal.any([this.controller.signal, AbortSignal.timeout(SUBMIT_TIMEOUT_MS)])
    const result = await this.components.chain.send(body, this.init.signer, { signal })

    // a refusal means that the phase moved on; the next look sees that
    if (result.ok) {
      this.emit({ type, task })
    }

    return result.ok
  }

  private emit (event: AssessorEvent): void {
    this.init.onEvent?.(event)
  }
}
