import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode as decodeDigest } from 'multiformats/hashes/digest'
import { signRecord, verifyRecord } from '../identity/index.ts'
import { domains, equalBytes, toHex } from '../wire/index.ts'
import { helloCodec, signedHelloCodec } from './codecs.ts'
import { HELLO_BYTES_MAX, HELLO_INTERVAL_MS, HELLO_TIMEOUT_MS } from './constants.ts'
import { InvalidHelloError } from './errors.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { Genesis, Hash } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'

export interface ValidatorPeers {
  start (): void
  stop (): void
  indexOf (peer: PeerId): number | undefined
  peerOf (index: number): PeerId | undefined
  /** validators that are connected, in order of their indices */
  connected (): Array<{ index: number, peer: PeerId }>
}

export interface ValidatorPeersInit {
  genesis: Genesis
  genesisHash: Hash
  /** our own account, if we are a validator */
  signer?: Signer
  protocol: string
}

/**
 * Learns which peer is which validator: both sides of a connection tell each other, signed by
 * the validator's account over the peer id that the connection proves.
 */
export function validatorPeers (init: ValidatorPeersInit, network: Network): ValidatorPeers {
  const indices = new Map(init.genesis.validators.map(({ account }, index) => [toHex(account), index]))
  const peerByIndex = new Map<number, PeerId>()
  const indexByPeer = new Map<string, number>()
  /** peers that answered, validators or not */
  const greeted = new Set<string>()
  let stopped = new AbortController()
  let timer: ReturnType<typeof setInterval> | undefined
  let ours: Uint8Array | undefined

  const own = (): Uint8Array => {
    const { signer } = init

    if (ours === undefined && signer !== undefined && indices.has(toHex(signer.account))) {
      ours = signedHelloCodec.encode(signRecord(domains.hello, helloCodec, {
        type: 'hello', version: 1, chain: init.genesis.chain, genesis: init.genesisHash, peer: network.peerId.toMultihash().bytes
      }, signer))
    }
    return ours ?? new Uint8Array(0)
  }

  /**
   * @throws {InvalidHelloError | SignatureError | MalformedRecordError}
   */
  const learn = (bytes: Uint8Array, peer: PeerId): void => {
    if (bytes.byteLength === 0) {
      return
    }

    const hello = signedHelloCodec.decode(bytes)
    const index = indices.get(toHex(hello.signer))
    const { chain, genesis } = hello.payload

    if (chain !== init.genesis.chain || !equalBytes(genesis, init.genesisHash)) {
      throw new InvalidHelloError(`it is of the chain ${chain} with another genesis`)
    }
    if (!peerIdFromMultihash(decodeDigest(hello.payload.peer)).equals(peer)) {
      throw new InvalidHelloError('it says hello for another peer')
    }
    if (index === undefined) {
      throw new InvalidHelloError('its account is no validator')
    }
    verifyRecord(domains.hello, helloCodec, hello)

    const before = peerByIndex.get(index)
    if (before !== undefined && !before.equals(peer)) {
      // the validator moved to another peer; twins would take turns, which consensus survives
      indexByPeer.delete(before.toString())
    }
    peerByIndex.set(index, peer)
    indexByPeer.set(peer.toString(), index)
  }

  const greet = async (peer: PeerId): Promise<void> => {
    try {
      const answer = await network.request(peer, init.protocol, own(), { responseBytesMax: HELLO_BYTES_MAX, timeoutMs: HELLO_TIMEOUT_MS, signal: stopped.signal })
      greeted.add(peer.toString())
      learn(answer, peer)
    } catch (error) {
      if (error instanceof InvalidHelloError) {
        network.penalise(peer, error)
      }
    }
  }

  const greetAll = (): void => {
    network.peers().filter(({ peer }) => !greeted.has(peer.toString())).forEach(({ peer }) => { void greet(peer) })
  }

  const onConnect = (event: CustomEvent<PeerId>): void => { void greet(event.detail) }
  const onDisconnect = (event: CustomEvent<PeerId>): void => {
    const key = event.detail.toString()
    const index = indexByPeer.get(key)
    greeted.delete(key)
    indexByPeer.delete(key)

    if (index !== undefined && peerByIndex.get(index)?.equals(event.detail) === true) {
      peerByIndex.delete(index)
    }
  }

  network.handle(init.protocol, { requestBytesMax: HELLO_BYTES_MAX, responseBytesMax: HELLO_BYTES_MAX, timeoutMs: HELLO_TIMEOUT_MS }, async (request, { peer }) => {
    try {
      learn(request, peer)
    } catch (error) {
      if (error instanceof InvalidHelloError) {
        network.penalise(peer, error)
      }
      throw error
    }
    return own()
  })

  return {
    start: () => {
      stopped = new AbortController()
      ours = undefined
      network.addEventListener('peer:connect', onConnect)
      network.addEventListener('peer:disconnect', onDisconnect)
      greetAll()
      timer = setInterval(greetAll, HELLO_INTERVAL_MS)
    },
    stop: () => {
      clearInterval(timer)
      stopped.abort()
      network.removeEventListener('peer:connect', onConnect)
      network.removeEventListener('peer:disconnect', onDisconnect)
      greeted.clear()
      peerByIndex.clear()
      indexByPeer.clear()
    },
    indexOf: (peer) => indexByPeer.get(peer.toString()),
    peerOf: (index) => peerByIndex.get(index),
    connected: () => [...peerByIndex].map(([index, peer]) => ({ index, peer })).sort((a, b) => a.index - b.index)
  }
}
