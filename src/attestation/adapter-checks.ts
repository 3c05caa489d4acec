import { verifyRecord } from '../identity/index.ts'
import { RECORD_BYTES_MAX, adapterCodec, domains, equalBytes, hash, recipeCodec, signedCodec, snapshotCodec } from '../wire/index.ts'
import { failedCheck } from './checks.ts'
import { SEGMENT_DOMAIN } from './constants.ts'
import type { AbortOptions, Account, Adapter, AdapterState, CheckResult, Hash, Recipe, Snapshot } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

export const signedAdapterCodec = signedCodec(adapterCodec)

/**
 * A number below `count` that nobody could foresee when the adapter was published: the beacon came
 * later. Every validator draws its own, so that together they look at many places.
 */
export function drawBelow (count: number, beacon: Hash, adapter: CID, validator: Account, what: number): number {
  const digest = hash(SEGMENT_DOMAIN, beacon, adapter.bytes, validator, Uint8Array.of(what))
  return Number(new DataView(digest.buffer, digest.byteOffset).getBigUint64(0) % BigInt(count))
}

const exactly = (name: string, measure: number, limit: number, detail: string): CheckResult =>
  ({ name, passed: measure === limit, measure, limit, detail })

const same = (a: CID[], b: CID[]): boolean => a.length === b.length && a.every((cid, index) => b[index]?.equals(cid) === true)

export interface AdapterRecords {
  adapter: Adapter
  recipe: Recipe
  snapshot: Snapshot
}

/**
 * Fetches an adapter's records.
 *
 * @throws {SignatureError} and other errors of wire and identity, for which the adapter is to be rejected
 */
export async function readAdapterRecords (storage: Pick<Storage, 'get'>, subject: CID, state: AdapterState, options: AbortOptions): Promise<AdapterRecords> {
  const signed = signedAdapterCodec.decode(await storage.get(subject, { ...options, bytesMax: signedAdapterCodec.bytesMax }))
  verifyRecord(domains.adapter, adapterCodec, signed, state.developer)
  const adapter = signed.payload
  return {
    adapter,
    recipe: recipeCodec.decode(await storage.get(adapter.recipe, { ...options, bytesMax: RECORD_BYTES_MAX })),
    snapshot: snapshotCodec.decode(await storage.get(adapter.snapshot, { ...options, bytesMax: RECORD_BYTES_MAX }))
  }
}

/** What an adapter's records say of each other and what the ledger says of them. Pure. */
export function checkAdapterRecords ({ adapter, recipe, snapshot }: AdapterRecords, state: AdapterState): CheckResult[] {
  const wrong = [
    equalBytes(adapter.developer, state.developer) ? '' : 'developer',
    adapter.base.equals(state.base) && recipe.base.equals(state.base) ? '' : 'base',
    adapter.snapshot.equals(state.snapshot) && recipe.snapshot.equals(state.snapshot) ? '' : 'snapshot',
    same(snapshot.contributions, state.contributions) ? '' : 'contributions'
  ].filter(field => field !== '')
  const checkpoints = Math.ceil(recipe.steps / recipe.checkpointEverySteps)
  const columns = adapter.influence.form === 'forward' ? adapter.influence.columns.length : snapshot.contributions.length
  return [
    exactly('ledger', wrong.length, 0, wrong.length === 0 ? 'the records and the ledger agree' : `the records and the ledger differ in ${wrong.join(', ')}`),
    exactly('checkpoints', adapter.checkpoints.length, checkpoints, `the recipe makes ${checkpoints} checkpoints`),
    exactly('losses', adapter.lossMicro.length, recipe.steps, `the recipe has ${recipe.steps} steps`),
    exactly('columns', columns, snapshot.contributions.length, `the form of its influence is ${adapter.influence.form}`)
  ]
}

/** The blocks that name the adapter's files: fetching them shows that somebody serves them. */
export const adapterFiles = (adapter: Adapter): CID[] =>
  [adapter.weights, ...adapter.checkpoints, ...(adapter.influence.form === 'forward' ? adapter.influence.columns : [])]

export { failedCheck }
