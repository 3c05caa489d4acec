import { bls } from '../identity/index.ts'
import { readChain, readValidators } from '../ledger/index.ts'
import { equalBytes } from '../wire/index.ts'
import { ChainConfigError } from './errors.ts'
import type { ChainInit } from './interface.ts'
import type { EraChange, Genesis, Hash, Validator } from '../interface/index.ts'
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
 * The set of any era that a chain has come through.
 *
 * @param genesis - whose validators are those of era 0
 * @param running - the era that certifies the next block
 * @param era - 0 to that
 * @param eraChange - reads how another one came about, and throws for what is not known
 */
export async function validatorsOfEra (genesis: Genesis, running: Era, era: number, eraChange: (era: number) => Promise<EraChange>): Promise<Validator[]> {
  if (era === running.era) {
    return running.validators
  }

  return era === 0
    ? genesis.validators.map(({ account, blsPublicKey, stake }) => ({ account, blsPublicKey, stake }))
    : (await eraChange(era)).validators
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
