import type { NodeEvent } from '../../interface/index.ts'

/** What the node answered instead; message and hint are meant for people. */
export class ApiError extends Error {
  readonly code: string
  readonly hint?: string
  readonly status: number

  constructor (status: number, code: string, message: string, hint?: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.hint = hint
  }
}

export interface Api {
  get<T> (path: string): Promise<T>
  post<T> (path: string, body: unknown): Promise<T>
  upload<T> (path: string, file: Blob): Promise<T>
  remove<T> (path: string): Promise<T>
  /** Follows the node's events until the signal fires or the connection ends. */
  events (options: { signal: AbortSignal, onOpen(): void }): AsyncGenerator<NodeEvent>
}

/** An answer to a question may take this long on a busy machine; the node gives up earlier. */
const PATIENCE_MS = 180_000

/** The node sends a comment every 15 s: a stream that is silent for longer is dead. */
const SILENCE_MS = 40_000

export function nodeApi (token: string): Api {
  const headers = { authorization: `Bearer ${token}` }

  async function send<T> (method: string, path: string, type?: string, body?: BodyInit): Promise<T> {
    let response: Response

    try {
      response = await fetch(`/api/v1/${path}`, {
        method,
        headers: type == null ? headers : { ...headers, 'content-type': type },
        body,
        signal: AbortSignal.timeout(PATIENCE_MS)
      })
    } catch (err) {
      throw err instanceof DOMException && err.name === 'TimeoutError'
        ? new ApiError(504, 'ERR_TIMEOUT', 'The node did not answer in time.', 'The work may still be going on; look again in a moment.')
        : new ApiError(0, 'ERR_UNREACHABLE', 'The node does not answer.', 'Is it still running? This page reconnects by itself.')
    }

    const value: unknown = await response.json().catch(() => undefined)

    if (!response.ok) {
      const { error } = (value ?? {}) as { error?: { code: string, message: string, hint?: string } }

      throw new ApiError(response.status, error?.code ?? 'ERR_HTTP', error?.message ?? `The node answered with status ${response.status}.`, error?.hint)
    }

    return value as T
  }

  return {
    get: async path => send('GET', path),
    post: async (path, body) => send('POST', path, 'application/json', JSON.stringify(body)),
    upload: async (path, file) => send('POST', path, 'application/octet-stream', file),
    remove: async path => send('DELETE', path),
    events: ({ signal, onOpen }) => follow(headers, signal, onOpen)
  }
}

/** EventSource cannot send the token, so the stream is read by hand. */
async function * follow (headers: Record<string, string>, signal: AbortSignal, onOpen: () => void): AsyncGenerator<NodeEvent> {
  const silence = new AbortController()
  const either = AbortSignal.any([signal, silence.signal])
  const response = await fetch('/api/v1/events', { headers, signal: either })

  if (!response.ok || response.body == null) {
    throw new ApiError(response.status, response.status === 401 ? 'ERR_UNAUTHORIZED' : 'ERR_HTTP', `The node answered with status ${response.status}.`)
  }

  onOpen()

  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''

  for (;;) {
    const timer = setTimeout(() => { silence.abort() }, SILENCE_MS)
    const { value, done } = await reader.read().finally(() => { clearTimeout(timer) })

    if (done) {
      return
    }

    const lines = `${rest}${value}`.split('\n')

    rest = lines.pop() ?? ''

    for (const line of lines) {
      if (line.startsWith('data:')) {
        yield JSON.parse(line.slice(5)) as NodeEvent
      }
    }
  }
}
