import { isPassing } from '../datanets/index.ts'
import { listAttestations, readValidators } from '../ledger/index.ts'
import { indexRows } from './checks.ts'
import { fingerprint } from './fingerprint.ts'
import { RowIndex } from './row-index.ts'
import type { ValidatorComponents } from './interface.ts'
import type { ContributionEntry } from '../datanets/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { CID } from 'multiformats/cid'

const keyOf = (account: Uint8Array): string => account.join(',')

/**
 * The height at which the stake against a subject passed two thirds, from its attestations in the
 * state; undefined if it was not rejected. The validator set is fixed.
 */
export function rejectionHeight (state: LedgerState, { contribution, state: { status } }: ContributionEntry): number | undefined {
  if (status !== 'rejected') {
    return undefined
  }
  const stakes = new Map(readValidators(state).map(({ account, stake }) => [keyOf(account), stake]))
  const total = [...stakes.values()].reduce((sum, stake) => sum + stake, 0n)
  const against = [...listAttestations(state, contribution)]
    .filter(({ state: { verdict } }) => verdict === 'reject')
    .sort((a, b) => a.state.height - b.state.height)
  let stake = 0n
  for (const { validator, state: { height } } of against) {
    stake += stakes.get(keyOf(validator)) ?? 0n
    if (stake * 3n > total * 2n) {
      return height
    }
  }
  return undefined
}

/**
 * What a contribution is compared with: the contributions before it in its Datanet, except those
 * that a block up to its own had rejected. A function of ledger positions, so every validator at
 * any later time gets the same set: whether an earlier one is pending, admitted or rejected *now*
 * does not matter. A rejected entry that gave way to another account's has that one's place from then
 * on: if it was a squatter's, its record was another's, so it had no rows to be compared with.
 */
export function earlierOf (entry: ContributionEntry, all: ContributionEntry[], state: LedgerState): ContributionEntry[] {
  return all.filter(other => other.state.index < entry.state.index && (rejectionHeight(state, other) ?? Infinity) > entry.state.height)
}

/** The fingerprints of the rows of each Datanet's contributions, computed when first needed after a start. */
export class History {
  private readonly datanets: ValidatorComponents['datanets']
  private readonly indexes = new Map<string, RowIndex>()

  constructor (datanets: ValidatorComponents['datanets']) {
    this.datanets = datanets
  }

  of (datanet: CID): RowIndex {
    const key = datanet.toString()
    const index = this.indexes.get(key) ?? new RowIndex()
    this.indexes.set(key, index)
    return index
  }

  /** Brings the rows of contributions into the index; returns how many nobody gave us. */
  async complete (index: RowIndex, entries: ContributionEntry[], options: AbortOptions): Promise<number> {
    let missing = 0
    for (const { contribution, state: { index: source } } of entries) {
      if (index.has(source)) {
        continue
      }
      const prints = []
      try {
        for await (const text of this.texts(contribution, options)) {
          prints.push(fingerprint(text))
        }
      } catch (err) {
        options.signal?.throwIfAborted()
        if (isPassing(err)) {
          missing++
          continue
        }
        // a contribution that is wrong in itself will be rejected; nothing can repeat its rows
        prints.length = 0
      }
      indexRows(index, source, prints)
    }
    return missing
  }

  private async * texts (contribution: CID, options: AbortOptions): AsyncGenerator<string> {
    const { payload } = await this.datanets.record(contribution, options)
    const { textField } = await this.datanets.manifest(payload.datanet, options)
    for await (const row of this.datanets.rows(contribution, options)) {
      yield String(row[textField] ?? '')
    }
  }
}
