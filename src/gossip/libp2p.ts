import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { CONNECTIONS_MAX, DIAL_TIMEOUT_MS, FRAME_BYTES_MAX, INBOUND_CONNECTIONS_PER_SECOND_MAX, INBOUND_PENDING_MAX, SUBSCRIPTION_BYTES_MAX } from './constants.ts'
import { UnknownTopicError } from './errors.ts'
import type { NetworkComponents, NetworkInit, NodeLibp2p, ScoredGossipSub } from './interface.ts'
import type { GossipSub, GossipSubComponents, GossipsubOpts } from '@libp2p/gossipsub'
import type { TopicScoreParams } from '@libp2p/gossipsub/score'

/**
 * Quiet topics must not cost anybody score, so the penalties for delivering little (P3) are off.
 * An invalid message (P4) costs 10 times the square of their number and is forgiven slowly: two
 * are enough to be left out of gossip (-10), three to be ignored altogether (-80).
 */
export const topicScore = (): TopicScoreParams => ({
  topicWeight: 1,
  timeInMeshWeight: 0.01,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 100,
  firstMessageDeliveriesWeight: 0.02,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 50,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 100,
  meshMessageDeliveriesThreshold: 20,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -10,
  invalidMessageDeliveriesDecay: 0.99
})

export interface Libp2pHooks {
  /** topics that may be received */
  topics: ReadonlySet<string>
  /** score parameters by topic; entries may be added later */
  penalty (peer: string): number
}

function hasScore (pubsub: GossipSub): pubsub is ScoredGossipSub & { score: { params: { topics: Record<string, TopicScoreParams> } } } {
  return 'getScore' in pubsub && 'score' in pubsub
}

/** Messages count for the score from now on. gossipsub reads its parameters at each use. */
export function scoreTopic (pubsub: GossipSub, topic: string): void {
  if (hasScore(pubsub)) {
    pubsub.score.params.topics[topic] = topicScore()
  }
}

/** Author and sequence number name a message; both are signed, so nobody can occupy another's name. */
function fastId (from: Uint8Array | undefined, seqno: Uint8Array | undefined): string {
  return String.fromCharCode(...from?.subarray(0, 64) ?? [], ...seqno?.subarray(0, 16) ?? [])
}

function gossipOptions (hooks: Libp2pHooks): Partial<GossipsubOpts> {
  return {
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    fallbackToFloodsub: false,
    floodPublish: true,
    maxInboundDataLength: FRAME_BYTES_MAX,
    maxTopicBytesPerPeer: SUBSCRIPTION_BYTES_MAX,
    decodeRpcLimits: {
      maxSubscriptions: 512, maxMessages: 512, maxIhaveMessageIDs: 5_000, maxIwantMessageIDs: 5_000, maxIdontwantMessageIDs: 512, maxControlMessages: 512, maxPeerInfos: 16
    },
    // The first thing that is done with a message, before its signature is verified: unknown
    // topics end here. `allowedTopics` would do the same, but cannot change later.
    fastMsgIdFn: (message) => {
      if (!hooks.topics.has(message.topic)) {
        throw new UnknownTopicError()
      }

      return fastId(message.from, message.seqno)
    },
    scoreParams: {
      topics: Object.fromEntries([...hooks.topics].map(topic => [topic, topicScore()])),
      topicScoreCap: 50,
      appSpecificScore: hooks.penalty,
      appSpecificWeight: 1,
      // nodes of a local swarm, or behind one router, share an address
      IPColocationFactorWeight: 0,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyWeight: -1,
      behaviourPenaltyDecay: 0.9
    }
  }
}

function pubsubService (hooks: Libp2pHooks): (components: GossipSubComponents) => ScoredGossipSub {
  const create = gossipsub(gossipOptions(hooks))

  return (components) => {
    const pubsub = create(components)

    if (!hasScore(pubsub)) {
      throw new TypeError('gossipsub lost getScore: pin its version')
    }

    return pubsub
  }
}

/** The libp2p node that everything runs on, not started. */
export async function composeLibp2p (init: NetworkInit, components: NetworkComponents, hooks: Libp2pHooks): Promise<NodeLibp2p> {
  const privateKey = init.privateKeySeed === undefined
    ? await generateKeyPair('Ed25519')
    : await generateKeyPairFromSeed('Ed25519', init.privateKeySeed)

  return createLibp2p({
    start: false,
    privateKey,
    ...(components.datastore === undefined ? {} : { datastore: components.datastore }),
    nodeInfo: { userAgent: init.agent ?? 'datanet/0.1' },
    addresses: { listen: init.listen ?? ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND_MAX,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      dialTimeout: DIAL_TIMEOUT_MS
    },
    services: {
      identify: identify(),
      // tells peers of protocols that services register after the connection was made
      identifyPush: identifyPush(),
      ping: ping(),
      pubsub: pubsubService(hooks)
    }
  })
}
