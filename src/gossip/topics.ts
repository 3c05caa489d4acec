import { TopicValidatorResult } from '@libp2p/gossipsub'
import { DatanetError } from '../utils/index.ts'
import { REASONS_MAX, TOPIC_BYTES_MAX, VALIDATE_TIMEOUT_MS, VALIDATIONS_MAX, VERDICTS_KEPT_MAX } from './constants.ts'
import {
  DuplicateRegistrationError, MalformedMessageError, MessageTooLargeError, UnexplainedVerdictError,
  ValidationTimeoutError, ValidatorBusyError, ValidatorFailedError
} from './errors.ts'
import { scoreTopic } from './libp2p.ts'
import type { RefusedMessage, Topic, TopicInit, TopicStats, Verdict } from './interface.ts'
import type { GossipSub, GossipsubMessage, Message } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'

interface Refusal {
  verdict: 'ignore' | 'reject'
  reason: DatanetError
}

/** A topic as gossipsub sees it, its type forgotten. */
interface Registered {
  readonly stats: TopicStats
  validate (message: Message, from: PeerId): Promise<TopicValidatorResult>
  deliver (event: GossipsubMessage): void
}

export interface Topics {
  readonly names: ReadonlySet<string>
  add<T> (init: TopicInit<T>): Topic<T>
  attach (pubsub: GossipSub): void
  detach (): void
  refused (): RefusedMessage[]
  stats (): Record<string, TopicStats>
}

/** The verdict, with a reason where it is not accept, bounded in time. */
async function judge<T> (init: TopicInit<T>, value: T, from: PeerId): Promise<Refusal | undefined> {
  const timeoutMs = init.timeoutMs ?? VALIDATE_TIMEOUT_MS
  let timer: ReturnType<typeof setTimeout> | undefined

  try {
    const verdict = await Promise.race([
      Promise.resolve().then(async () => init.validate(value, from)),
      new Promise<Verdict>(resolve => {
        timer = setTimeout(() => {
          resolve({ verdict: 'ignore', reason: new ValidationTimeoutError(init.name, timeoutMs) })
        }, timeoutMs)
      })
    ])

    if (verdict === 'accept') {
      return undefined
    }

    return typeof verdict === 'string' ? { verdict, reason: new UnexplainedVerdictError(init.name, verdict) } : verdict
  } catch (error) {
    return error instanceof DatanetError
      ? { verdict: 'reject', reason: error }
      : { verdict: 'ignore', reason: new ValidatorFailedError(init.name, error) }
  } finally {
    clearTimeout(timer)
  }
}

function decode<T> (init: TopicInit<T>, bytes: Uint8Array): T {
  if (bytes.byteLength > init.bytesMax) {
    throw new MessageTooLargeError(init.name, bytes.byteLength, init.bytesMax)
  }

  try {
    return init.codec.decode(bytes)
  } catch (error) {
    throw error instanceof DatanetError ? error : new MalformedMessageError(init.name, error)
  }
}

/** All topics of a node; each validates, counts and delivers. */
export function topicRegistry (onRefused: (refused: RefusedMessage) => void): Topics {
  const registered = new Map<string, Registered>()
  const names = new Set<string>()
  const kept: RefusedMessage[] = []
  let pubsub: GossipSub | undefined

  const refuse = (stats: TopicStats, topic: string, refusal: Refusal, from: PeerId, bytes: number): TopicValidatorResult => {
    const { verdict, reason } = refusal
    const rejected = verdict === 'reject'
    stats[rejected ? 'rejected' : 'ignored']++

    if (reason.code in stats.reasons || Object.keys(stats.reasons).length < REASONS_MAX) {
      stats.reasons[reason.code] = (stats.reasons[reason.code] ?? 0) + 1
    }

    const refused: RefusedMessage = { topic, verdict, code: reason.code, message: reason.message, from: from.toString(), bytes }
    kept.push(refused)
    kept.splice(0, Math.max(0, kept.length - VERDICTS_KEPT_MAX))
    onRefused(refused)

    return rejected ? TopicValidatorResult.Reject : TopicValidatorResult.Ignore
  }

  const attachOne = (name: string, topic: Registered): void => {
    if (pubsub === undefined) {
      return
    }

    scoreTopic(pubsub, name)
    pubsub.topicValidators.set(name, async (from, message) => topic.validate(message, from))
    pubsub.subscribe(name)
  }

  const onMessage = (event: CustomEvent<GossipsubMessage>): void => {
    registered.get(event.detail.msg.topic)?.deliver(event.detail)
  }

  function add<T> (init: TopicInit<T>): Topic<T> {
    if (registered.has(init.name)) {
      throw new DuplicateRegistrationError('topic', init.name)
    }

    if (init.bytesMax > TOPIC_BYTES_MAX) {
      throw new MessageTooLargeError(init.name, init.bytesMax, TOPIC_BYTES_MAX)
    }

    const stats: TopicStats = { accepted: 0, ignored: 0, rejected: 0, published: 0, reasons: {} }
    const listeners = new Set<(value: T, from: PeerId) => void>()
    // what the validator decoded, for the delivery that follows with the same object
    const values = new WeakMap<Message, T>()
    let pending = 0

    const validate = async (message: Message, from: PeerId): Promise<TopicValidatorResult> => {
      const bytes = message.data.byteLength

      if (pending >= VALIDATIONS_MAX) {
        return refuse(stats, init.name, { verdict: 'ignore', reason: new ValidatorBusyError(init.name, pending) }, from, bytes)
      }

      let value: T
      try {
        value = decode(init, message.data)
      } catch (error) {
        return refuse(stats, init.name, { verdict: 'reject', reason: error instanceof DatanetError ? error : new MalformedMessageError(init.name, error) }, from, bytes)
      }

      pending++
      try {
        const refusal = await judge(init, value, from)

        if (refusal !== undefined) {
          return refuse(stats, init.name, refusal, from, bytes)
        }
      } finally {
        pending--
      }

      stats.accepted++
      values.set(message, value)
      return TopicValidatorResult.Accept
    }

    const deliver = (event: GossipsubMessage): void => {
      const value = values.get(event.msg)

      if (value !== undefined) {
        listeners.forEach(listener => { listener(value, event.propagationSource) })
      }
    }

    const topic: Registered = { stats, validate, deliver }
    registered.set(init.name, topic)
    names.add(init.name)
    attachOne(init.name, topic)

    return {
      name: init.name,
      stats,
      publish: async (value, options) => {
        options?.signal?.throwIfAborted()
        const bytes = init.codec.encode(value)

        if (bytes.byteLength > init.bytesMax) {
          throw new MessageTooLargeError(init.name, bytes.byteLength, init.bytesMax)
        }

        const result = await pubsub?.publish(init.name, bytes)
        stats.published++
        return result?.recipients.length ?? 0
      },
      subscribe: (listener) => {
        listeners.add(listener)
        return () => { listeners.delete(listener) }
      },
      subscribers: () => pubsub?.getSubscribers(init.name) ?? []
    }
  }

  return {
    names,
    add,
    attach: (service) => {
      pubsub = service
      service.addEventListener('gossipsub:message', onMessage)
      registered.forEach((topic, name) => { attachOne(name, topic) })
    },
    detach: () => {
      pubsub?.removeEventListener('gossipsub:message', onMessage)
      pubsub = undefined
    },
    refused: () => [...kept],
    stats: () => Object.fromEntries([...registered].map(([name, topic]) => [name, { ...topic.stats, reasons: { ...topic.stats.reasons } }]))
  }
}
