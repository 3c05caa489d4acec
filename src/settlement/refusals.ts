import { checkFee, readAccount } from '../ledger/index.ts'
import { DatanetError } from '../utils/index.ts'
import { equalBytes } from '../wire/index.ts'
import type { Waiting } from './mempool.ts'
import type { Signed, Transaction } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

/** A transaction that was submitted here. */
export type Own = Pick<Waiting, 'id' | 'signed'>

/** Why a transaction can not be executed any more. */
export type Reason = Pick<DatanetError, 'code' | 'message'>

export const nonceUsed = ({ signed }: Own): Reason => ({ code: 'ERR_NONCE', message: `nonce ${signed.payload.nonce} was used by another transaction of the account` })

/**
 * What no block may hold any more although its turn has come, with what waits behind it: an account
 * would else be stuck with it until somebody pays it something.
 *
 * @param state - the newest final one
 * @param own - all that wait
 */
export function unpayable (state: LedgerState, own: Own[]): Array<{ one: Own, reason: Reason }> {
  return own.filter(({ signed: { signer, payload } }) => payload.nonce === readAccount(state, signer).nonce).flatMap(first => {
    const reason = faultOf(state, first.signed)

    if (reason === undefined) {
      return []
    }

    const { signer, payload: { nonce } } = first.signed
    const behind = own.filter(one => equalBytes(one.signed.signer, signer) && one.signed.payload.nonce > nonce)
    const gap: Reason = { code: 'ERR_NONCE', message: `the account's transaction before it, of nonce ${nonce}, can not pay its fee: sign again` }

    return [{ one: first, reason }, ...behind.map(one => ({ one, reason: gap }))]
  })
}

function faultOf (state: LedgerState, signed: Signed<Transaction>): Reason | undefined {
  try {
    checkFee(state, signed)
  } catch (error) {
    if (error instanceof DatanetError) {
      return error
    }
    throw error
  }
}
