import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bls } from '../identity/index.ts'
import { compareBytes, genesisCodec } from '../wire/index.ts'
import { writeWhole } from './config.ts'
import type { Keychain } from './keychain.ts'
import type { Account, Amount, Genesis, NetworkParams, ValidatorInfo } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

const OPEN = 10n ** 18n

/** The supply of OPEN: 1,000,000,000, as the ERC-20 has it. */
export const SUPPLY = 1_000_000_000n * OPEN

/** Parameters of a small network: epochs of about half a minute, votes of a minute. */
export const defaultParams: NetworkParams = {
  feeSplit: { platform: 1_000, developers: 2_000, validators: 2_000, data: 5_000 },
  epochBlocks: 30,
  commitBlocks: 600,
  revealBlocks: 60,
  openBlocks: 60,
  verdictBlocks: 600,
  challengeBlocks: 3,
  seats: 16,
  traceOpenings: 4,
  redrawsMax: 3,
  contributionDeposit: OPEN,
  adapterDeposit: 10n * OPEN,
  datanetDeposit: 10n * OPEN,
  assessorStakeMin: 100n * OPEN,
  slashWrong: 50n * OPEN,
  slashSilent: 5n * OPEN,
  challengeBond: 50n * OPEN,
  plantsPerEpoch: 1,
  plantReward: OPEN,
  votingDelayBlocks: 2,
  votingPeriodBlocks: 30,
  timelockBlocks: 5,
  quorumBp: 400,
  proposalThreshold: 1_000n * OPEN,
  // a transfer costs a four-thousandth of an OPEN: nothing for people, much for whoever fills blocks
  feePerByte: OPEN / 1_000_000n,
  feeProposerBp: 5_000,
  validatorsMax: 128,
  validatorStakeMin: 1_000n * OPEN,
  unbondEpochs: 3
}

/** What a private network has otherwise: an answer is settled, and a vote through, within a minute. */
export const privateParams: Partial<NetworkParams> = {
  epochBlocks: 20,
  challengeBlocks: 2,
  votingDelayBlocks: 1,
  votingPeriodBlocks: 20,
  timelockBlocks: 3,
  // among people who know each other nobody fills blocks
  feePerByte: 0n
}

/** A validator of a genesis out of the keychain that will run it. */
export function validatorInfo (keychain: Keychain, account: Account, stake: Amount): ValidatorInfo {
  const secret = keychain.bls()

  return { account, blsPublicKey: bls.publicKeyOf(secret), possession: bls.possess(secret), stake }
}

export interface NewGenesis {
  chain: string
  validators: ValidatorInfo[]
  /** what each account begins with; the treasury gets the rest of the supply */
  balances: Genesis['balances']
  treasury: Account
  bases: Array<{ base: CID, developer: Account }>
  params?: Partial<NetworkParams>
}

/** A genesis with the whole supply in it: stakes, balances and the rest in the treasury. */
export function newGenesis (init: NewGenesis): Genesis {
  const given = init.balances.reduce((sum, { amount }) => sum + amount, 0n) + init.validators.reduce((sum, { stake }) => sum + stake, 0n)

  return {
    type: 'genesis',
    version: 1,
    chain: init.chain,
    validators: init.validators,
    // records list accounts and CIDs in the order of their bytes
    balances: [...init.balances, { account: init.treasury, amount: SUPPLY - given }].toSorted((a, b) => compareBytes(a.account, b.account)),
    params: { ...defaultParams, ...init.params },
    treasury: init.treasury,
    bases: init.bases.toSorted((a, b) => compareBytes(a.base.bytes, b.base.bytes))
  }
}

/** Writes the genesis that a node joins. */
export async function writeGenesis (dataDir: string, genesis: Genesis): Promise<void> {
  await mkdir(dataDir, { recursive: true })
  await writeWhole(join(dataDir, 'genesis.cbor'), genesisCodec.encode(genesis))
}
