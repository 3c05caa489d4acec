import { verifyRecord } from '../identity/index.ts'
import { SHARD_BYTES_MAX, contributionCodec, datanetCodec, domains, equalBytes, shardCodec, signedCodec, toHex } from '../wire/index.ts'
import { BoundedMap } from './cache.ts'
import { ANNOUNCED_MAX, RECORDS_CACHED_MAX, SHARD_TIMEOUT_MS } from './constants.ts'
import { ContributionMismatchError, ForeignContributionError, LicenceMismatchError } from './errors.ts'
import type { ContributionEntry, DatanetsComponents } from './interface.ts'
import type { AbortOptions, Contribution, DatanetManifest, Row, Signed } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export const signedContributionCodec = signedCodec(contributionCodec)

/**
 * What a contribution must be before it is stored, forwarded or believed, cheapest checks first.
 *
 * @throws {ForeignContributionError}
 * @throws {LicenceMismatchError}
 * @throws {WrongAuthorError}
 * @throws {SignatureError}
 */
export function assertContribution (signed: Signed<Contribution>, datanet: CID, manifest: DatanetManifest): void {
  const { payload } = signed
  if (!payload.datanet.equals(datanet)) {
    throw new ForeignContributionError(datanet, payload.datanet)
  }
  if (payload.licence !== manifest.licence) {
    throw new LicenceMismatchError(manifest.licence, payload.licence)
  }
  verifyRecord(domains.contribution, contributionCodec, signed, payload.contributor)
}

/** Reads and verifies manifests, records and shards, and keeps the small ones decoded. */
export class Records {
  private readonly storage: DatanetsComponents['storage']
  private readonly manifests = new BoundedMap<DatanetManifest>(RECORDS_CACHED_MAX)
  private readonly verified = new BoundedMap<Signed<Contribution>>(RECORDS_CACHED_MAX)
  private readonly announced = new BoundedMap<Signed<Contribution>>(ANNOUNCED_MAX)

  constructor (storage: DatanetsComponents['storage']) {
    this.storage = storage
  }

  async manifest (datanet: CID, options: AbortOptions = {}): Promise<DatanetManifest> {
    const key = datanet.toString()
    const cached = this.manifests.get(key)
    if (cached !== undefined) {
      return cached
    }
    const manifest = datanetCodec.decode(await this.storage.get(datanet, { ...options, bytesMax: datanetCodec.bytesMax }))
    this.manifests.set(key, manifest)
    return manifest
  }

  /** Remembers an announcement that `assertContribution` found right. */
  announce (contribution: CID, signed: Signed<Contribution>): void {
    this.announced.set(contribution.toString(), signed)
  }

  isAnnounced (contribution: CID): boolean {
    return this.announced.get(contribution.toString()) !== undefined
  }

  /** The record, verified, and equal to what the ledger says if it says something. */
  async record (contribution: CID, entry: ContributionEntry | undefined, options: AbortOptions): Promise<Signed<Contribution>> {
    const key = contribution.toString()
    const cached = this.verified.get(key)
    if (cached !== undefined) {
      // a rejected entry may have given way to another account's since
      if (entry !== undefined) {
        this.assertLedger(cached.payload, entry)
      }
      return cached
    }
    const signed = this.announced.get(key) ??
      signedContributionCodec.decode(await this.storage.get(contribution, { ...options, bytesMax: signedContributionCodec.bytesMax }))
    assertContribution(signed, entry?.state.datanet ?? signed.payload.datanet, await this.manifest(signed.payload.datanet, options))
    if (entry !== undefined) {
      this.assertLedger(signed.payload, entry)
      this.verified.set(key, signed)
    }
    return signed
  }

  private assertLedger (record: Contribution, { contribution, state }: ContributionEntry): void {
    if (!record.datanet.equals(state.datanet)) {
      throw new ForeignContributionError(state.datanet, record.datanet)
    }
    if (!equalBytes(record.contributor, state.contributor)) {
      throw new ContributionMismatchError(contribution, 'contributor', toHex(state.contributor), toHex(record.contributor))
    }
    if (record.rows !== state.rows) {
      throw new ContributionMismatchError(contribution, 'rows', state.rows, record.rows)
    }
    if (record.bytes !== state.bytes) {
      throw new ContributionMismatchError(contribution, 'bytes', state.bytes, record.bytes)
    }
  }

  /** Rows of all shards; stops at the first that makes more than the record says. */
  async * rows (contribution: CID, { payload }: Signed<Contribution>, options: AbortOptions): AsyncGenerator<Row> {
    let rows = 0
    let bytes = 0
    for (const shard of payload.shards) {
      options.signal?.throwIfAborted()
      const block = await this.shard(shard, options)
      const decoded = shardCodec.decode(block)
      rows += decoded.rows.length
      bytes += block.byteLength
      if (bytes > payload.bytes || rows > payload.rows) {
        break
      }
      yield * decoded.rows
    }
    if (rows !== payload.rows) {
      throw new ContributionMismatchError(contribution, 'rows', payload.rows, rows)
    }
    if (bytes !== payload.bytes) {
      throw new ContributionMismatchError(contribution, 'bytes', payload.bytes, bytes)
    }
  }

  async shard (shard: CID, options: AbortOptions): Promise<Uint8Array> {
    const timeout = AbortSignal.timeout(SHARD_TIMEOUT_MS)
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
    return this.storage.get(shard, { signal, bytesMax: SHARD_BYTES_MAX })
  }
}
