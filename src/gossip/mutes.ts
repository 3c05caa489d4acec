import { MUTE_ROUNDS_MAX, MUTE_ROUNDS_MIN } from './constants.ts'
import type { NodeLibp2p } from './interface.ts'
import type { Connection } from '@libp2p/interface'

/** Peers that hear no gossip of ours although we are connected. */
export interface Mutes {
  /** Once a second. */
  round (libp2p: NodeLibp2p): void
}

const GOSSIPSUB = '/meshsub/'

interface Mute {
  rounds: number
  /** rounds before the next attempt */
  wait: number
}

/**
 * gossipsub opens one stream to a peer when identify first names the peer's protocols, and never
 * again: if identify or the stream's negotiation times out on a busy machine, or the stream dies
 * with one of two connections while the other lives, the peer hears nothing of us until it
 * disconnects. Whoever stays without a stream is identified again, which has gossipsub open one.
 */
export function muteKeeper (): Mutes {
  const mutes = new Map<string, Mute>()

  return {
    round: (libp2p) => {
      const connections = libp2p.getConnections().filter(({ status }) => status === 'open')
      const heard = new Set(connections.filter(isHeard).map(({ remotePeer }) => remotePeer.toString()))
      const unheard = new Map(connections.map((connection): [string, Connection] => [connection.remotePeer.toString(), connection]).filter(([peer]) => !heard.has(peer)))

      for (const peer of mutes.keys()) {
        if (!unheard.has(peer)) {
          mutes.delete(peer)
        }
      }

      for (const [peer, connection] of unheard) {
        const { rounds, wait } = mutes.get(peer) ?? { rounds: 0, wait: MUTE_ROUNDS_MIN }
        const due = rounds + 1 >= wait

        // some peers speak no gossipsub: they are asked more and more rarely
        mutes.set(peer, due ? { rounds: 0, wait: Math.min(wait * 2, MUTE_ROUNDS_MAX) } : { rounds: rounds + 1, wait })

        if (due) {
          // what fails is tried again
          libp2p.services.identify.identify(connection).catch(() => {})
        }
      }
    }
  }
}

const isHeard = ({ streams }: Connection): boolean => streams.some(({ direction, protocol }) => direction === 'outbound' && protocol.startsWith(GOSSIPSUB))
