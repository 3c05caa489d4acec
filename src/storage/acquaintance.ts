import { setTimeout as delay } from 'node:timers/promises'
import { IDENTIFY_DELAYS_MS } from './constants.ts'
import type { Identify } from '@libp2p/identify'
import type { Connection, Libp2p } from '@libp2p/interface'

const BITSWAP = '/ipfs/bitswap/1.2.0'
const IDENTIFY_TIMEOUT_MS = 5_000

/**
 * Bitswap speaks to a peer only if identify told of it, and identify speaks once, when a
 * connection opens. Where either side began to serve blocks after that, they would be strangers
 * for good: so we ask the peers that we met earlier again, and those that did not speak bitswap a
 * few times more.
 *
 * @returns a function that ends it
 */
export function acquaint (libp2p: Libp2p<{ identify: Identify }>): () => void {
  const stopped = new AbortController()

  const speaksBitswap = async (connection: Connection): Promise<boolean> => {
    const peer = await libp2p.peerStore.get(connection.remotePeer).catch(() => undefined)
    return peer?.protocols.includes(BITSWAP) ?? false
  }
  const ask = async (connection: Connection): Promise<void> => {
    if (connection.status === 'open') {
      const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(IDENTIFY_TIMEOUT_MS)])
      await libp2p.services.identify.identify(connection, { signal })
    }
  }
  const watch = async (connection: Connection): Promise<void> => {
    for (const milliseconds of IDENTIFY_DELAYS_MS) {
      await delay(milliseconds, undefined, { signal: stopped.signal, ref: false })
      if (connection.status !== 'open' || await speaksBitswap(connection)) {
        return
      }
      // a peer that does not answer now is asked again by the next round
      await ask(connection).catch(() => {})
    }
  }
  const onOpen = (event: CustomEvent<Connection>): void => {
    watch(event.detail).catch(() => {})
  }

  libp2p.addEventListener('connection:open', onOpen)
  for (const connection of libp2p.getConnections()) {
    ask(connection).catch(() => {}).then(async () => watch(connection)).catch(() => {})
  }
  return () => {
    stopped.abort()
    libp2p.removeEventListener('connection:open', onOpen)
  }
}
