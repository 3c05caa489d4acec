import { toHex } from './bytes.ts'
import { codec } from './codec.ts'
import { list, oneOf, refine, struct } from './composites.ts'
import {
  ACTIONS_MAX, BALANCES_MAX, BASES_MAX, BATCHES_MAX, CLAIMS_MAX, CLAIM_PROOF_MAX, CONTRIBUTIONS_MAX, CONTRIBUTION_ROWS_MAX,
  GENESIS_BYTES_MAX, OPENINGS_MAX, SHARDS_MAX, SHARD_BYTES_MAX, TRACE_PROOF_MAX, VALIDATORS_MAX
} from './constants.ts'
import { account, basisPoints, blsPublicKey, blsSignature, counter, feeSplitFields, fileCid, hash32, mergeParents, name, recordCid, signature64, sortedCids, title, uint32, verdict } from './fields.ts'
import { amount, bytes, int64, integer, literal, nullable, optional } from './primitives.ts'
import type { Codec, Schema } from './interface.ts'
import type { FeeSplit, Genesis, GovernanceAction, NetworkParams, Transaction, TransactionBody, Validator, ValidatorInfo } from '../interface/index.ts'

const feeSplit: Schema<FeeSplit> = refine(struct(feeSplitFields), 'shares that sum to 10,000', split => {
  return split.platform + split.developers + split.validators + split.data === 10_000
})

const blocks = integer({ min: 1, max: 100_000_000 })
const blocksOrNone = integer({ min: 0, max: 100_000_000 })

const paramsFields = {
  feeSplit,
  epochBlocks: blocks,
  commitBlocks: blocks,
  revealBlocks: blocks,
  openBlocks: blocks,
  verdictBlocks: blocks,
  challengeBlocks: blocksOrNone,
  seats: integer({ min: 1, max: 256 }),
  traceOpenings: integer({ min: 0, max: OPENINGS_MAX }),
  redrawsMax: integer({ min: 0, max: 100 }),
  contributionDeposit: amount,
  adapterDeposit: amount,
  datanetDeposit: amount,
  assessorStakeMin: amount,
  slashWrong: amount,
  slashSilent: amount,
  challengeBond: amount,
  plantsPerEpoch: integer({ min: 0, max: VALIDATORS_MAX }),
  plantReward: amount,
  votingDelayBlocks: blocksOrNone,
  votingPeriodBlocks: blocks,
  timelockBlocks: blocksOrNone,
  quorumBp: basisPoints,
  proposalThreshold: amount,
  feePerByte: amount,
  feeProposerBp: basisPoints,
  validatorsMax: integer({ min: 1, max: VALIDATORS_MAX }),
  validatorStakeMin: amount,
  unbondEpochs: integer({ min: 3, max: 100_000 })
}

/** For the ledger's own state values, and whatever else holds parameters. */
export const networkParamsSchema: Schema<NetworkParams> = struct(paramsFields)

const partialParams: Schema<Partial<NetworkParams>> = refine(struct({
  feeSplit: optional(paramsFields.feeSplit),
  epochBlocks: optional(paramsFields.epochBlocks),
  commitBlocks: optional(paramsFields.commitBlocks),
  revealBlocks: optional(paramsFields.revealBlocks),
  openBlocks: optional(paramsFields.openBlocks),
  verdictBlocks: optional(paramsFields.verdictBlocks),
  challengeBlocks: optional(paramsFields.challengeBlocks),
  seats: optional(paramsFields.seats),
  traceOpenings: optional(paramsFields.traceOpenings),
  redrawsMax: optional(paramsFields.redrawsMax),
  contributionDeposit: optional(paramsFields.contributionDeposit),
  adapterDeposit: optional(paramsFields.adapterDeposit),
  datanetDeposit: optional(paramsFields.datanetDeposit),
  assessorStakeMin: optional(paramsFields.assessorStakeMin),
  slashWrong: optional(paramsFields.slashWrong),
  slashSilent: optional(paramsFields.slashSilent),
  challengeBond: optional(paramsFields.challengeBond),
  plantsPerEpoch: optional(paramsFields.plantsPerEpoch),
  plantReward: optional(paramsFields.plantReward),
  votingDelayBlocks: optional(paramsFields.votingDelayBlocks),
  votingPeriodBlocks: optional(paramsFields.votingPeriodBlocks),
  timelockBlocks: optional(paramsFields.timelockBlocks),
  quorumBp: optional(paramsFields.quorumBp),
  proposalThreshold: optional(paramsFields.proposalThreshold),
  feePerByte: optional(paramsFields.feePerByte),
  feeProposerBp: optional(paramsFields.feeProposerBp),
  validatorsMax: optional(paramsFields.validatorsMax),
  validatorStakeMin: optional(paramsFields.validatorStakeMin),
  unbondEpochs: optional(paramsFields.unbondEpochs)
}), 'at least one parameter', params => Object.values(params).some(value => value !== undefined))

export const governanceActionSchema: Schema<GovernanceAction> = oneOf('kind', {
  'set-params': { params: partialParams },
  'treasury-transfer': { to: account, amount }
})

export const feeSplitSchema = feeSplit

const traceOpening = struct({
  index: uint32,
  step: hash32,
  proof: list(hash32, { max: TRACE_PROOF_MAX })
})

const scoreClaim = struct({
  contribution: recordCid,
  score: int64,
  index: integer({ min: 0, max: CONTRIBUTIONS_MAX }),
  proof: list(hash32, { max: CLAIM_PROOF_MAX })
})

const batch = struct({
  adapter: recordCid,
  receiptsRoot: hash32,
  receipts: integer({ min: 1, max: 0xffffffff }),
  fees: amount
})

const statement = { kind: literal('notarize', 'nullify', 'finalize'), blockHash: bytes({ max: 32 }), signature: blsSignature }
const certifiedStatement = struct({ ...statement, signers: bytes({ min: 1, max: VALIDATORS_MAX / 8 }) })

const body: Schema<TransactionBody> = oneOf('kind', {
  transfer: { to: account, amount },
  stake: { amount },
  unstake: { amount },
  'register-validator': { blsPublicKey, possession: blsSignature, amount },
  bond: { validator: account, amount },
  unbond: { validator: account, amount },
  withdraw: {},
  'report-votes': { blsPublicKey, era: counter, view: counter, first: struct(statement), second: struct(statement) },
  'report-certificates': { era: counter, view: counter, first: certifiedStatement, second: certifiedStatement, validators: list(struct({ account, blsPublicKey, stake: amount }), { min: 1, max: VALIDATORS_MAX }) },
  'create-datanet': { datanet: recordCid, name },
  contribute: {
    datanet: recordCid,
    contribution: recordCid,
    rows: integer({ min: 1, max: CONTRIBUTION_ROWS_MAX }),
    bytes: integer({ min: 1, max: SHARDS_MAX * SHARD_BYTES_MAX }),
    shards: integer({ min: 1, max: SHARDS_MAX })
  },
  'withdraw-contribution': { contribution: recordCid },
  'publish-adapter': { adapter: recordCid, base: recordCid, snapshot: recordCid, contributions: sortedCids(CONTRIBUTIONS_MAX) },
  'import-adapter': { adapter: recordCid, base: recordCid, weights: fileCid },
  'merge-adapters': { adapter: recordCid, base: recordCid, parents: mergeParents },
  'deprecate-adapter': { adapter: recordCid, reason: title, successor: nullable(recordCid) },
  attest: { subject: recordCid, owner: account, verdict, attestation: recordCid },
  'open-channel': { gateway: account, amount, expiresAtHeight: counter },
  'close-channel': { channel: hash32 },
  redeem: {
    channel: hash32,
    cumulative: amount,
    voucherSignature: signature64,
    batches: list(batch, { min: 1, max: BATCHES_MAX, ascending: one => one.adapter.bytes })
  },
  commit: { task: hash32, fees: amount, commit: hash32 },
  reveal: { task: hash32, scoreRoot: hash32, total: int64, traceRoot: hash32, traceLength: uint32, salt: hash32 },
  open: { task: hash32, openings: list(traceOpening, { max: OPENINGS_MAX }) },
  verdict: { task: hash32, scoreRoot: hash32, total: int64 },
  'report-receipts': { task: hash32, fault: literal('missing', 'false'), source: nullable(uint32) },
  'judge-receipts': { task: hash32, source: nullable(uint32) },
  'judge-step': { task: hash32, step: hash32 },
  challenge: { task: hash32 },
  plant: { commit: hash32 },
  expose: { epoch: counter, task: hash32, scoreRoot: hash32, total: int64, salt: hash32 },
  'withdraw-plant': { epoch: counter },
  claim: { task: hash32, claims: list(scoreClaim, { min: 1, max: CLAIMS_MAX }) },
  wrap: { amount },
  unwrap: { amount },
  delegate: { to: account },
  propose: { title, actions: list(governanceActionSchema, { min: 1, max: ACTIONS_MAX }) },
  vote: { proposal: counter, support: literal('for', 'against', 'abstain') },
  queue: { proposal: counter },
  execute: { proposal: counter }
})

/** See protocols/transaction. Travels signed. */
export const transactionCodec: Codec<Transaction> = codec('transaction', struct({
  type: literal('transaction'),
  version: literal(1),
  chain: name,
  nonce: counter,
  fee: amount,
  body
}))

export const validatorSchema: Schema<Validator> = struct({
  account,
  blsPublicKey,
  stake: amount
})

function validatorSet<T extends Validator> (member: Schema<T>): Schema<T[]> {
  return refine(list(member, { min: 1, max: VALIDATORS_MAX }), 'validators with accounts and keys of their own, each with stake', validators => {
    return new Set(validators.map(one => toHex(one.account))).size === validators.length &&
      new Set(validators.map(one => toHex(one.blsPublicKey))).size === validators.length &&
      validators.every(one => one.stake > 0n)
  })
}

/** A validator set, whose hash headers commit to. */
export const validatorsCodec: Codec<Validator[]> = codec('validators', validatorSet(validatorSchema))

/** See protocols/genesis. */
export const genesisCodec: Codec<Genesis> = codec('genesis', struct({
  type: literal('genesis'),
  version: literal(1),
  chain: name,
  validators: validatorSet<ValidatorInfo>(struct({ account, blsPublicKey, possession: blsSignature, stake: amount })),
  balances: list(struct({ account, amount }), { max: BALANCES_MAX, ascending: balance => balance.account }),
  params: networkParamsSchema,
  treasury: account,
  bases: list(struct({ base: recordCid, developer: account }), { max: BASES_MAX, ascending: one => one.base.bytes })
}), { bytesMax: GENESIS_BYTES_MAX })
