/** A service with a lifecycle. Constructors do no I/O; both methods are safe to repeat. */
export interface Startable {
  start (options?: AbortOptions): Promise<void>
  stop (options?: AbortOptions): Promise<void>
}

export interface AbortOptions {
  signal?: AbortSignal
}

/** Options of work that people watch. */
export interface ProgressOptions<Event> extends AbortOptions {
  onProgress? (event: Event): void
}
