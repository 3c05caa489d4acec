import { compareBytes, hash } from '../wire/index.ts'
import { COLUMN_ACCOUNTS_MAX, COLUMN_DRAW_DOMAIN } from './constants.ts'
import type { Account } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * The accounts that share an adapter's columns, by rendezvous hashing: at most
 * COLUMN_ACCOUNTS_MAX, others for each adapter. One that goes away moves only what it had.
 */
export function drawAccounts (adapter: CID, accounts: readonly Account[]): Account[] {
  return ranked(accounts, account => hash(COLUMN_DRAW_DOMAIN, adapter.bytes, account)).slice(0, COLUMN_ACCOUNTS_MAX)
}

/**
 * The line of those who compute one column, the first first. Whoever is at its end is asked only
 * when those before are silent.
 *
 * @param adapter - CID of its signed record
 * @param column - index of the contribution in the adapter's snapshot
 * @param accounts - as `drawAccounts` gives them, in any order
 */
export function drawComputers (adapter: CID, column: number, accounts: readonly Account[]): Account[] {
  const place = Uint8Array.of(column >> 8, column & 255)

  return ranked(accounts, account => hash(COLUMN_DRAW_DOMAIN, adapter.bytes, account, place))
}

function ranked (accounts: readonly Account[], digest: (account: Account) => Uint8Array): Account[] {
  return accounts
    .map(account => ({ account, digest: digest(account) }))
    .sort((a, b) => compareBytes(a.digest, b.digest))
    .map(({ account }) => account)
}
