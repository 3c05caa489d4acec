import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DOWNLOAD_BYTES_MAX, REQUEST_TIMEOUT_MS, RESPONSE_BYTES_MAX } from './constants.ts'
import { NodeUnreachableError, RequestFailedError } from './errors.ts'
import type { NodeEvent } from '../interface/index.ts'

/** Where a running node listens; `api.json` in its data directory, readable by its owner alone. */
export interface ApiAddress {
  url: string
  token: string
}

export interface RequestOptions {
  signal?: AbortSignal
  timeoutMs?: number
}

/** The control API of one node. */
export interface NodeClient {
  readonly url: string
  readonly token: string
  get<T> (path: string, options?: RequestOptions): Promise<T>
  post<T> (path: string, body: unknown, options?: RequestOptions): Promise<T>
  /**
   * a file of at most DOWNLOAD_BYTES_MAX
   *
   * @throws {RequestFailedError}
   */
  download (path: string, options?: RequestOptions): Promise<Uint8Array>
  /** a file as it is */
  upload<T> (path: string, content: Uint8Array, options?: RequestOptions): Promise<T>
  delete<T> (path: string, options?: RequestOptions): Promise<T>
  /** Follows the node's events until the signal fires. */
  events (options: { signal: AbortSignal }): AsyncGenerator<NodeEvent>
}

/**
 * Finds the node that runs on a data directory.
 *
 * @throws {NodeUnreachableError}
 */
export async function connect (dataDir: string): Promise<NodeClient> {
  try {
    const address = JSON.parse(await readFile(join(dataDir, 'api.json'), 'utf8')) as ApiAddress

    return client(address, dataDir)
  } catch (cause) {
    throw new NodeUnreachableError(dataDir, cause)
  }
}

/** A client of a known address. */
export function client (address: ApiAddress, dataDir = address.url): NodeClient {
  const headers = { authorization: `Bearer ${address.token}` }

  async function request (method: string, path: string, body: { type: string, bytes: string | Uint8Array<ArrayBuffer> } | undefined, options: RequestOptions = {}): Promise<Response> {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? REQUEST_TIMEOUT_MS)
    let response: Response

    try {
      response = await fetch(new URL(path, address.url), {
        method,
        headers: body == null ? headers : { ...headers, 'content-type': body.type },
        body: body?.bytes,
        signal: options.signal == null ? timeout : AbortSignal.any([timeout, options.signal])
      })
    } catch (cause) {
      if (options.signal?.aborted === true) {
        throw options.signal.reason
      }

      if (timeout.aborted) {
        throw new RequestFailedError(504, 'ERR_TIMEOUT', `the node did not answer ${method} ${path} within ${(options.timeoutMs ?? REQUEST_TIMEOUT_MS) / 1000} s`, {
          cause,
          hint: 'the work may still be going on: look with `datanet status`'
        })
      }

      throw new NodeUnreachableError(dataDir, cause)
    }

    return response
  }

  async function send<T> (...args: Parameters<typeof request>): Promise<T> {
    return parse<T>(await request(...args), `${args[0]} ${args[1]}`)
  }

  return {
    url: address.url,
    token: address.token,
    get: async (path, options) => send('GET', path, undefined, options),
    post: async (path, value, options) => send('POST', path, { type: 'application/json', bytes: JSON.stringify(value) }, options),
    download: async (path, options) => bytesOf(await request('GET', path, undefined, options), `GET ${path}`),
    upload: async (path, content, options) => send('POST', path, { type: 'application/octet-stream', bytes: new Uint8Array(content) }, options),
    delete: async (path, options) => send('DELETE', path, undefined, options),
    events: options => follow(new URL('/api/v1/events', address.url), headers, options.signal, dataDir)
  }
}

/** A file, never more of it in memory than is allowed. */
async function bytesOf (response: Response, what: string): Promise<Uint8Array> {
  if (!response.ok || response.body == null) {
    await parse(response, what)
    throw new RequestFailedError(response.status, 'ERR_RESPONSE', `${what} answered with status ${response.status} and no file`)
  }

  const chunks: Uint8Array[] = []
  let length = 0

  for await (const chunk of response.body) {
    length += chunk.byteLength

    if (length > DOWNLOAD_BYTES_MAX) {
      throw new RequestFailedError(200, 'ERR_RESPONSE_TOO_LARGE', `${what} answered more than the ${DOWNLOAD_BYTES_MAX} bytes that are read`)
    }

    chunks.push(chunk)
  }

  return new Uint8Array(Buffer.concat(chunks))
}

async function parse<T> (response: Response, what: string): Promise<T> {
  const text = await response.text()

  if (text.length > RESPONSE_BYTES_MAX) {
    throw new RequestFailedError(200, 'ERR_RESPONSE_TOO_LARGE', `${what} answered ${text.length} characters, at most ${RESPONSE_BYTES_MAX} are read`)
  }

  let value: unknown

  try {
    value = text === '' ? undefined : JSON.parse(text)
  } catch (cause) {
    throw new RequestFailedError(response.status, 'ERR_RESPONSE', `${what} answered with status ${response.status} and something that is not JSON`, { cause, hint: 'another program may listen there: is the node that wrote api.json still running?' })
  }

  if (!response.ok) {
    const { error } = (value ?? {}) as { error?: { code?: string, message?: string, hint?: string } }

    throw new RequestFailedError(response.status, error?.code ?? 'ERR_HTTP', error?.message ?? `${what} answered with status ${response.status}`, { hint: error?.hint })
  }

  return value as T
}

/** Server-sent events of one `data:` line each. */
async function * follow (url: URL, headers: Record<string, string>, signal: AbortSignal, dataDir: string): AsyncGenerator<NodeEvent> {
  const response = await fetch(url, { headers, signal }).catch((cause: unknown) => {
    throw signal.aborted ? signal.reason : new NodeUnreachableError(dataDir, cause)
  })

  if (response.body == null || !response.ok) {
    throw new RequestFailedError(response.status, 'ERR_HTTP', `GET ${url.pathname} answered with status ${response.status}`)
  }

  let rest = ''

  for await (const text of untilItEnds(response.body.pipeThrough(new TextDecoderStream()), signal, dataDir)) {
    const lines = `${rest}${text}`.split('\n')

    rest = lines.pop() ?? ''

    for (const line of lines) {
      if (line.startsWith('data:')) {
        yield JSON.parse(line.slice(5)) as NodeEvent
      }
    }
  }
}

/** A node that is killed cuts the stream off, one that stops ends it. */
async function * untilItEnds (stream: ReadableStream<string>, signal: AbortSignal, dataDir: string): AsyncGenerator<string> {
  try {
    yield * stream
  } catch (cause) {
    throw signal.aborted ? signal.reason : new NodeUnreachableError(dataDir, cause)
  }
}
