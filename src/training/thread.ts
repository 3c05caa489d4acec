import { Worker } from 'node:worker_threads'
import { toError } from '../utils/index.ts'
import { WorkerFailedError, WorkerLostError } from './errors.ts'
import type { WorkerPart, WorkerReply, WorkerRequest, WorkerResult, WorkerTask } from './messages.ts'
import type { AbortOptions } from '../interface/index.ts'

// from sources Node strips the types, from dist it finds the compiled file
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

export interface RunOptions extends AbortOptions {
  onPart? (part: WorkerPart): void
  onProgress? (step: number): void
  /**
   * How much longer than `stallTimeoutMs` the thread may be silent, of work without a pause.
   *
   * @default 0
   */
  silenceMs?: number
}

interface Pending extends RunOptions {
  resolve (result: WorkerResult): void
  reject (err: unknown): void
}

/** One worker thread as promises. A thread that fails or goes silent rejects all that waits for it. */
export class Thread {
  readonly #worker = new Worker(ENTRY)
  readonly #pending = new Map<number, Pending>()
  readonly #stallTimeoutMs: number
  #watchdog?: NodeJS.Timeout
  #lost?: WorkerLostError
  #next = 0

  constructor (stallTimeoutMs: number) {
    this.#stallTimeoutMs = stallTimeoutMs
    this.#worker.on('message', (reply: WorkerReply) => { this.#receive(reply) })
    this.#worker.on('error', err => { this.#lose(`failed (${toError(err).message})`) })
    this.#worker.on('exit', () => { this.#lose('ended') })
    // a job that was dropped must not keep the process alive
    this.#worker.unref()
  }

  /** Runs a task; its parts arrive in the order in which the thread makes them. */
  async run (task: WorkerTask, options: RunOptions = {}): Promise<WorkerResult> {
    options.signal?.throwIfAborted()

    if (this.#lost !== undefined) {
      throw this.#lost
    }

    const id = this.#next++
    const onAbort = (): void => {
      this.#post({ id, cancel: true })
      this.#pending.get(id)?.reject(options.signal?.reason)
      this.#settle(id)
    }

    options.signal?.addEventListener('abort', onAbort, { once: true })
    this.#worker.ref()

    try {
      return await new Promise<WorkerResult>((resolve, reject) => {
        this.#pending.set(id, { ...options, resolve, reject })
        this.#watch()
        this.#post({ id, task })
      })
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
    }
  }

  async close (): Promise<void> {
    this.#lose('was closed')
    await this.#worker.terminate()
  }

  #post (request: WorkerRequest): void {
    this.#worker.postMessage(request)
  }

  #receive (reply: WorkerReply): void {
    if (this.#pending.size > 0) {
      this.#watch()
    }

    if ('alive' in reply) {
      return
    }

    const pending = this.#pending.get(reply.id)

    // a task that was cancelled may still have something to say
    if (pending === undefined) {
      return
    }

    try {
      if ('part' in reply) {
        pending.onPart?.(reply.part)
      } else if ('progress' in reply) {
        pending.onProgress?.(reply.progress)
      } else if ('result' in reply) {
        pending.resolve(reply.result)
        this.#settle(reply.id)
      } else {
        throw new WorkerFailedError(reply.error.code, reply.error.message)
      }
    } catch (err) {
      this.#post({ id: reply.id, cancel: true })
      pending.reject(err)
      this.#settle(reply.id)
    }
  }

  #settle (id: number): void {
    this.#pending.delete(id)

    if (this.#pending.size === 0) {
      clearTimeout(this.#watchdog)
      this.#worker.unref()
    }
  }

  #watch (): void {
    const silenceMs = Math.max(0, ...Array.from(this.#pending.values(), pending => pending.silenceMs ?? 0))
    // a timer takes no more than 31 bits
    const timeoutMs = Math.min(this.#stallTimeoutMs + silenceMs, 0x7fff_ffff)

    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => {
      this.#lose(`was silent for ${timeoutMs} ms`)
      void this.#worker.terminate()
    }, timeoutMs)
  }

  #lose (reason: string): void {
    clearTimeout(this.#watchdog)
    this.#lost ??= new WorkerLostError(reason)

    for (const { reject } of this.#pending.values()) {
      reject(this.#lost)
    }

    this.#pending.clear()
  }
}
