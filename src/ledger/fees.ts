import { BASIS_POINTS } from './constants.ts'
import { UnincludableError } from './errors.ts'
import { announce, credit, debit, findValidator, getChain } from './records.ts'
import type { Draft } from './draft.ts'
import type { Account, Amount, NetworkParams, Signed, Transaction } from '../interface/index.ts'

/** The least fee of a transaction of so many bytes, signed and encoded with that fee. */
export function feeMin (params: NetworkParams, byteLength: number): Amount {
  return params.feePerByte * BigInt(byteLength)
}

/**
 * Validators' duties are free: each may be done once per subject or task, and a network in which a
 * poor validator cannot attest stands still.
 */
function isDuty (draft: Draft, { signer, payload: { body } }: Signed<Transaction>): boolean {
  return (body.kind === 'attest' || body.kind === 'verdict' || body.kind === 'judge-step' || body.kind === 'judge-receipts') && findValidator(draft, signer) !== undefined
}

/** @throws {UnincludableError} `ERR_FEE` */
export function requireFee (draft: Draft, signed: Signed<Transaction>, byteLength: number): void {
  const least = feeMin(getChain(draft).params, byteLength)
  const { fee } = signed.payload

  if (fee < least && !isDuty(draft, signed)) {
    throw new UnincludableError('ERR_FEE', `expected a fee of at least ${least} base units for ${byteLength} bytes but got ${fee}: sign again with more`)
  }
}

/** Whatever becomes of the transaction. The proposer's share is rounded down. */
export function payFee (draft: Draft, payer: Account, proposer: Account, fee: Amount): void {
  if (fee === 0n) {
    return
  }

  const { treasury, params } = getChain(draft)
  const ofProposer = fee * BigInt(params.feeProposerBp) / BASIS_POINTS

  debit(draft, payer, fee)
  credit(draft, proposer, ofProposer)
  credit(draft, treasury, fee - ofProposer)
  announce(draft, payer, proposer, ofProposer, 'fee')
  announce(draft, payer, treasury, fee - ofProposer, 'fee')
}
