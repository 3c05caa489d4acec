import { TypedEventEmitter, setMaxListeners } from 'main-event'
import { proveOutcome } from '../wire/index.ts'
import { book } from './book.ts'
import { checkKeys, checkValidators } from './config.ts'
import { EVIDENCE_MAX, REPLAY_GRACE_BLOCKS, SNAPSHOT_BLOCKS, STATES_KEPT } from './constants.ts'
import { findContradiction, serveViews } from './culprits.ts'
import { fetchEpochEnds } from './epoch-ends.ts'
import { eraAfter, validatorsOfEra } from './eras.ts'
import { ChainConfigError, ChainHaltedError, SigningHistoryError, UnknownHeightError, UnknownTransactionError } from './errors.ts'
import { history } from './history.ts'
import { machine } from './machine.ts'
import { messages } from './messages.ts'
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
import type { History } from './history.ts'
import type { Chain, ChainComponents, ChainInit, Contradiction, FinalisedTransaction, MempoolStats, SettlementEvents, ValidatorView } from './interface.ts'
import type { Machine } from './machine.ts'
import type { SigningHistory, SigningInit } from './signing.ts'
import type { ChainStore } from './store.ts'
import type { Submissions } from './submissions.ts'
import type { SyncProtocols } from './sync.ts'
import type { ValidatorPeers } from './validators.ts'
import type { Evidence } from '../consensus/index.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type {
  AbortOptions, Certificate, CertifiedHeader, EraChange, FinalisedBlock, Hash, Header, OutcomeProof, PastHeader, Signed, StateProof, Transaction, TransactionBody, Validator
} from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { CID } from 'multiformats/cid'

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
  readonly #views: CulpritsInit
  readonly #machine: Machine
  #fetchingEnds: Promise<void> = Promise.resolve()
  #endsAsked = false
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
    const protocols: SyncProtocols = { block: name('block'), range: name('sync'), certificates: name('certificates'), snapshot: name('snapshot'), part: name('snapshot-part') }
    const said = messages({ name, network, book: this.#book, machine: () => this.#machine, submissions: () => this.#submissions, validators: () => this.#validators })
    this.#submissions = submissions({
      chain: this.id,
      store: this.#store,
      replayGraceBlocks: init.replayGraceBlocks ?? REPLAY_GRACE_BLOCKS,
      limits: init.mempool,
      state: () => this.state(),
      publish: async (signed) => said.publishTransaction(signed),
      push: async (signed) => push(signed, { signal: this.#abort.signal }),
      lookUp: async id => lookUp({ chain: this.id, network, peers: () => network.peers().map(({ peer }) => peer), final: () => this.#book.final })(id, { signal: this.#abort.signal }),
      onChange: () => { this.#machine.tellPending() },
      onRefused: detail => { this.safeDispatchEvent('refused', { detail }) }
    })
    this.#validators = validatorPeers({
      chain: this.id,
      genesisHash: this.#book.genesisHash,
      validators: () => this.#machine.era.validators,
      signer: init.blsSecretKey === undefined ? undefined : init.signer,
      protocol: name('hello')
    }, network)
    const push = pushing({ protocol: name('transaction'), validators: this.#validators, receive: async (signed) => this.#submissions.receive(signed) }, network)
    this.#views = { chain: this.id, network, store: this.#store, protocol: name('view-certificates'), validatorsOf: async era => this.validatorsOf(era) }
    serveViews(this.#views)
    this.#machine = machine({
      ...said,
      init,
      network,
      protocols,
      store: this.#store,
      book: this.#book,
      submissions: this.#submissions,
      validators: this.#validators,
      onBlock: (detail) => { this.#onBlock(detail) },
      onLeap: () => {
        this.#fetchEpochEnds()
        this.safeDispatchEvent('leap', { detail: this.height })
      },
      onHalt: (error) => { this.safeDispatchEvent('halt', { detail: new ChainHaltedError(this.height + 1, error) }) },
      onEvidence: async (evidence) => this.#onEvidence(evidence)
    })
    serveSnapshots(network, protocols, this.#store)
    serveSync(network, protocols, {
      store: this.#store,
      held: hash => this.#book.held(hash),
      certificates: fromView => this.#machine.core?.certificates(fromView) ?? [],
      finalHeight: () => this.height
    })
  }

  #onBlock (detail: FinalisedBlock): void {
    if (!this.#endsAsked) {
      // not before: there are no peers at the start
      this.#endsAsked = true
      this.#fetchEpochEnds()
    }
    this.safeDispatchEvent('block', { detail })
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
    await this.#machine.start(this.#abort.signal)
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
    await this.#machine.stop()
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
    return this.#machine.core?.status().view ?? this.#book.final.header.view
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
    return this.#machine.era.validators.map(({ account }, index) => ({
      account,
      peer: index === this.#machine.self ? this.#network.peerId.toString() : this.#validators.peerOf(index)?.toString() ?? null
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
      throw new UnknownHeightError('beginning of the era', era, `eras are 0, which the genesis begins, to ${this.#machine.era.era}`)
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
