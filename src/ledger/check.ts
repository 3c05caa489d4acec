import { verifyRecord } from '../identity/index.ts'
import { domains, signedTransactionCodec, transactionCodec } from '../wire/index.ts'
import { NONCE_GAP_MAX } from './constants.ts'
import { Draft } from './draft.ts'
import { InsufficientFundsError, UnincludableError } from './errors.ts'
import { requireFee } from './fees.ts'
import { stateKeys } from './keys.ts'
import { getAccount, getChain } from './records.ts'
import { costOf } from './rules.ts'
import { stateCodecs } from './values.ts'
import type { CheckOptions, LedgerState } from './interface.ts'
import type { Signed, Transaction, TransactionResult } from '../interface/index.ts'

const UNINCLUDABLE = new Set(['ERR_CHAIN', 'ERR_SIGNATURE', 'ERR_NONCE', 'ERR_UNKNOWN_ACCOUNT', 'ERR_FEE'])

/**
 * Whether a mempool should keep a transaction: form, chain, account, nonce, funds and, last because
 * it is dear, the signature. The rules of its kind are checked only when it is executed.
 *
 * @throws {MalformedRecordError} when it cannot be encoded
 * @throws {UnincludableError} `ERR_CHAIN`, `ERR_UNKNOWN_ACCOUNT`, `ERR_NONCE`, `ERR_FEE`
 * @throws {InsufficientFundsError} `ERR_INSUFFICIENT_FUNDS`
 * @throws {SignatureError} `ERR_SIGNATURE`
 */
export function checkTransaction (state: LedgerState, signed: Signed<Transaction>, options: CheckOptions = {}): void {
  const draft = new Draft(state.map, state.height + 1)
  const { nonce, body, fee } = signed.payload
  const { byteLength } = signedTransactionCodec.encode(signed)

  requireKnown(draft, signed)

  const account = getAccount(draft, signed.signer)
  const gapMax = options.nonceGapMax ?? NONCE_GAP_MAX

  if (nonce < account.nonce || nonce > account.nonce + gapMax) {
    throw new UnincludableError('ERR_NONCE', `expected a nonce from ${account.nonce} to ${account.nonce + gapMax} but got ${nonce}: read the account again`)
  }

  requireFee(draft, signed, byteLength)

  const cost = costOf(body, getChain(draft).params) + fee

  if (account.balance < cost) {
    throw new InsufficientFundsError(cost, account.balance, 'balance')
  }

  verifyRecord(domains.transaction, transactionCodec, signed)
}

/**
 * Whether the next block may hold a transaction whose turn it is, as far as its fee goes: what could be
 * paid when it was submitted may not be any more.
 *
 * @throws {UnincludableError} `ERR_FEE`
 */
export function checkFee (state: LedgerState, signed: Signed<Transaction>): void {
  const draft = new Draft(state.map, state.height + 1)

  requirePayable(draft, signed, signedTransactionCodec.encode(signed).byteLength)
}

/**
 * Whether a block may hold a transaction at this place.
 *
 * @throws {UnincludableError | SignatureError}
 */
export function requireIncludable (draft: Draft, signed: Signed<Transaction>, byteLength: number): void {
  const { nonce } = requireKnown(draft, signed)

  if (signed.payload.nonce !== nonce) {
    throw new UnincludableError('ERR_NONCE', `expected nonce ${nonce} but got ${signed.payload.nonce}: it was executed before, or an earlier one is missing`)
  }

  requirePayable(draft, signed, byteLength)
  verifyRecord(domains.transaction, transactionCodec, signed)
}

function requirePayable (draft: Draft, signed: Signed<Transaction>, byteLength: number): void {
  const { balance } = getAccount(draft, signed.signer)

  requireFee(draft, signed, byteLength)

  if (balance < signed.payload.fee) {
    throw new UnincludableError('ERR_FEE', `expected at least ${signed.payload.fee} base units for the fee but there are ${balance}: get some OPEN first`)
  }
}

/**
 * False for results of transactions that no honest proposer puts into a block: foreign, replayed
 * or forged ones. They change nothing, not even a nonce.
 */
export function isIncludable (result: TransactionResult): boolean {
  return result.ok || result.code === undefined || !UNINCLUDABLE.has(result.code)
}

function requireKnown (draft: Draft, signed: Signed<Transaction>): { nonce: number } {
  const { chain } = getChain(draft)
  const account = draft.get(stateCodecs.account, stateKeys.account(signed.signer))

  if (signed.payload.chain !== chain) {
    throw new UnincludableError('ERR_CHAIN', `expected a transaction for the chain ${chain} but got one for ${signed.payload.chain}`)
  }

  // else anyone could fill the state with accounts that fail and have nothing
  if (account === undefined) {
    throw new UnincludableError('ERR_UNKNOWN_ACCOUNT', 'expected an account of this ledger: it needs some OPEN before its first transaction')
  }

  return account
}
