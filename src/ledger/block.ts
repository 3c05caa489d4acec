import { DatanetError } from '../utils/index.ts'
import { BLOCK_BYTES_MAX, cidOf, domains, hash, signedTransactionCodec, TRANSACTIONS_MAX } from '../wire/index.ts'
import { requireIncludable } from './check.ts'
import { enter } from './committee.ts'
import { DRAW_DELAY_BLOCKS } from './constants.ts'
import { Draft } from './draft.ts'
import { BlockError } from './errors.ts'
import { payFee } from './fees.ts'
import { extendHistory } from './history.ts'
import { advanceTask } from './phases.ts'
import { advanceProposals } from './proposals.ts'
import { findValidator, getAccount, getChain, getTask, patchAccount, patchChain } from './records.ts'
import { beginTasks } from './redemptions.ts'
import { applyBody } from './rules.ts'
import { nextSets } from './validators.ts'
import type { BlockInput, BlockOutcome, LedgerState } from './interface.ts'
import type { Account, Amount, Signed, Transaction, TransactionResult } from '../interface/index.ts'

/**
 * The state after a block. Deterministic: equal states and blocks give equal roots everywhere.
 *
 * A transaction that breaks a rule spends its nonce and its fee and changes nothing else; one that no block
 * should hold (`isIncludable`) changes nothing at all. After the transactions the parent becomes
 * history, the beacon is mixed, votes and tasks move on, and at heights that are a multiple of `epochBlocks` the epoch is cut off.
 *
 * @throws {BlockError} when the block breaks its limits or does not follow `state`
 * @throws {MalformedRecordError} when a transaction cannot be encoded
 */
export function executeBlock (state: LedgerState, block: BlockInput): BlockOutcome {
  const draft = new Draft(state.map, block.height)

  checkBlock(draft, state, block)

  const encoded = block.transactions.map(transaction => signedTransactionCodec.encode(transaction))
  const bytes = encoded.reduce((sum, one) => sum + one.length, 0)

  if (bytes > BLOCK_BYTES_MAX) {
    throw new BlockError('ERR_BLOCK_BYTES', `a block has at most ${BLOCK_BYTES_MAX} bytes of transactions but this one has ${bytes}`)
  }

  const results = block.transactions.map((transaction, i): TransactionResult => {
    return { id: cidOf(encoded[i]), ...executeTransaction(draft, transaction, encoded[i].length, block.proposer) }
  })

  endBlock(draft, block)

  return { state: { map: draft.apply(), height: block.height }, results, events: draft.events }
}

function checkBlock (draft: Draft, state: LedgerState, { height, parent, proposer, beaconSignature, transactions }: BlockInput): void {
  if (height !== state.height + 1) {
    throw new BlockError('ERR_BLOCK_HEIGHT', `expected the block at height ${state.height + 1} but got ${height}`)
  }

  if (parent.length !== 32) {
    throw new BlockError('ERR_BLOCK_PARENT', `expected the hash of the parent's header, 32 bytes, but got ${parent.length}`)
  }

  if (beaconSignature.length !== 96) {
    throw new BlockError('ERR_BLOCK_BEACON', `expected a BLS signature of 96 bytes but got ${beaconSignature.length}`)
  }

  if (transactions.length > TRANSACTIONS_MAX) {
    throw new BlockError('ERR_BLOCK_TRANSACTIONS', `a block has at most ${TRANSACTIONS_MAX} transactions but this one has ${transactions.length}`)
  }

  if (findValidator(draft, proposer) === undefined) {
    throw new BlockError('ERR_BLOCK_PROPOSER', 'expected a proposer from the validator set')
  }
}

function executeTransaction (draft: Draft, signed: Signed<Transaction>, byteLength: number, proposer: Account): Omit<TransactionResult, 'id'> {
  const { signer, payload: { nonce, fee, body } } = signed

  try {
    requireIncludable(draft, signed, byteLength)
  } catch (err) {
    return failure(err, 0n)
  }

  patchAccount(draft, signer, { nonce: getAccount(draft, signer).nonce + 1 })
  payFee(draft, signer, proposer, fee)

  const fork = draft.fork()

  try {
    applyBody({ draft: fork, signer, nonce, height: draft.height }, body)
  } catch (err) {
    return failure(err, fee)
  }

  fork.merge()

  return { ok: true, fee }
}

/** Errors with a code are the transaction's fault; all others are ours and must be heard. */
function failure (err: unknown, fee: Amount): Omit<TransactionResult, 'id'> {
  if (err instanceof DatanetError) {
    return { ok: false, fee, code: err.code, message: err.message }
  }

  throw err
}

function endBlock (draft: Draft, { height, parent, beaconSignature }: BlockInput): void {
  const { beacon, openTasks, epoch, params: { epochBlocks } } = getChain(draft)

  extendHistory(draft, parent)
  // RANDAO: the signature is deterministic, so its author can withhold its block but not choose
  patchChain(draft, { height, beacon: hash(domains.beaconMix, beacon, beaconSignature) })
  advanceProposals(draft)

  for (const task of openTasks) {
    advanceTask(draft, task)
  }

  if (height % epochBlocks === 0) {
    cutOff(draft, epoch)
  }
}

/** Ends the epoch: what was redeemed in it is now fixed, and committees are drawn when nobody could have known that. */
function cutOff (draft: Draft, epoch: number): void {
  const { openTasks, epochFeeSplit, params } = getChain(draft)

  for (const id of openTasks) {
    const task = getTask(draft, id)

    if (task?.phase === 'collecting' && task.deadline === 0) {
      // what rolled over keeps the split of its own epoch
      enter(draft, id, { ...task, feeSplit: task.feeSplit ?? epochFeeSplit }, 'collecting', DRAW_DELAY_BLOCKS)
    }
  }

  nextSets(draft)
  patchChain(draft, { epoch: epoch + 1, epochFeeSplit: params.feeSplit })
  beginTasks(draft)
}
