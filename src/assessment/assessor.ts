import { randomBytes } from 'node:crypto'
import { readChain, readTask, readValidators, readPayout } from '../ledger/index.ts'
import { assessmentCommit, scoreTree, traceTree } from '../scoring/index.ts'
import { equalBytes, fromHex, toHex } from '../wire/index.ts'
import { assess } from './assess.ts'
import { ASSESSMENTS_KEPT_MAX, CLAIMS_PER_TRANSACTION, CLAIM_STAGGER_BLOCKS, FETCH_ATTEMPTS_MAX, SUBMIT_TIMEOUT_MS } from './constants.ts'
import { FalseReceiptError, ReceiptsUnavailableError } from './errors.ts'
import { journal } from './journal.ts'
import { serveScores } from './scores.ts'
import type { Assessor, AssessorEvent, Recomputer } from './interface.ts'
import type { Journal, SaltedAssessment } from './journal.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { Hash, ScoreTable, TaskState, TransactionBody } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Level } from 'level'

export interface AssessorInit {
  signer: Signer
  onEvent? (event: AssessorEvent): void
}

export interface AssessorComponents {
  network: Network
  chain: SettlementBackend
  storage: Pick<Storage, 'get'>
  training: Recomputer
  db: Level
}

/**
 * Takes its seat in every committee that the beacon draws it into: recompute, commit, reveal, open,
 * give a verdict where others dissent (validators), and claim for contributors when all is settled.
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

class AssessorService implements Assessor {
  private readonly init: AssessorInit
  private readonly components: AssessorComponents
  private readonly journal: Journal
  /** tasks that are being worked on */
  private readonly busy = new Map<string, Promise<void>>()
  /** tasks whose payouts are not all made */
  private readonly unpaid = new Map<string, { settledAt: number }>()
  private readonly attempts = new Map<string, number>()
  private controller = new AbortController()
  private started = false
  private readonly onBlock = (): void => { this.look() }

  constructor (init: AssessorInit, components: AssessorComponents) {
    this.init = init
    this.components = components
    this.journal = journal(components.db)
  }

  async start (): Promise<void> {
    if (this.started) {
      return
    }

    this.started = true
    this.controller = new AbortController()

    for (const task of await this.journal.tasks()) {
      this.unpaid.set(task, { settledAt: this.components.chain.height })
    }

    serveScores(this.components.network, async task => this.table(task))
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
    return (await this.journal.get(task))?.table
  }

  /** Looks at every open task and at those that still owe payouts; each is worked on by one at a time. */
  private look (): void {
    const { openTasks } = readChain(this.components.chain.state())
    const tasks = new Set([...openTasks.map(toHex), ...this.unpaid.keys()])

    for (const hex of tasks) {
      if (this.busy.has(hex)) {
        continue
      }

      const task = fromHex(hex)
      const work = this.act(task)
        .catch((error: unknown) => { this.report(task, error) })
        .finally(() => { this.busy.delete(hex) })

      this.busy.set(hex, work)
    }
  }

  private report (task: Hash, error: unknown): void {
    if (!this.controller.signal.aborted) {
      this.emit({ type: 'assessor:error', task, error: error instanceof Error ? error : new TypeError(String(error)) })
    }
  }

  private async act (task: Hash): Promise<void> {
    const state = readTask(this.components.chain.state(), task)
    const seat = state?.seats.find(({ assessor }) => equalBytes(assessor, this.init.signer.account))

    if (state == null) {
      return
    }

    if (state.phase === 'verdict') {
      await this.giveVerdict(task, state)
    } else if (state.phase === 'settled') {
      await this.claim(task, state)
    } else if (seat == null || seat.fault != null || seat.unavailable) {
      // not ours
    } else if (state.phase === 'commit' && seat.commit == null) {
      await this.commit(task, state)
    } else if (state.phase === 'reveal' && seat.commit != null && seat.scoreRoot == null) {
      await this.reveal(task)
    } else if (state.phase === 'open' && seat.scoreRoot != null && !seat.opened) {
      await this.open(task, state)
    }
  }

  private async commit (task: Hash, state: TaskState): Promise<void> {
    const assessment = await this.assessment(task, state)

    if (assessment == null) {
      return
    }

    const { chain } = this.components
    const { root, total, trace } = this.treesOf(assessment)
    const commit = assessmentCommit({
      chain: chain.id, epoch: state.epoch, task, scoreRoot: root, total, traceRoot: trace.root, traceLength: trace.length, salt: assessment.salt, assessor: this.init.signer.account
    })

    await this.send(task, { kind: 'commit', task, commit }, 'assessor:commit')
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

    await this.send(task, { kind: 'open', task, openings }, 'assessor:open')
  }

  /** After a dissent every validator recomputes the task and says which root is right. */
  private async giveVerdict (task: Hash, state: TaskState): Promise<void> {
    const { account } = this.init.signer
    const validates = readValidators(this.components.chain.state()).some(validator => equalBytes(validator.account, account))

    if (!validates || state.verdicts.some(({ validator }) => equalBytes(validator, account))) {
      return
    }

    const assessment = await this.assessment(task, state)

    if (assessment != null) {
      const { root, total } = this.treesOf(assessment)

      await this.send(task, { kind: 'verdict', task, scoreRoot: root, total }, 'assessor:verdict')
    }
  }

  /** Claims what contributors are owed; seats take turns so that one transaction does for all. */
  private async claim (task: Hash, state: TaskState): Promise<void> {
    const key = toHex(task)
    const { chain } = this.components
    const ledger = chain.state()
    const assessment = await this.journal.get(task)
    const seat = state.seats.findIndex(({ assessor }) => equalBytes(assessor, this.init.signer.account))

    if (assessment == null || seat < 0 || state.scoreRoot == null || !equalBytes(scoreTree(assessment.table).root, state.scoreRoot)) {
      this.unpaid.delete(key)
      return
    }

    const { settledAt } = this.unpaid.get(key) ?? { settledAt: chain.height }
    const tree = scoreTree(assessment.table)
    const owed = assessment.table.entries
      .map((entry, index) => ({ ...entry, index }))
      .filter(({ contribution, score }) => score > 0n && readPayout(ledger, task, contribution) == null)

    if (owed.length === 0) {
      this.unpaid.delete(key)
      return
    }

    this.unpaid.set(key, { settledAt })

    if (chain.height < settledAt + seat * CLAIM_STAGGER_BLOCKS) {
      return
    }

    for (let i = 0; i < owed.length; i += CLAIMS_PER_TRANSACTION) {
      const claims = owed.slice(i, i + CLAIMS_PER_TRANSACTION).map(({ index }) => tree.claim(index))

      await this.send(task, { kind: 'claim', task, claims }, 'assessor:claim')
    }
  }

  /** From the journal, or computed and journaled; nothing if the task cannot be computed, which is then reported. */
  private async assessment (task: Hash, state: TaskState): Promise<SaltedAssessment | undefined> {
    const known = await this.journal.get(task)

    if (known != null) {
      return known
    }

    const started = performance.now()
    this.emit({ type: 'assessor:recompute:start', task })

    try {
      const assessment = await assess(this.components, this.components.chain.id, task, state, this.init.signer, {
        signal: this.controller.signal,
        onProgress: ({ done, total }) => {
          if (done != null && total != null) {
            this.emit({ type: 'assessor:recompute:progress', task, done, total })
          }
        }
      })
      const salted = { ...assessment, salt: new Uint8Array(randomBytes(32)) }

      await this.forgetOld()
      await this.journal.put(task, salted)
      this.unpaid.set(toHex(task), { settledAt: this.components.chain.height })
      this.emit({ type: 'assessor:recompute:end', task, milliseconds: performance.now() - started })

      return salted
    } catch (err) {
      await this.unavailable(task, state, err)

      return undefined
    }
  }

  private async unavailable (task: Hash, state: TaskState, err: unknown): Promise<void> {
    const attempts = (this.attempts.get(toHex(task)) ?? 0) + 1
    const final = err instanceof FalseReceiptError || (err instanceof ReceiptsUnavailableError && attempts >= FETCH_ATTEMPTS_MAX)

    this.attempts.set(toHex(task), attempts)

    if (!final || state.phase !== 'commit') {
      throw err
    }

    this.attempts.delete(toHex(task))
    this.emit({ type: 'assessor:unavailable', task, reason: err.message })
    await this.send(task, { kind: 'report-unavailable', task }, 'assessor:error')
  }

  private async forgetOld (): Promise<void> {
    const tasks = await this.journal.tasks()

    for (const task of tasks.filter(task => !this.unpaid.has(task)).slice(0, Math.max(0, tasks.length - ASSESSMENTS_KEPT_MAX))) {
      await this.journal.delete(task)
    }
  }

  private treesOf ({ table, trace }: SaltedAssessment): { root: Hash, total: bigint, trace: ReturnType<typeof traceTree> } {
    const { root, total } = scoreTree(table)

    return { root, total, trace: traceTree(this.init.signer.account, trace) }
  }

  private async send (task: Hash, body: TransactionBody, type: 'assessor:commit' | 'assessor:reveal' | 'assessor:open' | 'assessor:verdict' | 'assessor:claim' | 'assessor:error'): Promise<void> {
    const signal = AbortSignal.any([this.controller.signal, AbortSignal.timeout(SUBMIT_TIMEOUT_MS)])
    const result = await this.components.chain.send(body, this.init.signer, { signal })

    // a refusal means that the phase moved on; the next look sees that
    if (result.ok && type !== 'assessor:error') {
      this.emit({ type, task })
    }
  }

  private emit (event: AssessorEvent): void {
    this.init.onEvent?.(event)
  }
}
