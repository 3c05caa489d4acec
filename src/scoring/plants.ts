import { hash, utf8 } from '../wire/index.ts'
import { int64, uint64 } from './bytes.ts'
import { drawCommittee } from './draw.ts'
import type { Candidate } from './draw.ts'
import type { Account, Hash } from '../interface/index.ts'

const PLANT_DOMAIN = 'datanet/plant/1'
const PLANTERS_DOMAIN = 'datanet/planters/1'

/** A known answer to a task that nobody else can tell from other tasks. */
export interface Plant {
  chain: string
  task: Hash
  scoreRoot: Hash
  total: bigint
  /** 32 random bytes that only the planter knows until it exposes the plant */
  salt: Hash
  planter: Account
}

/** What is on the ledger of a plant before the task's assessors reveal: says nothing about which task it is. */
export function plantCommit ({ chain, task, scoreRoot, total, salt, planter }: Plant): Hash {
  return hash(PLANT_DOMAIN, utf8(chain), task, scoreRoot, int64(total), salt, planter)
}

/**
 * The validators whose turn it is to plant in an epoch, by stake. Known to all: the secret is which
 * of the epoch's tasks they know the answer of.
 */
export function drawPlanters (chain: string, epoch: number, validators: Candidate[], planters: number): Account[] {
  return drawCommittee(hash(PLANTERS_DOMAIN, utf8(chain), uint64(epoch)), validators, planters)
}
