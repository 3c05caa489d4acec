/** JSON of the API that src/interface/api.ts does not name. */

/** GET /api/v1/wallet and /api/v1/accounts/:id */
export interface AccountInfo {
  name?: string
  account: string
  balance: string
  nonce: number
  staked: string
  gopen: string
  votes: string
  delegate: string | null
}

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
