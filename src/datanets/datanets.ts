import { TypedEventEmitter } from 'main-event'
import { CONTRIBUTIONS_MAX, compareBytes, datanetCodec, equalBytes, snapshotCodec } from '../wire/index.ts'
import { Announcements } from './announcements.ts'
import { storeContribution } from './contribute.ts'
import { enterSubject } from './entering.ts'
import { DatanetsNotStartedError, SnapshotTooLargeError, TransactionFailedError, UnknownContributionError, UnknownDatanetError } from './errors.ts'
import { Holder } from './holder.ts'
import { LedgerIndex } from './ledger-index.ts'
import { Records } from './records.ts'
import type {
  ContributeEvent, Contributed, ContributionEntry, DatanetEntry, Datanets, DatanetsComponents, DatanetsEvents, DatanetsInit, NewContribution, NewDatanet
} from './interface.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Account, Contribution, DatanetManifest, LedgerEvent, ProgressOptions, Row, Signed, Snapshot } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export class DatanetsService extends TypedEventEmitter<DatanetsEvents> implements Datanets {
  private readonly components: DatanetsComponents
  private readonly records: Records
  private readonly holder: Holder
  private readonly index: LedgerIndex
  private readonly announcements: Announcements
  private readonly followed: Map<string, CID>
  private readonly followsAll: boolean
  private running?: AbortController

  constructor (init: DatanetsInit, components: DatanetsComponents) {
    super()
    const { storage, chain, network } = components
    this.components = components
    this.followsAll = init.follow === 'all'
    const follow = init.follow === undefined || init.follow === 'all' ? [] : init.follow
    this.followed = new Map(follow.map(datanet => [datanet.toString(), datanet]))
    this.records = new Records(storage)
    this.index = new LedgerIndex(chain, events => { this.onLedger(events) }, () => { this.tendAll() })
    this.holder = new Holder(storage, this.records, {
      onHeld: contribution => { this.safeDispatchEvent('contribution:held', { detail: { contribution } }) },
      onRefused: (contribution, error) => { this.safeDispatchEvent('contribution:refused', { detail: { contribution, error } }) }
    })
    this.announcements = new Announcements(chain.id, network, this.records, detail => {
      this.safeDispatchEvent('contribution:announced', { detail })
    })
  }

  async start (): Promise<void> {
    if (this.running !== undefined) {
      return
    }
    this.running = new AbortController()
    this.holder.start()
    this.index.start()
  }

  async stop (): Promise<void> {
    this.running?.abort()
    this.running = undefined
    this.index.stop()
    await this.holder.stop()
  }

  private current (): AbortController {
    if (this.running === undefined) {
      throw new DatanetsNotStartedError()
    }
    return this.running
  }

  follow (datanet: CID): void {
    this.followed.set(datanet.toString(), datanet)
    if (this.running !== undefined) {
      this.tend(datanet)
    }
  }

  private tendAll (): void {
    for (const { datanet } of this.index.listDatanets()) {
      this.tend(datanet)
    }
  }

  /** Joins the topic of a followed Datanet and sees to its contributions. */
  private tend (datanet: CID): void {
    if (!this.follows(datanet)) {
      return
    }
    this.joinWhenKnown(datanet)
    for (const { contribution, state } of this.index.listContributions(datanet)) {
      if (state.status === 'rejected') {
        this.drop(contribution)
      } else {
        this.holder.hold(contribution, () => this.index.contribution(contribution))
      }
    }
  }

  private drop (contribution: CID): void {
    this.holder.letGo(contribution).catch(() => {
      // it stays pinned until the next start, which costs disk and nothing else
    })
  }

  private onLedger (events: LedgerEvent[]): void {
    const touched = new Map<string, CID>()
    for (const event of events) {
      if (event.type === 'datanet') {
        touched.set(event.datanet.toString(), event.datanet)
      } else if (event.type === 'contribution' && event.status === 'rejected') {
        this.drop(event.contribution)
      } else if (event.type === 'contribution' && this.follows(event.datanet)) {
        const { contribution } = event
        this.holder.hold(contribution, () => this.index.contribution(contribution))
        touched.set(event.datanet.toString(), event.datanet)
      }
    }
    for (const datanet of touched.values()) {
      this.joinWhenKnown(datanet)
    }
  }

  private follows (datanet: CID): boolean {
    return this.followsAll || this.followed.has(datanet.toString())
  }

  private joinWhenKnown (datanet: CID): void {
    if (this.follows(datanet)) {
      const signal = this.running?.signal
      this.records.manifest(datanet, { signal }).then(manifest => {
        if (signal?.aborted === false) {
          this.announcements.join(datanet, manifest)
        }
      }).catch(() => {
        // the next contribution on the ledger brings us here again
      })
    }
  }

  async create (fields: NewDatanet, signer: Signer, options: AbortOptions = {}): Promise<{ datanet: CID, manifest: DatanetManifest }> {
    this.current()
    const manifest: DatanetManifest = { ...fields, type: 'datanet', version: 1, curator: signer.account }
    const datanet = await this.components.storage.put(datanetCodec.encode(manifest), { pin: true, signal: options.signal })
    const isThere = (): boolean => isBy(this.index.datanet(datanet)?.state.curator, signer)
    if (!isThere()) {
      const result = await this.components.chain.send({ kind: 'create-datanet', datanet, name: manifest.name }, signer, { signal: options.signal })
      // what was sent before a crash may come there first: that is as good
      requireOk(`the Datanet ${manifest.name}`, { ...result, ok: result.ok || isThere() })
    }
    return { datanet, manifest }
  }

  async contribute (init: NewContribution, options: ProgressOptions<ContributeEvent> = {}): Promise<Contributed> {
    this.current()
    const { datanet, signer } = init
    if (this.index.datanet(datanet) === undefined) {
      throw new UnknownDatanetError(datanet)
    }
    const manifest = await this.records.manifest(datanet, options)
    const contributed = await storeContribution(this.components.storage, init, manifest, options)
    const { contribution, record } = contributed
    if (!isBy(this.index.contribution(contribution)?.state.contributor, signer)) {
      // peers fetch by what the ledger says, the announcement only saves them a round trip
      const peers = await this.announcements.join(datanet, manifest).publish(record, { signal: options.signal }).catch(() => 0)
      options.onProgress?.({ type: 'datanets:contribute:announced', contribution, peers })
      const { rows, bytes, shards } = record.payload
      requireOk(`the contribution ${contribution}`, await enterSubject(this.components.chain, { kind: 'contribute', datanet, contribution, rows, bytes, shards: shards.length }, signer, { signal: options.signal }))
    }
    options.onProgress?.({ type: 'datanets:contribute:final', contribution })
    return contributed
  }

  list (): DatanetEntry[] {
    return this.index.listDatanets()
  }

  async get (datanet: CID, options: AbortOptions = {}): Promise<DatanetEntry & { manifest: DatanetManifest }> {
    const entry = this.index.datanet(datanet)
    if (entry === undefined) {
      throw new UnknownDatanetError(datanet)
    }
    return { ...entry, manifest: await this.records.manifest(datanet, options) }
  }

  async manifest (datanet: CID, options: AbortOptions = {}): Promise<DatanetManifest> {
    return this.records.manifest(datanet, options)
  }

  contributions (datanet?: CID): ContributionEntry[] {
    return this.index.listContributions(datanet)
  }

  async record (contribution: CID, options: AbortOptions = {}): Promise<Signed<Contribution>> {
    const entry = this.index.contribution(contribution)
    if (entry === undefined && !this.records.isAnnounced(contribution)) {
      throw new UnknownContributionError(contribution)
    }
    return this.records.record(contribution, entry, options)
  }

  async * rows (contribution: CID, options: AbortOptions = {}): AsyncGenerator<Row> {
    yield * this.records.rows(contribution, await this.record(contribution, options), options)
  }

  async * texts (contribution: CID, options: AbortOptions = {}): AsyncGenerator<string> {
    const record = await this.record(contribution, options)
    const { textField } = await this.records.manifest(record.payload.datanet, options)
    for await (const row of this.records.rows(contribution, record, options)) {
      yield String(row[textField] ?? '')
    }
  }

  async holds (contribution: CID): Promise<boolean> {
    return this.components.storage.isPinned(contribution)
  }

  async snapshot (datanets: CID[], options: AbortOptions = {}): Promise<{ cid: CID, snapshot: Snapshot }> {
    const unique = [...new Map(datanets.map(datanet => [datanet.toString(), datanet])).values()]
    for (const datanet of unique) {
      if (this.index.datanet(datanet) === undefined) {
        throw new UnknownDatanetError(datanet)
      }
    }
    const byBytes = (a: CID, b: CID): number => compareBytes(a.bytes, b.bytes)
    const contributions = unique
      .flatMap(datanet => this.index.listContributions(datanet))
      .filter(({ state }) => state.status === 'admitted' && state.withdrawn === undefined)
      .map(({ contribution }) => contribution)
    if (contributions.length > CONTRIBUTIONS_MAX) {
      throw new SnapshotTooLargeError(contributions.length, CONTRIBUTIONS_MAX)
    }
    const snapshot: Snapshot = { type: 'snapshot', version: 1, datanets: unique.sort(byBytes), contributions: contributions.sort(byBytes) }
    const cid = await this.components.storage.put(snapshotCodec.encode(snapshot), { pin: true, signal: options.signal })
    return { cid, snapshot }
  }
}

/** Whoever sees a CID on its way could put it on the ledger as their own. */
const isBy = (author: Account | undefined, { account }: Signer): boolean => author !== undefined && equalBytes(author, account)

function requireOk (what: string, { ok, code, message }: { ok: boolean, code?: string, message?: string }): void {
  if (!ok) {
    throw new TransactionFailedError(what, code ?? 'ERR_TRANSACTION_FAILED', message ?? 'it gave no reason')
  }
}
