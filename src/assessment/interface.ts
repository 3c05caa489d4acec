import type { AbortOptions, Hash, ProgressOptions, PublishedAdapter, ReceiptOpening, ScoreTable, Startable } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What recomputes a task's scores; a `Training` fits. */
export interface Recomputer {
  assess (id: CID, adapter: PublishedAdapter, receipts: ReceiptOpening[], options?: RecomputeOptions): Promise<Assessment & { refused: CID[] }>

  /**
   * One step of the trace alone, for less work than all of it where that is possible. Behind the last
   * step is that of the result, `resultStep` of scoring.
   *
   * @returns null if the trace has no such step
   * @throws {DatanetError} `ERR_STEP_STATE` or `ERR_TRAINING_STATE` if `from` is not the state before the step
   */
  step? (id: CID, adapter: PublishedAdapter, receipts: ReceiptOpening[], index: number, options?: RecomputeOptions & { from?: Uint8Array }): Promise<Hash | null>

  /** The state that the step after `steps` starts from; its first bytes are `steps`. */
  stepState? (adapter: PublishedAdapter, receipts: ReceiptOpening[], steps: Hash[], options?: RecomputeOptions): Promise<Uint8Array>

  /** Bytes of such a state at most; 0 if step `index` needs none. */
  stepStateBytesMax? (adapter: PublishedAdapter, receipts: number, index: number, options?: AbortOptions): Promise<number>
}

export interface RecomputeOptions extends ProgressOptions<RecomputeEvent> {
  /** when a contribution was committed: of near duplicates the earliest is paid */
  commitmentOf? (contribution: CID): { height: number, index: number } | undefined
}

/** Whatever the recomputer tells; `done` and `total` are shown. */
export interface RecomputeEvent {
  type: string
  done?: number
  total?: number
}

/** What an assessor found out about a task, before it is committed. */
export interface Assessment {
  table: ScoreTable
  /** hash of every intermediate, in order: receipts, training, adjoints */
  trace: Hash[]
}

/** What an assessor sends, in the order of a task's phases. */
export type Act =
  | 'assessor:plant' | 'assessor:commit' | 'assessor:report' | 'assessor:judge-receipts' | 'assessor:reveal' | 'assessor:answer' | 'assessor:judge-step' | 'assessor:open'
  | 'assessor:verdict' | 'assessor:expose' | 'assessor:withdraw-plant' | 'assessor:claim'

export type AssessorEvent =
  | { type: 'assessor:recompute:start', task: Hash }
  | { type: 'assessor:recompute:progress', task: Hash, done: number, total: number }
  | { type: 'assessor:recompute:end', task: Hash, milliseconds: number }
  | { type: Act, task: Hash }
  /** the state of a step in dispute is there for the validators */
  | { type: 'assessor:publish', task: Hash }
  | { type: 'assessor:unavailable', task: Hash, reason: string }
  | { type: 'assessor:error', task: Hash, error: Error }

/** Takes its seat in every committee that it is drawn into. */
export interface Assessor extends Startable {
  /** the score table of a task that this node recomputed; a secret until the ledger has a result */
  table (task: Hash): Promise<ScoreTable | undefined>
}
