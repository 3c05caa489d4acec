import { signRecord } from '../identity/index.ts'
import { SHARDS_MAX, contributionCodec, domains } from '../wire/index.ts'
import { ContributionTooLargeError, RowCountError } from './errors.ts'
import { signedContributionCodec } from './records.ts'
import { cutShards } from './shards.ts'
import type { ContributeEvent, Contributed, DatanetsComponents, NewContribution } from './interface.ts'
import type { Contribution, DatanetManifest, ProgressOptions } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * Cuts, stores and pins the shards and the signed record of a contribution. What it returns is on
 * the disk and survives a crash; it is not announced and not on the ledger.
 */
export async function storeContribution (
  storage: DatanetsComponents['storage'],
  { datanet, title, rows: source, signer }: NewContribution,
  manifest: DatanetManifest,
  options: ProgressOptions<ContributeEvent>
): Promise<Contributed> {
  const { rowsMin, rowsMax } = manifest.admission
  const shards: CID[] = []
  let rows = 0
  let bytes = 0
  for await (const shard of cutShards(source, manifest.fields)) {
    options.signal?.throwIfAborted()
    rows += shard.rows
    bytes += shard.bytes.byteLength
    if (rows > rowsMax) {
      throw new RowCountError(rows, rowsMin, rowsMax)
    }
    if (shards.length === SHARDS_MAX) {
      throw new ContributionTooLargeError(SHARDS_MAX)
    }
    const cid = await storage.put(shard.bytes, { signal: options.signal })
    shards.push(cid)
    options.onProgress?.({ type: 'datanets:contribute:shard', shard: cid, shards: shards.length, rows, bytes })
  }
  if (rows < rowsMin) {
    throw new RowCountError(rows, rowsMin, rowsMax)
  }
  const payload: Contribution = {
    type: 'contribution', version: 1, datanet, contributor: signer.account, title, licence: manifest.licence, rows, bytes, shards
  }
  const record = signRecord(domains.contribution, contributionCodec, payload, signer)
  const contribution = await storage.put(signedContributionCodec.encode(record), { signal: options.signal })
  // with its shards: see Holder
  await storage.pin(contribution, { depth: 1, signal: options.signal })
  options.onProgress?.({ type: 'datanets:contribute:stored', contribution })
  return { contribution, record }
}
