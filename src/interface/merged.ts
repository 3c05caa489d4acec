/**
 * Adapters that are several others at once.
 */
import type { Account, Adapter, ImportedAdapter, Price } from './records.ts'
import type { CID } from 'multiformats/cid'

/** One of the adapters that are merged. */
export interface MergeParent {
  adapter: CID
  /** thousandths by which its change of the base is multiplied; never 0 */
  weightMilli: number
}

/**
 * Admitted adapters of one base whose changes are added up. It has no weights of its own: whoever
 * has the parents can compute it. Travels as `Signed<MergedAdapter>`.
 */
export interface MergedAdapter extends Price {
  type: 'merged-adapter'
  version: 1
  name: string
  /** who publishes it; its parents' developers are paid */
  developer: Account
  base: CID
  /** 2 to 4, in the order in which they are added: ascending by CID */
  parents: MergeParent[]
}

/** What an adapter's CID on the ledger can name; `type` tells which. */
export type PublishedAdapter = Adapter | ImportedAdapter | MergedAdapter

/** What one adapter of a merge did for an answer. */
export interface AnswerParentView {
  adapter: string
  name: string
  developer: string
  /** as it is multiplied: 1 is the adapter as it was trained */
  weight: number
  /** its part of what all together changed in the answer's log-likelihood, nats; may be negative */
  effect: number
  /** of the positive part, 0..1 */
  share: number
  /** of the answer, through this adapter, 0..1; empty where it has no influence Jacobian */
  contributions: Array<{ contribution: string, share: number }>
}

/** POST /api/v1/adapters/merge */
export interface MergeAdaptersRequest {
  /** CIDs, or names for the newest version of each; weights in thousandths, not 0 */
  parents: Array<{ adapter: string, weight: number }>
  /** @default the parents' names and weights */
  name?: string
}

/** POST /api/v1/adapters/merge */
export interface MergedAdapterView {
  adapter: string
  name: string
  parents: Array<{ adapter: string, weight: number }>
  /** `admitted` if the ledger had the same merge already: then nothing was published */
  status: 'pending' | 'admitted'
  pricePerThousandTokens: string
}
