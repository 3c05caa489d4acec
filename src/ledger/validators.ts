import { accountFromString, bls } from '../identity/index.ts'
import { compareBytes, domains, equalBytes, hash, toHex, validatorsHash } from '../wire/index.ts'
import { UNBONDINGS_MAX } from './constants.ts'
import { afterConviction, endEra, forgetEras, isConvicted } from './convictions.ts'
import { InsufficientFundsError, RuleError } from './errors.ts'
import { stateKeys, statePrefixes } from './keys.ts'
import { requirePositive } from './money.ts'
import { announce, credit, debit, getCandidate, getChain, getNextValidators, patchChain } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Account, Amount, UnbondingState, Validator } from '../interface/index.ts'

const keyHash = (blsPublicKey: Uint8Array): Uint8Array => hash(domains.validators, blsPublicKey)

/**
 * Registers a BLS key and bonds the first stake, one's own. The proof of possession names the
 * account, so nobody can register a key that was seen in another's transaction.
 */
export function registerValidator ({ draft, signer }: Context, body: { blsPublicKey: Uint8Array, possession: Uint8Array, amount: Amount }): void {
  requirePositive(body.amount)

  if (getCandidate(draft, signer) !== undefined) {
    throw new RuleError('ERR_VALIDATOR_EXISTS', 'expected an account that is no validator: bond more stake instead, or unbond all of it first')
  }

  requireUnconvicted(draft, signer)

  const owner = ownerOfKey(draft, body.blsPublicKey)

  if (owner !== undefined && !equalBytes(owner, signer)) {
    throw new RuleError('ERR_VALIDATOR_KEY', 'expected a BLS key that nobody has registered: make a new one')
  }

  if (!bls.verifyPossession(body.blsPublicKey, body.possession, signer)) {
    throw new RuleError('ERR_POSSESSION', 'expected a signature of the BLS key over itself and the account: bls.possess(secretKey, account)')
  }

  debit(draft, signer, body.amount)
  addCandidate(draft, signer, body.blsPublicKey)
  addBond(draft, signer, signer, body.amount)
  announce(draft, signer, signer, body.amount, 'stake')
}

/** Stakes on a validator, oneself or another. It counts from the epoch after the next. */
export function bond ({ draft, signer }: Context, body: { validator: Account, amount: Amount }): void {
  requirePositive(body.amount)

  if (getCandidate(draft, body.validator) === undefined) {
    throw new RuleError('ERR_VALIDATOR_UNKNOWN', 'expected a registered validator')
  }

  requireUnconvicted(draft, body.validator)

  debit(draft, signer, body.amount)
  addBond(draft, body.validator, signer, body.amount)
  announce(draft, signer, body.validator, body.amount, 'stake')
}

/** Takes stake off a validator: all of one's own to leave the set. It stays locked while it may still count in one. */
export function unbond ({ draft, signer }: Context, body: { validator: Account, amount: Amount }): void {
  const key = stateKeys.bond(body.validator, signer)
  const bonded = draft.get(stateCodecs.bond, key) ?? 0n
  const { epoch, params: { unbondEpochs } } = getChain(draft)
  const waiting = draft.get(stateCodecs.unbonding, stateKeys.unbonding(signer)) ?? []

  requirePositive(body.amount)

  if (bonded < body.amount) {
    throw new InsufficientFundsError(body.amount, bonded, 'bonded stake')
  }

  if (waiting.length >= UNBONDINGS_MAX) {
    throw new RuleError('ERR_UNBONDINGS', `an account has at most ${UNBONDINGS_MAX} sums on their way: withdraw first`)
  }

  addBond(draft, body.validator, signer, -body.amount)
  draft.put(stateCodecs.unbonding, stateKeys.unbonding(signer), [...waiting, { validator: body.validator, amount: body.amount, epoch: epoch + unbondEpochs }])
}

/** Takes back all that was unbonded long enough ago, less what a validator's double signing costs. */
export function withdraw ({ draft, signer }: Context): void {
  const { epoch, treasury } = getChain(draft)
  const key = stateKeys.unbonding(signer)
  const waiting = draft.get(stateCodecs.unbonding, key) ?? []
  const rest: UnbondingState = waiting.filter(one => one.epoch > epoch)

  if (rest.length === waiting.length) {
    throw new RuleError('ERR_NOTHING_TO_WITHDRAW', rest.length === 0 ? 'expected stake that was unbonded' : `expected stake that is free but the first is in epoch ${rest[0].epoch}, this is ${epoch}`)
  }

  for (const { validator, amount, epoch: free } of waiting) {
    if (free <= epoch) {
      const left = afterConviction(draft, validator, signer, amount, free)

      credit(draft, signer, left)
      credit(draft, treasury, amount - left)
      announce(draft, validator, signer, left, 'stake')
      announce(draft, signer, treasury, amount - left, 'slash')
    }
  }

  if (rest.length > 0) {
    draft.put(stateCodecs.unbonding, key, rest)
  } else {
    draft.delete(key)
  }
}

/** Who registered a key, now or long ago: a key has one owner for ever, so that it can be held to what it signed. */
export function ownerOfKey (draft: Draft, blsPublicKey: Uint8Array): Account | undefined {
  return draft.get(stateCodecs.owner, stateKeys.keyOwner(keyHash(blsPublicKey)))
}

function requireUnconvicted (draft: Draft, validator: Account): void {
  if (isConvicted(draft, validator)) {
    throw new RuleError('ERR_CONVICTED', 'expected an account that was never convicted of double signing: validate with another one')
  }
}

export function addCandidate (draft: Draft, account: Account, blsPublicKey: Uint8Array): void {
  draft.put(stateCodecs.candidate, stateKeys.candidate(account), { blsPublicKey, bonded: 0n, height: draft.height })
  draft.put(stateCodecs.owner, stateKeys.keyOwner(keyHash(blsPublicKey)), account)
}

/** Changes what `owner` has bonded to `validator`; who has nothing left is no candidate any more. */
export function addBond (draft: Draft, validator: Account, owner: Account, change: Amount): void {
  const key = stateKeys.bond(validator, owner)
  const amount = (draft.get(stateCodecs.bond, key) ?? 0n) + change
  const candidate = getCandidate(draft, validator)

  if (amount > 0n) {
    draft.put(stateCodecs.bond, key, amount)
  } else {
    draft.delete(key)
  }

  if (candidate === undefined) {
    return
  }

  const bonded = candidate.bonded + change

  if (bonded > 0n) {
    draft.put(stateCodecs.candidate, stateKeys.candidate(validator), { ...candidate, bonded })
  } else {
    draft.delete(stateKeys.candidate(validator))
  }
}

/**
 * At a cutoff: the set that was chosen an epoch ago begins its work, and the set of the epoch after
 * the coming one is chosen by what is bonded now. So a change of stake counts two epochs later.
 */
export function nextSets (draft: Draft): void {
  const coming = getNextValidators(draft)
  const { era, validatorsHash: before } = getChain(draft)
  const after = validatorsHash(coming)

  draft.put(stateCodecs.validators, stateKeys.nextValidators, choose(draft, coming))

  forgetEras(draft)

  if (!equalBytes(before, after)) {
    endEra(draft)
    draft.put(stateCodecs.validators, stateKeys.validators, coming)
    patchChain(draft, { validatorsHash: after, era: era + 1 })
    draft.emit({ type: 'validators', era: era + 1, validators: coming.map(({ account }) => account) })
  }
}

/**
 * Those with the most bonded, own stake included: who has the same is ordered by account. Whoever
 * stays keeps its place before the others, so that without a change the set, and its hash, is the same.
 */
function choose (draft: Draft, before: Validator[]): Validator[] {
  const { validatorsMax, validatorStakeMin } = getChain(draft).params
  const chosen: Validator[] = []

  for (const key of draft.keys(statePrefixes.candidate)) {
    const account = accountFromString(key.slice(statePrefixes.candidate.length))
    const candidate = getCandidate(draft, account)

    // whoever has nothing of its own at stake has nothing to lose
    if (candidate !== undefined && candidate.bonded >= validatorStakeMin && !isConvicted(draft, account) && draft.has(stateKeys.bond(account, account))) {
      chosen.push({ account, blsPublicKey: candidate.blsPublicKey, stake: candidate.bonded })
    }
  }

  const best = chosen.toSorted((a, b) => Number(b.stake > a.stake) - Number(a.stake > b.stake) || compareBytes(a.account, b.account)).slice(0, validatorsMax)
  const places = new Map(before.map(({ account }, place) => [toHex(account), place]))
  const place = ({ account }: Validator): number => places.get(toHex(account)) ?? before.length

  // a chain without validators would stop for ever
  return best.length === 0 ? before : best.toSorted((a, b) => place(a) - place(b))
}
