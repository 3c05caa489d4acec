/** JSON of the API that src/interface/api.ts does not name. */

export type { AccountView as AccountInfo } from '../../interface/api.ts'

/** The parts of the parameters in force that the page explains. */
export interface Params {
  feeSplit: FeeSplit
  epochBlocks: number
  challengeBlocks: number
  votingDelayBlocks: number
  votingPeriodBlocks: number
  timelockBlocks: number
  quorumBp: number
  proposalThreshold: string
  feePerByte: string
  feeProposerBp: number
  validatorsMax: number
  validatorStakeMin: string
  unbondEpochs: number
  assessorStakeMin: string
  seats: number
}

/** Basis points; they sum to 10,000. */
export interface FeeSplit {
  platform: number
  developers: number
  validators: number
  data: number
}

/** One move of OPEN that the page saw. */
export interface Payment {
  from: string
  to: string
  amount: string
  reason: string
  task?: string
}

export type RoomName = 'data' | 'fine-tune' | 'ask' | 'settle' | 'why' | 'govern'
