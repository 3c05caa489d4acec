import { leaderOf } from '../consensus/index.ts'
import { SNAPSHOT_PEERS_MAX, SYNC_SILENT_MS } from './constants.ts'
import { eraAfter } from './eras.ts'
import { InvalidBlockError, UnknownBlockError, ValidatorFaultError } from './errors.ts'
import { beaconMessage } from './genesis.ts'
import { fetchBase, fetchManifest } from './snapshots.ts'
import { fetchBlock, fetchCertificates, fetchRange } from './sync.ts'
import type { Book } from './book.ts'
import type { ChainStore } from './store.ts'
import type { Submissions } from './submissions.ts'
import type { CertifiedBlock, FetchedRange, SyncProtocols } from './sync.ts'
import type { ValidatorPeers } from './validators.ts'
import type { ConsensusEffect, ConsensusInput, Evidence, ProposalMessage, Vote, VoteSigner } from '../consensus/index.ts'
import type { Network } from '../gossip/index.ts'
import type { Certificate, FinalisedBlock, Hash } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'

export interface EffectsInit {
  chain: string
  network: Network
  store: ChainStore
  book: Book
  submissions: Submissions
  validators: ValidatorPeers
  protocols: SyncProtocols
  /** own index in the running era, if we are a validator */
  self (): number | null
  signer?: VoteSigner
  judge (input: ConsensusInput): void
  /** somebody says that there is such an era */
  heardOf (era: number): void
  /** in the order of effects */
  enqueue (job: () => Promise<void>): Promise<void>
  sendVote (vote: Vote): void
  publishProposal (message: ProposalMessage): Promise<unknown>
  publishCertificate (certificate: Certificate): Promise<unknown>
  /** each final block once; awaited, so that the next is finalised by the right era's machine */
  onBlock (block: FinalisedBlock): Promise<void>
  /** the newest final block is another one, far above the last */
  onLeap (): Promise<void>
  /** blocks that one must be behind to take a snapshot instead */
  fastSyncBlocks: number
  /** awaited, so that it is not lost */
  onEvidence (evidence: Evidence): Promise<void>
  signal: AbortSignal
}

type Effect<Type extends ConsensusEffect['type']> = Extract<ConsensusEffect, { type: Type }>

const ignore = (): void => {}

export interface Effects {
  perform (effect: ConsensusEffect): Promise<void> | void
  /** Fetches blocks as far as others have them. */
  catchUp (): Promise<void>
}

/** Carries out what consensus decides. What needs the network runs beside; the rest is awaited in order. */
export function effectPerformer (init: EffectsInit): Effects {
  const { network, book, store, validators, chain } = init
  let syncing = false
  let turn = 0

  /** those asked for first, then other validators, then anybody */
  const sources = (preferred: number[] = []): PeerId[] => {
    const peers = new Map<string, PeerId>()
    const add = (peer: PeerId | undefined): void => { if (peer !== undefined) { peers.set(peer.toString(), peer) } }
    preferred.forEach(index => { add(validators.peerOf(index)) })
    validators.connected().forEach(({ peer }) => { add(peer) })
    network.peers().forEach(({ peer }) => { add(peer) })
    return [...peers.values()]
  }

  /** whoever was asked last may stand still, as we do: each time another one is the first */
  const inTurn = (): PeerId[] => {
    const peers = sources()
    const from = peers.length === 0 ? 0 : turn++ % peers.length
    return [...peers.slice(from), ...peers.slice(0, from)]
  }

  const fetchHeld = async (hash: Hash, preferred: number[] = []): Promise<void> => {
    book.hold(await fetchBlock(network, init.protocols, sources(preferred), hash, { signal: init.signal }))
  }

  const propose = ({ view, parent, height }: Effect<'propose'>): void => {
    const self = init.self()

    if (self === null || init.signer === undefined) {
      return
    }

    try {
      const beaconSignature = init.signer.sign(beaconMessage(chain, height))
      const { block, hash, unincludable } = book.build({ parent, view, proposer: self, beaconSignature, select: init.submissions.select })
      init.submissions.drop(unincludable)
      init.judge({ type: 'proposed', view, hash, header: block.header })
    } catch (error) {
      if (!(error instanceof UnknownBlockError)) {
        throw error
      }
      init.judge({ type: 'declined', view })
    }
  }

  const verify = ({ hash }: Effect<'verify'>): void => {
    try {
      book.verify(hash)
    } catch (error) {
      if (error instanceof UnknownBlockError) {
        init.judge({ type: 'absent', hash })
        return
      }
      const view = book.held(hash)?.header.view
      const peer = view === undefined ? undefined : validators.peerOf(leaderOf(view, eraAfter(book.final.state).validators.length))
      if (error instanceof InvalidBlockError && peer !== undefined) {
        network.penalise(peer, error)
      }
      init.judge({ type: 'verified', hash, valid: false })
      return
    }
    init.judge({ type: 'verified', hash, valid: true })
  }

  const finaliseHeld = async (hash: Hash, certificate: Certificate, notarization: Certificate | null = null): Promise<void> => {
    const block = await book.finalise(hash, certificate, notarization)

    if (block !== undefined) {
      init.submissions.onBlock(block)
      await init.onBlock(block)
      await book.tidy()
    }
  }

  const finalise = async ({ hash, height, certificate }: Effect<'finalise'>): Promise<void> => {
    const { height: final } = book.final.header

    if (height === final + 1 && book.held(hash) !== undefined) {
      await finaliseHeld(hash, certificate)
    } else if (height > final) {
      // only so many blocks are held: it is fetched beside, with those that follow
      syncTo(height).catch(ignore)
    } else if (await store.heightOf(hash) === undefined && await store.block(height) !== undefined) {
      throw new InvalidBlockError(`another one is final at height ${height}`)
    }
  }

  const importRange = async (range: CertifiedBlock[]): Promise<void> => {
    for (const { block, hash, certificate, notarization } of range) {
      if (block.header.height > book.final.header.height) {
        book.hold(block)
        await finaliseHeld(hash, certificate, notarization)
      }
    }
  }

  /** Range by range from one peer after the other, up to a height or as far as they are. */
  const syncTo = async (height: number): Promise<void> => {
    if (syncing) {
      return
    }
    syncing = true

    try {
      if (height - book.final.header.height > init.fastSyncBlocks) {
        await leap(init.fastSyncBlocks)
      }
      const before = book.final.header.height
      await walk(height)

      // another way may have brought us there meanwhile
      if (book.final.header.height === before && before < height) {
        // nobody has the blocks any more
        await leap(0)
        await walk(height)
      }
    } finally {
      syncing = false
    }

    // what is final through a descendant has no certificate that the core could check
    const { header, hash, certificate } = book.newestCertified
    if (certificate !== null) {
      init.judge({ type: 'synced', hash, height: header.height, view: header.view, certificate })
    }
  }

  /** To the snapshot of the first peer that has one more than so many blocks above us. */
  const leap = async (blocksMin: number): Promise<void> => {
    for (const peer of inTurn().slice(0, SNAPSHOT_PEERS_MAX)) {
      try {
        const options = { signal: init.signal }
        const manifest = await fetchManifest(network, init.protocols, peer, options)

        if (manifest.certified.header.height > book.final.header.height + blocksMin) {
          const base = await fetchBase({ network, protocols: init.protocols, chain, from: eraAfter(book.final.state), peers: sources }, peer, manifest, options)
          await init.enqueue(async () => {
            if (await book.adopt(base)) {
              await init.onLeap()
            }
          })
          return
        }
      } catch {
        // the next one may be better
      }
    }
  }

  /**
   * One range of each peer in turn, as long as they have more: one that gives little and slowly takes its
   * turns and no others. One that is silent is left for the next soon, and given longer if nobody was quicker.
   */
  const walk = async (height: number): Promise<void> => {
    const silent = new Set<string>()

    for (const silentMs of SYNC_SILENT_MS) {
      const from = book.final.header.height
      const asked = new Map<string, number>()
      const done = new Set<string>()
      // those that said nothing come last
      const turnOf = (peer: PeerId): number => (asked.get(peer.toString()) ?? 0) + (silent.has(peer.toString()) ? Number.MAX_SAFE_INTEGER : 0)
      const next = (): PeerId | undefined => inTurn().filter(peer => !done.has(peer.toString())).sort((a, b) => turnOf(a) - turnOf(b))[0]
      let answered = 0

      for (let peer = next(); peer !== undefined && book.final.header.height < height && !init.signal.aborted; peer = next()) {
        const name = peer.toString()
        const { height: before } = book.final.header
        const { blocks, isSilent } = await fetchRange(network, init.protocols, peer, { hash: book.final.hash, height: before }, chain, eraAfter(book.final.state), { signal: init.signal, silentMs })
          .catch((): FetchedRange => ({ blocks: [], isSilent: false }))
        await init.enqueue(async () => importRange(blocks))
        asked.set(name, (asked.get(name) ?? 0) + 1)

        if (isSilent) {
          silent.add(name)
        } else {
          answered++
        }

        if (isSilent || book.final.header.height === before) {
          done.add(name)
        }
      }

      // as far as others are: whoever answered has no more
      const isEnd = height === Infinity && answered > 0

      if (silent.size === 0 || isEnd || book.final.header.height > from || init.signal.aborted) {
        return
      }
    }
  }

  const requestBlock = async ({ hash, peers }: Effect<'requestBlock'>): Promise<void> => {
    if (book.held(hash) === undefined) {
      await fetchHeld(hash, peers)
    }
    const block = book.held(hash)
    if (block !== undefined) {
      init.judge({ type: 'block', hash, header: block.header })
    }
  }

  const requestCertificates = async ({ fromView, peer }: Effect<'requestCertificates'>): Promise<void> => {
    const certificates = await fetchCertificates(network, init.protocols, peer === null ? inTurn() : sources([peer]), fromView, { signal: init.signal })
    certificates.forEach(certificate => {
      init.heardOf(certificate.era)
      init.judge({ type: 'certificate', certificate })
    })
  }

  const perform = async (effect: ConsensusEffect): Promise<void> => {
    switch (effect.type) {
      case 'persist':
        return store.persist(effect.record, effect.record.type === 'vote' ? book.held(effect.record.vote.blockHash) : undefined)
      case 'propose':
        propose(effect)
        return
      case 'verify':
        verify(effect)
        return
      case 'broadcastBlock': {
        const block = book.held(effect.hash)
        if (block !== undefined) {
          init.publishProposal({ block, vote: effect.proposal.vote, justification: effect.proposal.justification }).catch(ignore)
        }
        return
      }
      case 'sendVote':
        init.sendVote(effect.vote)
        return
      case 'broadcastCertificate':
        init.publishCertificate(effect.certificate).catch(ignore)
        return
      case 'finalise':
        return finalise(effect)
      // these wait for other peers; consensus asks again if they fail
      case 'requestBlock':
        requestBlock(effect).catch(ignore)
        return
      case 'requestCertificates':
        requestCertificates(effect).catch(ignore)
        return
      case 'sync':
        syncTo(effect.height).catch(ignore)
        return
      case 'evidence':
        return init.onEvidence(effect.evidence)
      case 'penalise': {
        const peer = validators.peerOf(effect.validator)
        if (peer !== undefined) {
          network.penalise(peer, new ValidatorFaultError(effect.validator, effect.reason))
        }
        break
      }
      default:
        // `judge`: the driver handed it to gossip
        break
    }
  }
  return { perform, catchUp: async () => syncTo(Infinity) }
}
