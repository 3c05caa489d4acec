import { lpStream } from '@libp2p/utils'
import { AbortError } from 'abort-error'
import { DatanetError, toError } from '../utils/index.ts'
import { ERROR_BYTES_MAX, REQUEST_TIMEOUT_MS, STREAMS_PER_PEER_MAX, TOPIC_BYTES_MAX } from './constants.ts'
import { BusyError, DuplicateRegistrationError, MalformedResponseError, MessageTooLargeError, RequestFailedError } from './errors.ts'
import { endFrame, errorFrame, messageFrame, readFrame } from './frames.ts'
import type { HandlerOptions, NodeLibp2p, RequestHandler, RequestOptions } from './interface.ts'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import type { LengthPrefixedStream } from '@libp2p/utils'

export interface Requests {
  handle (protocol: string, options: HandlerOptions, handler: RequestHandler): void
  requestMany (peer: PeerId, protocol: string, request: Uint8Array, options?: RequestOptions): AsyncGenerator<Uint8Array>
  request (peer: PeerId, protocol: string, request: Uint8Array, options?: RequestOptions): Promise<Uint8Array>
  attach (libp2p: NodeLibp2p): Promise<void>
  detach (): void
}

interface Service {
  options: HandlerOptions
  handler: RequestHandler
  serving: number
}

async function writeAnswer (protocol: string, service: Service, frames: LengthPrefixedStream, request: Uint8Array, peer: PeerId, signal: AbortSignal): Promise<void> {
  const answer = service.handler(request, { peer, signal })

  const check = (message: Uint8Array): Uint8Array => {
    if (message.byteLength > service.options.responseBytesMax) {
      throw new MessageTooLargeError(protocol, message.byteLength, service.options.responseBytesMax)
    }
    return messageFrame(message)
  }

  if (Symbol.asyncIterator in answer) {
    for await (const message of answer) {
      signal.throwIfAborted()
      await frames.write(check(message), { signal })
    }
    await frames.write(endFrame(), { signal })
  } else {
    await frames.writeV([check(await answer), endFrame()], { signal })
  }
}

/** Serves one stream: one request, its answer, the end. */
async function serve (protocol: string, service: Service, stream: Stream, connection: Connection): Promise<void> {
  const { requestBytesMax, timeoutMs = REQUEST_TIMEOUT_MS, concurrency = 32 } = service.options
  const closed = new AbortController()
  stream.addEventListener('close', () => { closed.abort() }, { once: true })
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), closed.signal])
  const frames = lpStream(stream, { maxDataLength: requestBytesMax, maxBufferSize: requestBytesMax + 16 })

  service.serving++
  try {
    if (service.serving > concurrency) {
      await frames.write(errorFrame(new BusyError(protocol, concurrency)), { signal })
    } else {
      const request = (await frames.read({ signal })).subarray()
      try {
        await writeAnswer(protocol, service, frames, request, connection.remotePeer, signal)
      } catch (error) {
        signal.throwIfAborted()
        await frames.write(errorFrame(error), { signal })
      }
    }
    await stream.close({ signal })
  } catch (error) {
    stream.abort(toError(error))
  } finally {
    service.serving--
  }
}

/** Requests of all protocols of a node. */
export function requestRegistry (started: () => NodeLibp2p): Requests {
  const services = new Map<string, Service>()
  let libp2p: NodeLibp2p | undefined

  const attachOne = async (protocol: string, service: Service): Promise<void> => {
    await libp2p?.handle(protocol, (stream, connection) => {
      void serve(protocol, service, stream, connection)
    }, { maxInboundStreams: STREAMS_PER_PEER_MAX, maxOutboundStreams: STREAMS_PER_PEER_MAX * 4 })
  }

  async function * requestMany (peer: PeerId, protocol: string, request: Uint8Array, options: RequestOptions = {}): AsyncGenerator<Uint8Array> {
    const { responseBytesMax = TOPIC_BYTES_MAX, responsesMax = 1, timeoutMs = REQUEST_TIMEOUT_MS } = options
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(options.signal === undefined ? [] : [options.signal])])
    const bytesMax = Math.max(responseBytesMax, ERROR_BYTES_MAX) + 1
    let stream: Stream | undefined

    try {
      stream = await started().dialProtocol(peer, protocol, { signal, maxOutboundStreams: STREAMS_PER_PEER_MAX * 4 })
      const frames = lpStream(stream, { maxDataLength: bytesMax, maxBufferSize: Math.max(bytesMax * 4, 4_194_304) })
      await frames.write(request, { signal })

      for (let count = 0; ; count++) {
        const message = readFrame(protocol, await frames.read({ signal }))

        if (message === undefined) {
          break
        }
        if (count === responsesMax) {
          throw new MalformedResponseError(protocol, `more than ${responsesMax} messages`)
        }
        yield message
      }
      await stream.close({ signal })
    } catch (error) {
      options.signal?.throwIfAborted()
      throw error instanceof DatanetError ? error : new RequestFailedError(protocol, peer.toString(), error)
    } finally {
      // also reached when the caller stops early; a stream that is closed already takes no harm
      if (stream !== undefined && stream.status !== 'closed') {
        stream.abort(new AbortError('the caller reads no further'))
      }
    }
  }

  return {
    handle: (protocol, options, handler) => {
      if (services.has(protocol)) {
        throw new DuplicateRegistrationError('protocol', protocol)
      }

      const service: Service = { options, handler, serving: 0 }
      services.set(protocol, service)
      void attachOne(protocol, service)
    },
    requestMany,
    request: async (peer, protocol, request, options) => {
      const answer = requestMany(peer, protocol, request, { ...options, responsesMax: 1 })
      try {
        const first = await answer.next()

        if (first.done === true) {
          throw new MalformedResponseError(protocol, 'no message')
        }
        return first.value
      } finally {
        await answer.return(undefined)
      }
    },
    attach: async (node) => {
      libp2p = node
      await Promise.all([...services].map(async ([protocol, service]) => attachOne(protocol, service)))
    },
    detach: () => { libp2p = undefined }
  }
}
