import { randomBytes } from 'node:crypto'
import PQueue from 'p-queue'
import { readChain, readTask } from '../ledger/index.ts'
import { DatanetError, toError } from '../utils/index.ts'
import { toHex } from '../wire/index.ts'
import { assess, assessStep, stepOf } from './assess.ts'
import { ASSESSMENTS_KEPT_MAX, FETCH_ATTEMPTS_MAX, FETCH_TIMEOUT_MS, RECOMPUTE_CONCURRENCY, REPORT_BLOCKS_BEFORE_DEADLINE } from './constants.ts'
import { judgesAloneAt } from './duties.ts'
import { FalseReceiptError, ReceiptsUnavailableError } from './errors.ts'
import type { AssessComponents } from './assess.ts'
import type { AssessorEvent } from './interface.ts'
import type { Journal, SaltedAssessment } from './journal.ts'
import type { StepStates } from './step-states.ts'
import type { Signer } from '../identity/index.ts'
import type { DisputeState, Hash, ReceiptsReport, TaskState } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'

/** Every honest assessor finds the same: another attempt gives nothing else. */
const lasting = new Set(['ERR_TRAINING_INPUT', 'ERR_ADAPTER_MISMATCH'])

/** A task that cannot be scored as it is; its seat should say why. */
export interface Unavailable {
  unavailable: string
  report: ReceiptsReport
}

export interface RecomputingComponents extends AssessComponents {
  chain: SettlementBackend
  journal: Journal
  states: Pick<StepStates, 'judge'>
  signer: Signer
  /** whether an assessment may be dropped to make room */
  mayForget (task: string): boolean
  emit (event: AssessorEvent): void
}

/** Assessments from the journal, or computed and journaled before anybody hears of them. */
export class Recomputing {
  readonly #components: RecomputingComponents
  readonly #queue = new PQueue({ concurrency: RECOMPUTE_CONCURRENCY })
  /** apart from the work: peers may take their time, and seats have deadlines */
  readonly #asking = new PQueue({ concurrency: RECOMPUTE_CONCURRENCY })
  readonly #attempts = new Map<string, number>()

  constructor (components: RecomputingComponents) {
    this.#components = components
  }

  /**
   * @returns undefined if the task moved on while it waited for its turn
   * @throws {Error} what went wrong, if it may go right the next time
   */
  async assessment (task: Hash, state: TaskState, signal: AbortSignal): Promise<SaltedAssessment | Unavailable | undefined> {
    const known = await this.#known(task, state)

    return known ?? this.#queue.add(async () => {
      signal.throwIfAborted()

      if (readTask(this.#components.chain.state(), task)?.phase !== state.phase) {
        return undefined
      }

      try {
        return await this.#compute(task, state, signal)
      } catch (err) {
        signal.throwIfAborted()

        return this.#judge(task, state, err)
      }
    })
  }

  /**
   * The step in dispute: from the journal, or computed alone from the state that a seat publishes, or
   * from everything before it once half of the time is over.
   *
   * @returns undefined if the task moved on, or nothing can be said yet
   */
  async step (task: Hash, state: TaskState, dispute: DisputeState, signal: AbortSignal): Promise<Hash | undefined> {
    const { chain, signer, states } = this.#components
    const known = await this.#known(task, state)

    if (known !== undefined) {
      return stepOf(known, dispute.agreed) ?? undefined
    }

    const hasMoved = (): boolean => readTask(chain.state(), task)?.phase !== state.phase
    const judge = async (from?: Uint8Array): Promise<Hash | null> => this.#queue.add(async () => {
      signal.throwIfAborted()

      return hasMoved() ? null : assessStep(this.#components, chain.state(), task, state, dispute.agreed, signer, { signal, from })
    })

    const alone = judgesAloneAt(state, readChain(chain.state()).params.verdictBlocks)
    const judged = await this.#asking.add(async () => hasMoved() ? null : this.#before(alone, async signal => states.judge(task, state, dispute, judge, { signal }), signal))

    if (judged === undefined && chain.height < alone) {
      return undefined
    }

    return (judged === undefined || judged === 'needless' ? await judge() : judged) ?? undefined
  }

  /**
   * What peers give by the time that this node has to do without: one that sends a state as slowly as
   * it can must not keep us from our own work. Who comes late asks for one request's time.
   *
   * @returns undefined if that time came first
   */
  async #before<T> (height: number, ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const { chain } = this.#components
    const over = new AbortController()
    const late = chain.height >= height ? [AbortSignal.timeout(FETCH_TIMEOUT_MS)] : []
    const onBlock = (): void => {
      if (chain.height >= height && late.length === 0) {
        over.abort()
      }
    }
    const bounded = AbortSignal.any([signal, over.signal, ...late])

    chain.addEventListener('block', onBlock)

    try {
      return await ask(bounded)
    } catch (err) {
      signal.throwIfAborted()

      if (bounded.aborted) {
        return undefined
      }

      throw err
    } finally {
      chain.removeEventListener('block', onBlock)
    }
  }

  /** From the journal, unless a redemption has left the task since. */
  async #known (task: Hash, state: TaskState): Promise<SaltedAssessment | undefined> {
    const known = await this.#components.journal.get(task)

    return known?.fees === state.fees ? known : undefined
  }

  async #compute (task: Hash, state: TaskState, signal: AbortSignal): Promise<SaltedAssessment> {
    const { chain, journal, signer, mayForget, emit } = this.#components
    const started = performance.now()

    emit({ type: 'assessor:recompute:start', task })

    const assessment = await assess(this.#components, chain.state(), task, state, signer, {
      signal,
      onProgress: ({ done, total }) => {
        if (done != null && total != null) {
          emit({ type: 'assessor:recompute:progress', task, done, total })
        }
      }
    })
    const salted = { ...assessment, salt: new Uint8Array(randomBytes(32)), fees: state.fees }

    await journal.keep(ASSESSMENTS_KEPT_MAX - 1, mayForget)
    await journal.put(task, state.epoch, salted)
    this.#attempts.delete(toHex(task))
    emit({ type: 'assessor:recompute:end', task, milliseconds: performance.now() - started })

    return salted
  }

  #judge (task: Hash, state: TaskState, err: unknown): Unavailable {
    const key = toHex(task)
    const attempts = (this.#attempts.get(key) ?? 0) + 1
    const isFinal = err instanceof FalseReceiptError ||
      (err instanceof DatanetError && lasting.has(err.code)) ||
      (err instanceof ReceiptsUnavailableError && attempts >= FETCH_ATTEMPTS_MAX) ||
      // better than to be taken for silent
      this.#components.chain.height >= state.deadline - REPORT_BLOCKS_BEFORE_DEADLINE

    if (!isFinal) {
      this.#attempts.set(key, attempts)
      throw err
    }

    this.#attempts.delete(key)

    return {
      unavailable: toError(err).message,
      report: {
        fault: err instanceof FalseReceiptError ? 'false' : 'missing',
        source: err instanceof FalseReceiptError || err instanceof ReceiptsUnavailableError ? err.source : null
      }
    }
  }
}
