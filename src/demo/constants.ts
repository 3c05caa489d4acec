import type { NetworkParams } from '../interface/index.ts'

const OPEN = 10n ** 18n

export const CHAIN = 'datanet-demo'

/**
 * All keys of the demo are made of this text, so that every run has the same accounts and comes to
 * the same bytes. They are public: never send anything of value to them.
 */
export const DEMO_SECRET = 'datanet demo: these keys are public'

/** Epochs of about half a minute and votes of the same length, so that a run shows all of it. */
export const DEMO_PARAMS: Partial<NetworkParams> = {
  epochBlocks: 20,
  votingDelayBlocks: 1,
  votingPeriodBlocks: 15,
  timelockBlocks: 3,
  challengeBlocks: 2,
  seats: 3,
  // a planter recomputes a task as well, on the machine that all share
  plantsPerEpoch: 0,
  // so that what is paid for answers is all that moves
  feePerByte: 0n
}

export const VALIDATORS = ['validator-1', 'validator-2', 'validator-3', 'validator-4'] as const

/** Speeches of the demo and the node that seeds each. Public domain, out of the package `datasets-sotu` of stdlib. */
export const SPEECHES = [
  { president: 'washington', file: '1790_george_washington_n', node: 'alice' },
  { president: 'jefferson', file: '1801_thomas_jefferson_dr', node: 'alice' },
  { president: 'jackson', file: '1830_andrew_jackson_d', node: 'alice' },
  { president: 'lincoln', file: '1862_abraham_lincoln_r', node: 'alice' },
  { president: 'roosevelt', file: '1905_theodore_roosevelt_r', node: 'bob' },
  { president: 'kennedy', file: '1962_john_f_kennedy_d', node: 'bob' },
  { president: 'reagan', file: '1984_ronald_reagan_r', node: 'bob' },
  { president: 'obama', file: '2010_barack_obama_d', node: 'bob' }
] as const

/** Rows taken of each speech: with 64 tokens an example, the quick preset sees each about once. */
export const ROWS_PER_SPEECH = 16

/** Characters of a row at least; it ends with the sentence. */
export const ROW_CHARACTERS_MIN = 600

/** What everybody begins with, in base units. */
export const BALANCES = {
  validatorStake: 1_000_000n * OPEN,
  validator: 1_000n * OPEN,
  assessorStake: 500n * OPEN,
  contributor: 100n * OPEN,
  gateway: 100n * OPEN,
  developer: 50_000n * OPEN,
  customer: 50_000n * OPEN
} as const

/** gOPEN that the developer and the customer vote with. */
export const WRAPPED = 20_000n * OPEN

export const ADAPTER_NAME = 'state-of-the-union'

/** What the customer asks in the first epoch, and in the one after the vote. */
export const QUESTIONS = [
  'Fellow citizens of the Senate and House of Representatives',
  'The state of the Union is'
] as const

export const LATER_QUESTION = 'The people of the United States'

export const ANSWER_TOKENS = 32

/** Greedy answers of so small a model repeat themselves; with a seed these are as reproducible. */
export const SAMPLER = { temperature: 0.7, topK: 40, seed: 7 } as const

/** A process that does not come up within this time will not. */
export const START_TIMEOUT_MS = 90_000

/** How long a process may take to end after it was asked to. */
export const STOP_TIMEOUT_MS = 20_000

/** Bound of each step; far above what it takes on two cores. */
export const STEP_TIMEOUT_MS = 10 * 60_000

/** A process that keeps ending is left alone after so many restarts. */
export const RESTARTS_MAX = 20

/** Attempts at a step whose process is gone; it takes some seconds to come back. */
export const STEP_ATTEMPTS_MAX = 60
export const STEP_RETRY_MS = 1_000

/** Questions are asked in the first blocks of an epoch, so that all of a set are paid in the same one. */
export const EPOCH_BEGINNING_BLOCKS = 6
