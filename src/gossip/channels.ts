import { lpStream } from '@libp2p/utils'
import { toError } from '../utils/index.ts'
import { CHANNEL_QUEUE_MAX, SEND_TIMEOUT_MS } from './constants.ts'
import { DuplicateRegistrationError, MessageTooLargeError } from './errors.ts'
import type { Channel, ChannelOptions, NodeLibp2p } from './interface.ts'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import type { LengthPrefixedStream } from '@libp2p/utils'

type Handler = (message: Uint8Array, peer: PeerId) => void | Promise<void>

export interface Channels {
  add (protocol: string, options: ChannelOptions, handler: Handler): Channel
  attach (libp2p: NodeLibp2p): Promise<void>
  detach (): void
  /** forgets what waits for a peer that is gone */
  drop (peer: PeerId): void
}

interface Outbox {
  peer: PeerId
  queue: Uint8Array[]
  pumping: boolean
  stream?: Stream
  frames?: LengthPrefixedStream
}

interface Registered {
  protocol: string
  options: ChannelOptions
  handler: Handler
  outboxes: Map<string, Outbox>
}

/**
 * Reads one peer's messages in order. Waiting for the handler holds up only this peer, whose
 * stream is reset when more than the buffer's worth piles up.
 */
async function receive (channel: Registered, stream: Stream, connection: Connection): Promise<void> {
  const { messageBytesMax } = channel.options
  const frames = lpStream(stream, { maxDataLength: messageBytesMax, maxBufferSize: Math.max(messageBytesMax * 4, 1_048_576) })

  try {
    while (stream.status === 'open') {
      const message = await frames.read()
      await channel.handler(message.subarray(), connection.remotePeer)
    }
  } catch (error) {
    stream.abort(toError(error))
  }
}

/** Channels of all protocols of a node. */
export function channelRegistry (): Channels {
  const channels = new Map<string, Registered>()
  let libp2p: NodeLibp2p | undefined

  const attachOne = async (channel: Registered): Promise<void> => {
    await libp2p?.handle(channel.protocol, (stream, connection) => {
      void receive(channel, stream, connection)
    }, { maxInboundStreams: 2, maxOutboundStreams: 4 })
  }

  // Connections are the redial loop's business: a message to somebody who is not connected is lost.
  const open = async (channel: Registered, outbox: Outbox, signal: AbortSignal): Promise<LengthPrefixedStream | undefined> => {
    if (outbox.frames !== undefined && outbox.stream?.status === 'open') {
      return outbox.frames
    }

    const connection = libp2p?.getConnections(outbox.peer).find(connection => connection.status === 'open')
    outbox.stream = await connection?.newStream(channel.protocol, { signal, maxOutboundStreams: 4 })
    outbox.frames = outbox.stream === undefined ? undefined : lpStream(outbox.stream, { maxDataLength: 1 })
    return outbox.frames
  }

  const pump = async (channel: Registered, outbox: Outbox): Promise<void> => {
    outbox.pumping = true

    for (let failures = 0; outbox.queue.length > 0 && failures < 2;) {
      const signal = AbortSignal.timeout(SEND_TIMEOUT_MS)
      let writing: Uint8Array[] = []
      try {
        const frames = await open(channel, outbox, signal)
        if (frames === undefined) {
          break
        }
        // what is sent meanwhile waits for the next turn
        writing = outbox.queue.splice(0)
        await frames.writeV(writing, { signal })
      } catch (error) {
        // a stream that went stale between two messages: once more with a new one
        failures++
        outbox.stream?.abort(toError(error))
        outbox.frames = undefined
        outbox.queue.unshift(...writing)
      }
    }

    outbox.queue = []
    outbox.pumping = false
  }

  const send = (channel: Registered, peer: PeerId, message: Uint8Array): void => {
    const { messageBytesMax, queueMax = CHANNEL_QUEUE_MAX } = channel.options

    if (message.byteLength > messageBytesMax) {
      throw new MessageTooLargeError(channel.protocol, message.byteLength, messageBytesMax)
    }

    const key = peer.toString()
    const outbox = channel.outboxes.get(key) ?? { peer, queue: [], pumping: false }
    channel.outboxes.set(key, outbox)
    outbox.queue.push(message)
    outbox.queue.splice(0, Math.max(0, outbox.queue.length - queueMax))

    if (!outbox.pumping) {
      void pump(channel, outbox)
    }
  }

  return {
    add: (protocol, options, handler) => {
      if (channels.has(protocol)) {
        throw new DuplicateRegistrationError('channel', protocol)
      }

      const channel: Registered = { protocol, options, handler, outboxes: new Map() }
      channels.set(protocol, channel)
      void attachOne(channel)
      return { protocol, send: (peer, message) => { send(channel, peer, message) } }
    },
    attach: async (node) => {
      libp2p = node
      await Promise.all([...channels.values()].map(attachOne))
    },
    detach: () => {
      libp2p = undefined
      channels.forEach(channel => { channel.outboxes.clear() })
    },
    drop: (peer) => {
      channels.forEach(channel => { channel.outboxes.delete(peer.toString()) })
    }
  }
}
