import { bls } from '../identity/index.ts'
import { REST_INTERVAL_MS } from './constants.ts'
import { ChainConfigError } from './errors.ts'
import type { ChainInit, ConsensusTimes } from './interface.ts'
import type { ConsensusTimeouts } from '../consensus/index.ts'

/**
 * @throws {ChainConfigError} if a part of a validator's keys is missing
 */
export function checkKeys ({ blsSecretKey, signer }: ChainInit): void {
  if (blsSecretKey !== undefined && signer === undefined) {
    throw new ChainConfigError('a validator needs its account besides its BLS key: pass signer')
  }
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
    restIntervalMs: times.restIntervalMs ?? times.idleIntervalMs ?? REST_INTERVAL_MS,
    leaderTimeoutMs: times.leaderTimeoutMs,
    certificationTimeoutMs: times.certificationTimeoutMs,
    silentTimeoutMs: times.silentTimeoutMs
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
