import { accountFromString, accountToString } from '../identity/index.ts'
import { equalBytes, fromHex, toHex } from '../wire/index.ts'
import { SigningHistoryError } from './errors.ts'
import { isAfter } from './vote-store.ts'
import type { ChainStore } from './store.ts'
import type { Account, Hash } from '../interface/index.ts'

/**
 * How far a validator has signed, to be kept outside its disk and given back after a disk was
 * restored or a validator moved: as EIP-3076 does for Ethereum's. Votes are ordered by era and
 * view, and at most three are given in one, so the highest place is the minimal form of the history.
 */
export interface SigningHistory {
  type: 'signing-history'
  version: 1
  chain: string
  /** hash of the genesis header, hexadecimal */
  genesis: string
  /** the validator's account, a multikey */
  account: string
  era: number
  view: number
}

export interface SigningInit {
  chain: string
  genesisHash: Hash
  account: Account
  store: ChainStore
}

/** The history of this disk, imported ones included. */
export async function exportHistory ({ chain, genesisHash, account, store }: SigningInit): Promise<SigningHistory> {
  const [signed = { era: 0, view: 0 }, restored = { era: 0, view: 0 }] = [await store.signed(), await store.restored()]
  const { era, view } = isAfter(restored, signed) ? restored : signed

  return { type: 'signing-history', version: 1, chain, genesis: toHex(genesisHash), account: accountToString(account), era, view }
}

/**
 * From now on nothing is signed at or below the history's place, unless this disk's own history
 * reaches as far: then it is complete.
 *
 * @param init - whose history it must be
 * @param value - parsed JSON of anybody
 * @throws {SigningHistoryError}
 */
export async function importHistory (init: SigningInit, value: unknown): Promise<void> {
  const { chain, genesis, account, era, view } = parseSigningHistory(value)

  if (chain !== init.chain || !equalBytes(fromHex(genesis), init.genesisHash)) {
    throw new SigningHistoryError(`it is of the chain ${chain}, or of another genesis`)
  }
  if (!equalBytes(accountFromString(account), init.account)) {
    throw new SigningHistoryError(`it is of ${account}`)
  }

  const [signed = { era: 0, view: 0 }, known = { era: 0, view: 0 }] = [await init.store.signed(), await init.store.restored()]

  // a disk that has it all knows better than a limit what was signed
  if (isAfter({ era, view }, signed) && isAfter({ era, view }, known)) {
    await init.store.putRestored({ era, view })
  }
}

/**
 * A signing history out of parsed JSON.
 *
 * @throws {SigningHistoryError}
 */
export function parseSigningHistory (value: unknown): SigningHistory {
  const history: Partial<Record<keyof SigningHistory, unknown>> = typeof value === 'object' && value !== null ? value : {}
  const { type, version, chain, genesis, account, era, view } = history

  if (type !== 'signing-history' || version !== 1 || typeof chain !== 'string' || typeof genesis !== 'string' || typeof account !== 'string' ||
    typeof era !== 'number' || typeof view !== 'number' || !Number.isSafeInteger(era) || !Number.isSafeInteger(view) || era < 0 || view < 0) {
    throw new SigningHistoryError('it is no signing history of version 1')
  }
  return { type, version, chain, genesis, account, era, view }
}
