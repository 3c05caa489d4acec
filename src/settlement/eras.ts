import { bls } from '../identity/index.ts'
import { readChain, readValidators } from '../ledger/index.ts'
import { equalBytes } from '../wire/index.ts'
import { ChainConfigError } from './errors.ts'
import type { ChainInit } from './interface.ts'
import type { Hash, Validator } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

/** Who certifies the block after a state. */
export interface Era {
  era: number
  validators: Validator[]
  /** `validatorsHash` of them */
  hash: Hash
}

/** Sets are read for each block and hardly ever change. */
const known = new WeakMap<LedgerState, Era>()

export function eraAfter (state: LedgerState): Era {
  let era = known.get(state)

  if (era === undefined) {
    const { era: number, validatorsHash: hash } = readChain(state)
    era = { era: number, validators: readValidators(state), hash }
    known.set(state, era)
  }
  return era
}

/**
 * Own index in a set; null for a node that only follows, or is not in this one.
 *
 * @throws {ChainConfigError} if the account is a validator with another BLS key
 */
export function selfIn ({ validators }: Era, { blsSecretKey, signer }: Pick<ChainInit, 'blsSecretKey' | 'signer'>): number | null {
  if (blsSecretKey === undefined || signer === undefined) {
    return null
  }

  const index = validators.findIndex(({ account }) => equalBytes(account, signer.account))
  if (index >= 0 && !equalBytes(validators[index].blsPublicKey, bls.publicKeyOf(blsSecretKey))) {
    throw new ChainConfigError('the account is a validator with another BLS key: use the key that was registered, or none to follow only')
  }
  return index < 0 ? null : index
}
