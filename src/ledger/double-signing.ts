/**
 * Validators that contradict themselves lose stake. An honest one never signs two blocks by one kind
 * of vote in one view, and never both nullifies and finalises a view; two such signatures are all
 * the proof that is needed, and anybody may bring it.
 *
 * A key belongs to its account for ever, so leaving the set or the list of candidates is no way
 * out. Stake that stood for an era stays in reach for at least one epoch after it: what is unbonded
 * in epoch e leaves the set with the cutoff of e + 1 and is free from e + `unbondEpochs` (at least
 * 3), and evidence of an era that ended with epoch e + 1 counts until e + `unbondEpochs` − 1.
 */
import { certificateValid, signersOf, voteBytes } from '../consensus/index.ts'
import { bls } from '../identity/index.ts'
import { equalBytes, validatorsHash } from '../wire/index.ts'
import { BASIS_POINTS, REPORT_REWARD_BP } from './constants.ts'
import { hashOfEra, isConvicted, lossOf } from './convictions.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { announce, credit, getChain, getNextValidators } from './records.ts'
import { addBond, ownerOfKey } from './validators.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Account, Amount, SignedStatement, TransactionBody } from '../interface/index.ts'

type Body<K extends TransactionBody['kind']> = Extract<TransactionBody, { kind: K }>

/** Two votes of one key. */
export function reportVotes ({ draft, signer }: Context, { blsPublicKey, era, view, first, second }: Body<'report-votes'>): void {
  const { chain } = getChain(draft)
  const validator = ownerOfKey(draft, blsPublicKey)

  if (validator === undefined) {
    throw new RuleError('ERR_VALIDATOR_UNKNOWN', 'expected the BLS key of somebody who is or was a validator')
  }

  requireOpenCase(draft, era, [validator])
  requireContradiction(first, second)

  for (const { kind, blockHash, signature } of [first, second]) {
    if (!bls.verify(blsPublicKey, voteBytes(chain, { kind, era, view, blockHash }), signature)) {
      throw new RuleError('ERR_EVIDENCE', 'expected votes that the key signed')
    }
  }

  convict(draft, validator, signer, era, view)
}

/** Two certificates, as of a fork that a light client saw: whoever signed both. */
export function reportCertificates ({ draft, signer }: Context, { era, view, first, second, validators }: Body<'report-certificates'>): void {
  const { chain } = getChain(draft)

  if (!equalBytes(validatorsHash(validators), hashOfEra(draft, era))) {
    throw new RuleError('ERR_EVIDENCE', `expected the validators of era ${era}`)
  }

  requireContradiction(first, second)

  const [some, others] = [first, second].map(({ signers }) => new Set(signersOf(signers, validators.length) ?? []))
  const guilty = validators.map(({ account }) => account).filter((_, index) => some.has(index) && others.has(index))

  requireOpenCase(draft, era, guilty)

  for (const { kind, blockHash, signers, signature } of [first, second]) {
    if (!certificateValid({ kind, era, view, blockHash, signers, signature }, validators, bls, chain)) {
      throw new RuleError('ERR_EVIDENCE', 'expected certificates of more than two thirds of the era\'s stake')
    }
  }

  for (const account of guilty.filter(account => !isConvicted(draft, account))) {
    convict(draft, account, signer, era, view)
  }
}

/** All that is cheap, before signatures are looked at. */
function requireOpenCase (draft: Draft, era: number, accused: Account[]): void {
  hashOfEra(draft, era)

  if (accused.length === 0) {
    throw new RuleError('ERR_EVIDENCE', 'expected certificates that somebody signed both of')
  }

  if (accused.every(account => isConvicted(draft, account))) {
    throw new RuleError('ERR_CONVICTED', 'expected a validator that was not convicted before')
  }
}

/** Of statements in one view: two blocks by one kind of vote, or a view that is both nullified and finalised. */
function requireContradiction (first: Omit<SignedStatement, 'signature'>, second: Omit<SignedStatement, 'signature'>): void {
  const kinds = [first.kind, second.kind]
  const isOpposite = kinds.includes('nullify') && kinds.includes('finalize')

  if (!isOpposite && (first.kind !== second.kind || equalBytes(first.blockHash, second.blockHash))) {
    throw new RuleError('ERR_EVIDENCE', 'expected votes of one kind for two blocks, or one that nullifies and one that finalises the view')
  }
}

/**
 * Slashes what the validator has bonded to itself or is taking out, and ends it as a validator, for
 * good: it is in no set that is not at work yet. What others delegated is slashed when they take it out.
 */
function convict (draft: Draft, validator: Account, reporter: Account, era: number, view: number): void {
  const { treasury, epoch } = getChain(draft)
  const bonded = draft.get(stateCodecs.bond, stateKeys.bond(validator, validator)) ?? 0n
  const slashed = lossOf(bonded) + slashUnbonding(draft, validator, epoch)
  const reward = slashed * REPORT_REWARD_BP / BASIS_POINTS

  addBond(draft, validator, validator, -lossOf(bonded))
  credit(draft, reporter, reward)
  credit(draft, treasury, slashed - reward)
  announce(draft, validator, treasury, slashed - reward, 'slash')
  announce(draft, validator, reporter, reward, 'bounty')
  draft.put(stateCodecs.conviction, stateKeys.conviction(validator), { epoch, era, view, reporter, slashed })
  draft.emit({ type: 'conviction', validator, reporter, era, view, slashed })

  const coming = getNextValidators(draft).filter(({ account }) => !equalBytes(account, validator))

  // a chain without validators would stop for ever
  if (coming.length > 0) {
    draft.put(stateCodecs.validators, stateKeys.nextValidators, coming)
  }
}

/** Own stake on its way out. What is free already was in reach long enough. */
function slashUnbonding (draft: Draft, validator: Account, epoch: number): Amount {
  const key = stateKeys.unbonding(validator)
  const waiting = draft.get(stateCodecs.unbonding, key) ?? []
  let slashed = 0n

  const rest = waiting.map(one => {
    const loss = equalBytes(one.validator, validator) && one.epoch > epoch ? lossOf(one.amount) : 0n

    slashed += loss

    return { ...one, amount: one.amount - loss }
  })

  if (slashed > 0n) {
    draft.put(stateCodecs.unbonding, key, rest)
  }

  return slashed
}
