import { ACTIONS_MAX, AMOUNT_MAX, BASIS_POINTS, DURATION_BLOCKS_MAX, PLANTS_MAX, REDRAWS_MAX, SEATS_MAX, TRACE_OPENINGS_MAX, UNBOND_EPOCHS_MAX, UNBOND_EPOCHS_MIN, VALIDATORS_MAX } from './constants.ts'
import { ActionsError, ParamsError } from './errors.ts'
import type { FeeSplit, GovernanceAction, NetworkParams } from '../interface/index.ts'

type NumberParam = { [K in keyof NetworkParams]: NetworkParams[K] extends number ? K : never }[keyof NetworkParams]
type AmountParam = { [K in keyof NetworkParams]: NetworkParams[K] extends bigint ? K : never }[keyof NetworkParams]

/** Inclusive. A zero epoch or phase would end before anyone could act in it. */
const NUMBERS: Record<NumberParam, [min: number, max: number]> = {
  epochBlocks: [1, DURATION_BLOCKS_MAX],
  commitBlocks: [1, DURATION_BLOCKS_MAX],
  revealBlocks: [1, DURATION_BLOCKS_MAX],
  openBlocks: [1, DURATION_BLOCKS_MAX],
  verdictBlocks: [1, DURATION_BLOCKS_MAX],
  challengeBlocks: [0, DURATION_BLOCKS_MAX],
  seats: [1, SEATS_MAX],
  traceOpenings: [0, TRACE_OPENINGS_MAX],
  redrawsMax: [0, REDRAWS_MAX],
  plantsPerEpoch: [0, PLANTS_MAX],
  votingDelayBlocks: [0, DURATION_BLOCKS_MAX],
  votingPeriodBlocks: [1, DURATION_BLOCKS_MAX],
  timelockBlocks: [0, DURATION_BLOCKS_MAX],
  quorumBp: [0, BASIS_POINTS],
  feeProposerBp: [0, BASIS_POINTS],
  validatorsMax: [1, VALIDATORS_MAX],
  // stake may sit in a set for three cutoffs after it was unbonded
  unbondEpochs: [UNBOND_EPOCHS_MIN, UNBOND_EPOCHS_MAX]
}

const AMOUNTS: Record<AmountParam, true> = {
  contributionDeposit: true,
  adapterDeposit: true,
  datanetDeposit: true,
  assessorStakeMin: true,
  slashWrong: true,
  slashSilent: true,
  challengeBond: true,
  plantReward: true,
  proposalThreshold: true,
  feePerByte: true,
  validatorStakeMin: true
}

/**
 * Checks that a network can go on with these parameters.
 *
 * @throws {ParamsError} naming the first that is out of range
 */
export function checkParams (params: NetworkParams): void {
  checkFeeSplit(params.feeSplit)

  for (const name of keysOf(NUMBERS)) {
    const [min, max] = NUMBERS[name]
    const value = params[name]

    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new ParamsError(name, `an integer from ${min} to ${max}`, value)
    }
  }

  for (const name of keysOf(AMOUNTS)) {
    const value = params[name]

    if (typeof value !== 'bigint' || value < 0n || value > AMOUNT_MAX) {
      throw new ParamsError(name, 'an amount that is not negative', value)
    }
  }

  checkPenalties(params)
}

/** Silence after a commit must cost more than a lie, and every assessor must be able to lose it. */
function checkPenalties ({ slashWrong, slashSilent, assessorStakeMin }: NetworkParams): void {
  if (slashSilent === 0n && slashWrong > 0n) {
    throw new ParamsError('slashSilent', 'more than 0 where a wrong result costs something', slashSilent)
  }

  if (assessorStakeMin < slashWrong + slashSilent) {
    throw new ParamsError('assessorStakeMin', `at least slashWrong and slashSilent together (${slashWrong + slashSilent})`, assessorStakeMin)
  }
}

/**
 * The parameters after a change; absent fields stay.
 *
 * @throws {ParamsError} when the result is not valid
 */
export function applyParams (params: NetworkParams, change: Partial<NetworkParams>): NetworkParams {
  const next = { ...params }

  for (const [name, value] of Object.entries(change)) {
    if (!Object.hasOwn(params, name)) {
      throw new ParamsError(name, 'a known parameter', value)
    }

    if (value !== undefined) {
      Object.assign(next, { [name]: value })
    }
  }

  checkParams(next)

  return next
}

/**
 * Checks the actions of a proposal, when it is made and again when it is executed. Each change of
 * parameters must be valid after the ones before it.
 *
 * @throws {ActionsError} when there are none, too many, or a transfer of nothing
 * @throws {ParamsError} when they would leave invalid parameters
 */
export function checkActions (actions: GovernanceAction[], params: NetworkParams): void {
  if (actions.length === 0 || actions.length > ACTIONS_MAX) {
    throw new ActionsError(`a proposal has 1 to ${ACTIONS_MAX} actions but this one has ${actions.length}`)
  }

  let current = params

  for (const action of actions) {
    if (action.kind === 'set-params') {
      current = applyParams(current, action.params)
    } else if (action.amount <= 0n) {
      throw new ActionsError(`a treasury transfer moves more than 0 base units but this one moves ${action.amount}`)
    }
  }
}

function checkFeeSplit (split: FeeSplit): void {
  const shares = [split.platform, split.developers, split.validators, split.data]

  if (shares.some(share => !Number.isSafeInteger(share) || share < 0) || shares.reduce((sum, share) => sum + share, 0) !== BASIS_POINTS) {
    throw new ParamsError('feeSplit', `whole basis points that sum to ${BASIS_POINTS}`, shares.join(' + '))
  }
}

function keysOf<K extends string> (table: Record<K, unknown>): K[] {
  // Object.keys gives exactly the table's own keys, which the type names
  return Object.keys(table) as K[]
}
