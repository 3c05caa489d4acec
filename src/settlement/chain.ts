import { TypedEventEmitter, setMaxListeners } from 'main-event'
import { consensus, proposalCodec, proposalInput, voteCodec } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { readChain } from '../ledger/index.ts'
import { DatanetError } from '../utils/index.ts'
import { certificateCodec, proveOutcome, signedTransactionCodec } from '../wire/index.ts'
import { book } from './book.ts'
import { checkKeys, checkValidators, toTimeouts } from './config.ts'
import { CATCH_UP_DELAY_MS, EVIDENCE_MAX, FAST_SYNC_BLOCKS, REPLAY_GRACE_BLOCKS, REST_EPOCHS, SNAPSHOT_BLOCKS, STATES_KEPT } from './constants.ts'
import { findContradiction, serveViews } from './culprits.ts'
import { consensusDriver } from './driver.ts'
import { effectPerformer } from './effects.ts'
import { fetchEpochEnds } from './epoch-ends.ts'
import { eraAfter, selfIn, validatorsOfEra } from './eras.ts'
import { ChainConfigError, ChainHaltedError, RefusedByConsensusError, SigningHistoryError, UnknownHeightError, UnknownTransactionError } from './errors.ts'
import { history } from './history.ts'
import { lookUp } from './passed-over.ts'
import { pushing } from './pushing.ts'
import { serveQueries } from './queries.ts'
import { exportHistory, importHistory } from './signing.ts'
import { serveSnapshots } from './snapshots.ts'
import { chainStore } from './store.ts'
import { submissions } from './submissions.ts'
import { serveSync } from './sync.ts'
import { validatorPeers } from './validators.ts'
import { waitForState } from './waiting.ts'
import type { Book } from './book.ts'
import type { CulpritsInit } from './culprits.ts'
import type { Driver, Judgement } from './driver.ts'
import type { Era } from './eras.ts'
import type { History } from './history.ts'
import type { Chain, ChainComponents, ChainInit, Contradiction, FinalisedTransaction, MempoolStats, SettlementEvents, ValidatorView } from './interface.ts'
import type { SigningHistory, SigningInit } from './signing.ts'
import type { ChainStore } from './store.ts'
import type { Submissions } from './submissions.ts'
import type { SyncProtocols } from './sync.ts'
import type { ValidatorPeers } from './validators.ts'
import type { Consensus, ConsensusInput, Evidence, ProposalMessage, SignedPosition, Vote, VoteSigner } from '../consensus/index.ts'
import type { Channel, Network, Topic, Verdict } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type {
  AbortOptions, Certificate, CertifiedHeader, EraChange, FinalisedBlock, Hash, Header, OutcomeProof, PastHeader, Signed, StateProof, Transaction, TransactionBody, Validator
} from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

const toVerdict = (what: string, { verdict, reason }: Judgement): Verdict => {
  return verdict === 'accept' ? 'accept' : { verdict, reason: new RefusedByConsensusError(what, reason) }
}

class ChainService extends TypedEventEmitter<SettlementEvents> implements Chain {
  readonly id: string
  readonly #init: ChainInit
  readonly #network: Network
  readonly #store: ChainStore
  readonly #book: Book
  readonly #history: History
  readonly #submissions: Submissions
  readonly #validators: ValidatorPeers
  readonly #evidence: Evidence[] = []
  readonly #proposals: Topic<ProposalMessage>
  readonly #certificates: Topic<Certificate>
  readonly #votes: Channel
  readonly #protocols: SyncProtocols
  readonly #views: CulpritsInit
  #core?: Consensus
  #era: Era
  #self: number | null
  #catchUp?: () => void
  #fetchingEnds: Promise<void> = Promise.resolve()
  #endsAsked = false
  /** of the newest block with transactions since the start */
  #busyHeight = 0
  #catchUpTimer?: ReturnType<typeof setTimeout>
  #driver?: Driver
  #starting?: Promise<void>
  #abort = new AbortController()
  #queries = false

  constructor (init: ChainInit, { network, db }: ChainComponents) {
    super()
    const { genesis } = init
    const name = (what: string): string => `/datanet/${genesis.chain}/${what}/1`
    checkKeys(init)
    checkValidators(init)
    this.id = genesis.chain
    this.#init = init
    this.#network = network
    this.#store = chainStore(db)
    this.#book = book({ genesis, snapshotBlocks: init.snapshotBlocks ?? SNAPSHOT_BLOCKS, statesKept: init.statesKept ?? STATES_KEPT, keepEpochs: init.keepEpochs }, this.#store)
    this.#history = history({
      node: async (tree, node) => this.#store.historyNode(tree, node),
      headerAt: async height => height === 0 ? this.#book.genesisHeader : (await this.#store.block(height))?.block.header,
      epochEnd: async epoch => this.#store.epochEnd(epoch),
      oldest: async () => this.#store.oldest(),
      state: () => this.state()
    })
    this.#era = eraAfter(this.#book.final.state)
    this.#self = selfIn(this.#era, init)
    this.#protocols = { block: name('block'), range: name('sync'), certificates: name('certificates'), snapshot: name('snapshot'), part: name('snapshot-part') }

    const transactions = network.topic<Signed<Transaction>>({
      name: name('transactions'),
      codec: signedTransactionCodec,
      bytesMax: signedTransactionCodec.bytesMax,
      validate: async (signed) => this.#submissions.receive(signed)
    })
    this.#proposals = network.topic<ProposalMessage>({
      name: name('blocks'), codec: proposalCodec, bytesMax: proposalCodec.bytesMax, validate: (message) => this.#receiveProposal(message)
    })
    this.#certificates = network.topic<Certificate>({
      name: name('certificates'),
      codec: certificateCodec,
      bytesMax: 1_024,
      validate: (certificate) => {
        this.#heardOf(certificate.era)
        return toVerdict('certificate', this.#judge({ type: 'certificate', certificate }))
      }
    })
    this.#votes = network.channel(name('votes'), { messageBytesMax: voteCodec.bytesMax }, (bytes, peer) => { this.#receiveVote(bytes, peer) })
    this.#submissions = submissions({
      chain: this.id,
      store: this.#store,
      replayGraceBlocks: init.replayGraceBlocks ?? REPLAY_GRACE_BLOCKS,
      limits: init.mempool,
      state: () => this.state(),
      publish: async (signed) => transactions.publish(signed),
      push: async (signed) => push(signed, { signal: this.#abort.signal }),
      lookUp: async id => lookUp({ chain: this.id, network, peers: () => network.peers().map(({ peer }) => peer), final: () => this.#book.final })(id, { signal: this.#abort.signal }),
      onChange: () => { this.#tellPending() },
      onRefused: detail => { this.safeDispatchEvent('refused', { detail }) }
    })
    this.#validators = validatorPeers({
      chain: this.id,
      genesisHash: this.#book.genesisHash,
      validators: () => this.#era.validators,
      signer: init.blsSecretKey === undefined ? undefined : init.signer,
      protocol: name('hello')
    }, network)
    const push = pushing({ protocol: name('transaction'), validators: this.#validators, receive: async (signed) => this.#submissions.receive(signed) }, network)
    this.#views = { chain: this.id, network, store: this.#store, protocol: name('view-certificates'), validatorsOf: async era => this.validatorsOf(era) }
    serveViews(this.#views)
    serveSnapshots(network, this.#protocols, this.#store)
    serveSync(network, this.#protocols, {
      store: this.#store,
      held: hash => this.#book.held(hash),
      certificates: fromView => this.#core?.certificates(fromView) ?? [],
      finalHeight: () => this.height
    })
  }

  #judge (input: Parameters<Driver['step']>[0]): Judgement {
    return this.#driver?.step(input) ?? { verdict: 'ignore', reason: 'the chain is not running' }
  }

  #receiveProposal (message: ProposalMessage): Verdict {
    this.#heardOf(message.vote.era)

    // the block has to be there before consensus asks for its verification
    const { hash, known } = this.#book.hold(message.block)
    const judgement = this.#judge(proposalInput(message))

    if (judgement.verdict !== 'accept' && !known) {
      this.#book.drop(hash)
    }
    return toVerdict('proposal', judgement)
  }

  #receiveVote (bytes: Uint8Array, peer: PeerId): void {
    const from = this.#validators.indexOf(peer)

    if (from === undefined) {
      return
    }
    try {
      const vote = voteCodec.decode(bytes)
      this.#heardOf(vote.era)
      this.#judge({ type: 'vote', from, vote })
    } catch (error) {
      if (!(error instanceof DatanetError)) {
        throw error
      }
      this.#network.penalise(peer, error)
    }
  }

  #tellPending (): void {
    this.#judge({ type: 'pending', transactions: this.#submissions.pool.ready(), work: this.#hasWork() })
  }

  /** Whether anything waits for blocks to pass. */
  #hasWork (): boolean {
    const { openTasks, openProposals, params: { epochBlocks } } = readChain(this.state())
    return openTasks.length > 0 || openProposals.length > 0 || this.height - this.#busyHeight < REST_EPOCHS * epochBlocks
  }

  /** Others are in an era that we do not know: unless we are about to enter it, fetch what we missed. */
  #heardOf (era: number): void {
    if (era > this.#era.era && this.#catchUpTimer === undefined) {
      this.#catchUpTimer = setTimeout(() => {
        this.#catchUpTimer = undefined

        if (era > this.#era.era) {
          this.#catchUp?.()
        }
      }, CATCH_UP_DELAY_MS)
    }
  }

  /** After the last block of an era: its successor's validators go on. */
  async #enterEra (): Promise<void> {
    const era = eraAfter(this.state())

    if (era.era === this.#era.era) {
      return
    }
    this.#era = era
    this.#self = selfIn(era, this.#init)
    const core = this.#newCore(await this.#store.restored())
    const input = await this.#startInput()
    this.#core = core
    this.#driver?.replace(core, input)
    this.#tellPending()
  }

  #newCore (signedUpTo: SignedPosition | undefined): Consensus {
    const { era, validators, hash } = this.#era
    return consensus({ chain: this.id, era, validators, validatorsHash: hash, signedUpTo, self: this.#self, bls, signer: this.#signer(), timeouts: toTimeouts(this.#init.times ?? {}) })
  }

  #signer (): VoteSigner | undefined {
    const { blsSecretKey } = this.#init
    return blsSecretKey === undefined ? undefined : { sign: message => bls.sign(blsSecretKey, message) }
  }

  async #startInput (): Promise<Extract<ConsensusInput, { type: 'start' }>> {
    const { hash, header, certificate } = this.#book.final
    return {
      type: 'start',
      final: { hash, height: header.height, view: header.view, certificate },
      records: await this.#store.records(),
      blocks: this.#book.heldBlocks().map(({ hash, block }) => ({ hash, header: block.header }))
    }
  }

  #sendVote (vote: Vote): void {
    const bytes = voteCodec.encode(vote)
    this.#validators.connected().forEach(({ peer }) => { this.#votes.send(peer, bytes) })
  }

  /** The network has to run. */
  async start (): Promise<void> {
    this.#starting ??= this.#start()
    await this.#starting
  }

  async #start (): Promise<void> {
    this.#abort = new AbortController()
    // everybody who waits for a state listens
    setMaxListeners(Infinity, this.#abort.signal)
    await this.#book.load()
    this.#evidence.splice(0, this.#evidence.length, ...await this.#store.evidence())
    this.#busyHeight = this.height
    this.#era = eraAfter(this.state())
    this.#self = selfIn(this.#era, this.#init)
    const core = this.#newCore(await this.#store.restored())
    const { perform, catchUp } = effectPerformer({
      chain: this.id,
      network: this.#network,
      store: this.#store,
      book: this.#book,
      submissions: this.#submissions,
      validators: this.#validators,
      protocols: this.#protocols,
      self: () => this.#self,
      signer: this.#signer(),
      judge: (input) => { this.#judge(input) },
      heardOf: (era) => { this.#heardOf(era) },
      enqueue: async (job) => this.#driver?.enqueue(job),
      sendVote: (vote) => { this.#sendVote(vote) },
      publishProposal: async (message) => this.#proposals.publish(message),
      publishCertificate: async (certificate) => this.#certificates.publish(certificate),
      onBlock: async detail => {
        if (!this.#endsAsked) {
          // not before: there are no peers at the start
          this.#endsAsked = true
          this.#fetchEpochEnds()
        }
        this.#busyHeight = detail.block.transactions.length > 0 ? this.height : this.#busyHeight
        this.safeDispatchEvent('block', { detail })
        this.#tellPending()
        await this.#enterEra()
      },
      onLeap: async () => {
        this.#submissions.onLeap()
        this.#fetchEpochEnds()
        this.safeDispatchEvent('leap', { detail: this.height })
        await this.#enterEra()
      },
      fastSyncBlocks: this.#init.fastSyncBlocks ?? FAST_SYNC_BLOCKS,
      onEvidence: async (evidence) => this.#onEvidence(evidence),
      signal: this.#abort.signal
    })
    const driver = consensusDriver(core, perform, error => {
      this.safeDispatchEvent('halt', { detail: new ChainHaltedError(this.height + 1, error) })
    })
    this.#catchUp = () => { catchUp().catch(() => {}) }
    const input = await this.#startInput()
    await this.#submissions.start()
    this.#core = core
    this.#driver = driver
    driver.start(input)
    this.#tellPending()
    this.#validators.start()
  }

  /** Beside everything else, one after the other; what nobody had is asked for again at the next leap or start. */
  #fetchEpochEnds (): void {
    const { signal } = this.#abort
    this.#fetchingEnds = this.#fetchingEnds
      .then(async () => { await fetchEpochEnds({ chain: this.id, network: this.#network, store: this.#store }, this.state(), { signal }) })
      .catch(() => {})
  }

  async stop (): Promise<void> {
    await this.#starting?.catch(() => {})
    this.#starting = undefined
    this.#abort.abort()
    clearTimeout(this.#catchUpTimer)
    this.#catchUpTimer = undefined
    this.#validators.stop()
    this.#submissions.stop()
    const driver = this.#driver
    this.#driver = undefined
    this.#core = undefined
    await driver?.stop()
  }

  async #onEvidence (detail: Evidence): Promise<void> {
    await this.#store.putEvidence(detail)
    this.#evidence.push(detail)
    this.#evidence.splice(0, Math.max(0, this.#evidence.length - EVIDENCE_MAX))
    this.safeDispatchEvent('evidence', { detail })
  }

  get height (): number {
    return this.#book.final.header.height
  }

  get tip (): Hash {
    return this.#book.final.hash
  }

  get view (): number {
    return this.#core?.status().view ?? this.#book.final.header.view
  }

  get mempool (): MempoolStats {
    return this.#submissions.pool.stats
  }

  state (): LedgerState {
    return this.#book.final.state
  }

  evidence (): Evidence[] {
    return [...this.#evidence]
  }

  validators (): ValidatorView[] {
    return this.#era.validators.map(({ account }, index) => ({
      account,
      peer: index === this.#self ? this.#network.peerId.toString() : this.#validators.peerOf(index)?.toString() ?? null
    }))
  }

  async submitNow (signed: Signed<Transaction>): Promise<CID> {
    return this.#submissions.submitNow(signed)
  }

  async submit (signed: Signed<Transaction>, options?: AbortOptions): Promise<FinalisedTransaction> {
    return this.#submissions.submit(signed, options)
  }

  async sendNow (body: TransactionBody, signer: Signer): Promise<CID> {
    return this.#submissions.sendNow(body, signer)
  }

  async send (body: TransactionBody, signer: Signer, options?: AbortOptions): Promise<FinalisedTransaction> {
    return this.#submissions.send(body, signer, options)
  }

  async finalised (id: CID, options?: AbortOptions): Promise<FinalisedTransaction> {
    return this.#submissions.finalised(id, options)
  }

  async waitFor<T> (predicate: (state: LedgerState, height: number) => T | undefined | false | null, options?: AbortOptions): Promise<T> {
    return waitForState(this, () => predicate(this.state(), this.height), this.#abort.signal, options)
  }

  async block (height: number): Promise<FinalisedBlock> {
    const stored = await this.#store.block(height)

    if (stored === undefined) {
      throw new UnknownHeightError('block', height, `blocks are 1 to ${this.height}`)
    }

    const { own: _, ...block } = stored
    return block
  }

  async header (height: number): Promise<Header> {
    return (await this.block(height)).block.header
  }

  async certified (height?: number): Promise<CertifiedHeader> {
    const at = height ?? await this.#store.certifiedAtOrBelow(this.height)
    const stored = at === undefined ? undefined : await this.#store.block(at)

    if (stored?.own === undefined || stored.own === null) {
      throw new UnknownHeightError('certified header', at ?? 0, stored === undefined ? `blocks are 1 to ${this.height}` : 'its block is final through a later one')
    }

    return { header: stored.block.header, certificate: stored.own }
  }

  prove (key: string, height = this.height): StateProof {
    const state = this.#book.stateAt(height)

    if (state === undefined) {
      throw new UnknownHeightError('state', height, `states are kept for ${this.#book.keptFrom()} to ${this.height}`)
    }

    return state.map.prove(key)
  }

  async eraChange (era: number): Promise<EraChange> {
    const change = await this.#store.eraChange(era)

    if (change === undefined) {
      throw new UnknownHeightError('beginning of the era', era, `eras are 0, which the genesis begins, to ${this.#era.era}`)
    }
    return change
  }

  async past (height: number, size: number): Promise<PastHeader> {
    return this.#history.header(height, size)
  }

  async epochEnd (epoch: number, size: number): Promise<PastHeader> {
    return this.#history.epochEnd(epoch, size)
  }

  async validatorsOf (era: number): Promise<Validator[]> {
    return validatorsOfEra(this.#init.genesis, eraAfter(this.state()), era, async past => this.eraChange(past))
  }

  async contradiction (certificates: [Certificate, Certificate], options?: AbortOptions): Promise<Contradiction | undefined> {
    return findContradiction(this.#views, certificates, options)
  }

  async outcome (id: CID): Promise<OutcomeProof> {
    const height = await this.#store.executedAt(id)
    const results = height === undefined ? undefined : (await this.#store.block(height))?.results
    const index = results?.findIndex(result => result.id.equals(id)) ?? -1

    if (height === undefined || results === undefined || index < 0) {
      throw new UnknownTransactionError(id.toString())
    }
    return proveOutcome(height, results, index)
  }

  #signing (): SigningInit {
    const { signer, blsSecretKey } = this.#init

    if (signer === undefined || blsSecretKey === undefined) {
      throw new ChainConfigError('only a validator has a signing history: this node follows')
    }
    return { chain: this.id, genesisHash: this.#book.genesisHash, account: signer.account, store: this.#store }
  }

  async signingHistory (): Promise<SigningHistory> {
    return exportHistory(this.#signing())
  }

  async importSigningHistory (history: unknown): Promise<void> {
    if (this.#starting !== undefined) {
      throw new SigningHistoryError('the chain is running: import before it starts')
    }
    await importHistory(this.#signing(), history)
  }

  serveQueries (): void {
    if (!this.#queries) {
      this.#queries = true
      serveQueries(this.#network, this)
    }
  }
}

/**
 * Makes the embedded chain of a node: a validator's if keys are given, otherwise a follower's.
 * Constructs its topics and protocols at once; start it after the network.
 *
 * @throws {ChainConfigError}
 */
export const chain = (init: ChainInit): ((components: ChainComponents) => Chain) => (components) => new ChainService(init, components)
