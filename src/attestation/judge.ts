import { isPassing } from '../datanets/index.ts'
import { readChain } from '../ledger/index.ts'
import { BLOCK_BYTES_MAX } from '../storage/index.ts'
import { toError } from '../utils/index.ts'
import { adapterFiles, checkAdapterRecords, drawBelow, readAdapterRecords } from './adapter-checks.ts'
import { checkContribution, failedCheck } from './checks.ts'
import { CannotJudgeError, EarlierUnavailableError } from './errors.ts'
import { History, earlierOf } from './history.ts'
import { checkImported } from './imported-checks.ts'
import { checkMerged } from './merged-checks.ts'
import type { AdapterRecords } from './adapter-checks.ts'
import type { AdapterCheck, ValidatorComponents } from './interface.ts'
import type { ContributionEntry } from '../datanets/index.ts'
import type { AbortOptions, Adapter, AdapterState, CheckResult } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** Comes to the check results of one subject. Passing errors are thrown, wrong content is a failed check. */
export class Judge {
  private readonly components: ValidatorComponents
  private readonly history: History

  constructor (components: ValidatorComponents) {
    this.components = components
    this.history = new History(components.datanets)
  }

  /**
   * @throws {EarlierUnavailableError} if `patient` and earlier contributions are missing
   * @throws {BlockUnavailableError} if its own shards are
   */
  async contribution (entry: ContributionEntry, patient: boolean, options: AbortOptions): Promise<CheckResult[]> {
    const { contribution, state: { datanet, index: source } } = entry
    const { datanets, chain } = this.components
    try {
      const { payload } = await datanets.record(contribution, options)
      const manifest = await datanets.manifest(datanet, options)
      const earlier = earlierOf(entry, datanets.contributions(datanet), chain.state())
      const index = this.history.of(datanet)
      const unavailable = await this.history.complete(index, earlier, options)
      if (unavailable > 0 && patient) {
        throw new EarlierUnavailableError(contribution, unavailable)
      }
      return await checkContribution({
        manifest,
        contribution: payload,
        rows: datanets.rows(contribution, options),
        index,
        source,
        earlier: new Set(earlier.map(({ state }) => state.index)),
        unavailable
      })
    } catch (err) {
      options.signal?.throwIfAborted()
      if (err instanceof EarlierUnavailableError || isPassing(err)) {
        throw err
      }
      return [failedCheck('record', toError(err).message)]
    }
  }

  async adapter (subject: CID, state: AdapterState, options: AbortOptions): Promise<CheckResult[]> {
    const { storage, adapterCheck } = this.components
    if (state.parents !== undefined) {
      return this.records(async () => checkMerged(storage, subject, state, options), options)
    }
    if (state.snapshot === null) {
      return this.records(async () => checkImported(storage, subject, state, this.components.chain.state(), options), options)
    }
    if (adapterCheck === undefined) {
      throw new CannotJudgeError(subject, 'it has no training service')
    }
    let records: AdapterRecords
    try {
      records = await readAdapterRecords(storage, subject, state, options)
    } catch (err) {
      options.signal?.throwIfAborted()
      if (isPassing(err)) {
        throw err
      }
      return [failedCheck('record', toError(err).message)]
    }
    const checks = checkAdapterRecords(records, state)
    if (checks.some(check => !check.passed)) {
      return checks
    }
    const files = adapterFiles(records.adapter)
    for (const file of files) {
      await storage.get(file, { ...options, bytesMax: BLOCK_BYTES_MAX })
    }
    checks.push({ name: 'files', passed: true, measure: files.length, limit: files.length, detail: 'all files were fetched' })
    checks.push(await this.recompute(subject, records.adapter, adapterCheck, options))
    return checks
  }

  /** Records and weights alone: neither a training service nor data have a say. */
  private async records (look: () => Promise<CheckResult[]>, options: AbortOptions): Promise<CheckResult[]> {
    try {
      return await look()
    } catch (err) {
      options.signal?.throwIfAborted()
      if (isPassing(err)) {
        throw err
      }
      return [failedCheck('record', toError(err).message)]
    }
  }

  /** One segment of the training, drawn by the beacon, the adapter and our account. */
  private async recompute (subject: CID, adapter: Adapter, check: AdapterCheck, options: AbortOptions): Promise<CheckResult> {
    const { chain, signer } = this.components
    const { beacon, params: { commitBlocks } } = readChain(chain.state())
    const segments = adapter.checkpoints.length
    const segment = drawBelow(segments, beacon, subject, signer.account, 0)
    const { ok, detail } = await check.spotCheck(adapter, segment, { ...options, commitBlocks })

    return { name: 'segment', passed: ok, measure: segment, limit: segments, detail: detail.slice(0, 480) }
  }
}
