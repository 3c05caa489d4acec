/**
 * Adapters that are several others at once.
 */
import type { Account, Price } from './records.ts'
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
