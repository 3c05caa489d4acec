import { bls } from '../identity/index.ts'
import { equalBytes } from '../wire/index.ts'
import { ChainConfigError } from './errors.ts'
import type { ChainInit, ConsensusTimes } from './interface.ts'
import type { ConsensusTimeouts } from '../consensus/index.ts'

/**
 * Own index among the validators; null for a node that only follows.
 *
 * @throws {ChainConfigError}
 */
export function selfOf (init: ChainInit): number | null {
  const { blsSecretKey, signer, genesis } = init

  if (blsSecretKey === undefined) {
    return null
  }
  if (signer === undefined) {
    throw new ChainConfigError('a validator needs its account besides its BLS key: pass signer')
  }

  const index = genesis.validators.findIndex(({ account }) => equalBytes(account, signer.account))
  if (index < 0 || !equalBytes(genesis.validators[index].blsPublicKey, bls.publicKeyOf(blsSecretKey))) {
    throw new ChainConfigError('the account and BLS key are not those of a validator of the genesis: pass neither to follow only')
  }
  return index
}

/**
 * Without proof of possession a rogue key forges certificates.
 *
 * @throws {ChainConfigError}
 */
export function checkValidators ({ genesis }: ChainInit): void {
  const bad = genesis.validators.findIndex(({ blsPublicKey, possession }) => !bls.verifyPossession(blsPublicKey, possession))

  if (bad >= 0) {
    throw new ChainConfigError(`validator ${bad} of the genesis does not prove possession of its BLS key`)
  }
}

/** Those that are given; consensus has the defaults. */
export function toTimeouts (times: ConsensusTimes): ConsensusTimeouts {
  const all: ConsensusTimeouts = {
    minBlockIntervalBusyMs: times.blockIntervalMsMin,
    minBlockIntervalMs: times.idleIntervalMs,
    leaderTimeoutMs: times.leaderTimeoutMs,
    certificationTimeoutMs: times.certificationTimeoutMs,
    silentTimeoutMs: times.silentTimeoutMs
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
