import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode as decodeDigest } from 'multiformats/hashes/digest'
import { signRecord, verifyRecord } from '../identity/index.ts'
import { domains, equalBytes, toHex } from '../wire/index.ts'
import { helloCodec, signedHelloCodec } from './codecs.ts'
import { HELLO_BYTES_MAX, HELLO_INTERVAL_MS, HELLO_TIMEOUT_MS } from './constants.ts'
import { InvalidHelloError } from './errors.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { Hash, Validator } from '../interface/index.ts'
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
  chain: string
  genesisHash: Hash
  /** the set that votes now */
  validators (): Validator[]
  /** our own account, if we are a validator or want to be one */
  signer?: Signer
  protocol: string
}

/**
 * Learns which peer is which validator: both sides of a connection tell each other, signed by
 * the validator's account over the peer id that the connection proves.
 */
export function validatorPeers (init: ValidatorPeersInit, network: Network): ValidatorPeers {
  // whoever has an account may say so: sets change, and a peer knows before us or after
  const peerByAccount = new Map<string, PeerId>()
  const accountByPeer = new Map<string, string>()
  /** peers that answered, validators or not */
  const greeted = new Set<string>()
  let stopped = new AbortController()
  let timer: ReturnType<typeof setInterval> | undefined
  let ours: Uint8Array | undefined

  const own = (): Uint8Array => {
    const { signer } = init

    if (ours === undefined && signer !== undefined) {
      ours = signedHelloCodec.encode(signRecord(domains.hello, helloCodec, {
        type: 'hello', version: 1, chain: init.chain, genesis: init.genesisHash, peer: network.peerId.toMultihash().bytes
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
    const account = toHex(hello.signer)
    const { chain, genesis } = hello.payload

    if (chain !== init.chain || !equalBytes(genesis, init.genesisHash)) {
      throw new InvalidHelloError(`it is of the chain ${chain} with another genesis`)
    }
    if (!peerIdFromMultihash(decodeDigest(hello.payload.peer)).equals(peer)) {
      throw new InvalidHelloError('it says hello for another peer')
    }
    verifyRecord(domains.hello, helloCodec, hello)

    const before = peerByAccount.get(account)
    if (before !== undefined && !before.equals(peer)) {
      // the validator moved to another peer; twins would take turns, which consensus survives
      accountByPeer.delete(before.toString())
    }
    // one account a peer, so that the two maps hold no more than there are connections
    const other = accountByPeer.get(peer.toString())
    if (other !== undefined) {
      peerByAccount.delete(other)
    }
    peerByAccount.set(account, peer)
    accountByPeer.set(peer.toString(), account)
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
    const account = accountByPeer.get(key)
    greeted.delete(key)
    accountByPeer.delete(key)

    if (account !== undefined && peerByAccount.get(account)?.equals(event.detail) === true) {
      peerByAccount.delete(account)
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
      peerByAccount.clear()
      accountByPeer.clear()
    },
    indexOf: (peer) => {
      const account = accountByPeer.get(peer.toString())
      const index = account === undefined ? -1 : init.validators().findIndex(validator => toHex(validator.account) === account)
      return index < 0 ? undefined : index
    },
    peerOf: (index) => {
      const validator = init.validators().at(index)
      return validator === undefined ? undefined : peerByAccount.get(toHex(validator.account))
    },
    connected: () => init.validators().flatMap(({ account }, index) => {
      const peer = peerByAccount.get(toHex(account))
      return peer === undefined ? [] : [{ index, peer }]
    })
  }
}
