/**
 * What a conviction of double signing means to stake, and for how long an era can be judged. Apart
 * from the rules that convict, since those that move stake need it.
 */
import { equalBytes } from '../wire/index.ts'
import { BASIS_POINTS, DOUBLE_SIGN_SLASH_BP } from './constants.ts'
import { RuleError } from './errors.ts'
import { stateKeys, statePrefixes } from './keys.ts'
import { getChain } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Account, Amount, Hash } from '../interface/index.ts'

export function isConvicted (draft: Draft, account: Account): boolean {
  return draft.has(stateKeys.conviction(account))
}

/** What is left of a sum that somebody had delegated to a validator when it was convicted. */
export function afterConviction (draft: Draft, validator: Account, owner: Account, amount: Amount, freeEpoch: number): Amount {
  const conviction = draft.get(stateCodecs.conviction, stateKeys.conviction(validator))

  // its own stake was slashed at once, and what was free before is nobody's security any more
  if (conviction === undefined || equalBytes(validator, owner) || freeEpoch <= conviction.epoch) {
    return amount
  }

  return amount - lossOf(amount)
}

/** At a cutoff that ends an era: remembers whose votes it counted, for as long as evidence of it does. */
export function endEra (draft: Draft): void {
  const { era, epoch, validatorsHash } = getChain(draft)

  draft.put(stateCodecs.era, stateKeys.era(era), { epoch, validatorsHash })
}

/** At each cutoff: forgets eras that evidence is too old for in the coming epoch. */
export function forgetEras (draft: Draft): void {
  const { epoch } = getChain(draft)

  for (const key of draft.keys(statePrefixes.era)) {
    const ended = draft.get(stateCodecs.era, key)

    if (ended !== undefined && epoch + 1 > lastEpochOf(draft, ended.epoch)) {
      draft.delete(key)
    }
  }
}

/** The last epoch in which an era that ended with `epoch` can be judged: the one before its stake is free. */
function lastEpochOf (draft: Draft, epoch: number): number {
  return epoch + getChain(draft).params.unbondEpochs - 2
}

/**
 * The hash of the set of an era that can be judged.
 *
 * @throws {RuleError} `ERR_EVIDENCE_OLD`
 */
export function hashOfEra (draft: Draft, era: number): Hash {
  const chain = getChain(draft)

  if (era === chain.era) {
    return chain.validatorsHash
  }

  const ended = draft.get(stateCodecs.era, stateKeys.era(era))

  if (ended === undefined || chain.epoch > lastEpochOf(draft, ended.epoch)) {
    throw new RuleError('ERR_EVIDENCE_OLD', `expected evidence of the running era ${chain.era}, or of one whose stake is still bonded, but got era ${era}`)
  }

  return ended.validatorsHash
}

/** What double signing costs of a sum; rounded up, so that no crumbs are safe. */
export function lossOf (amount: Amount): Amount {
  return (amount * DOUBLE_SIGN_SLASH_BP + BASIS_POINTS - 1n) / BASIS_POINTS
}
