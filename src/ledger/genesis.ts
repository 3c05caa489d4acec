import { checkParams } from '../governance/index.ts'
import { amount, domains, genesisCodec, hash, toHex, validatorsHash } from '../wire/index.ts'
import { authenticatedMap } from './authenticated-map.ts'
import { Draft } from './draft.ts'
import { GenesisError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { patchAccount } from './records.ts'
import { addBond, addCandidate } from './validators.ts'
import { stateCodecs } from './values.ts'
import type { LedgerState } from './interface.ts'
import type { Account, Genesis } from '../interface/index.ts'

/**
 * The state at height 0. Validators get an account even without balance, so that they can act.
 * The supply is what accounts and validators' stakes hold together; it never changes.
 *
 * That validators possess their BLS keys is for consensus to check.
 *
 * @throws {GenesisError} when an account is there twice, or the supply does not fit an amount
 * @throws {MalformedRecordError} when the genesis could not be encoded
 * @throws {ParamsError} when the parameters are not valid
 */
export function genesisState (genesis: Genesis): LedgerState {
  const genesisHash = hash(domains.genesis, genesisCodec.encode(genesis))
  const draft = new Draft(authenticatedMap(), 0)
  const { chain, validators, balances, params, treasury, bases } = genesis

  checkParams(params)
  requireUnique('balance', balances.map(({ account }) => account))
  requireUnique('validator', validators.map(({ account }) => account))

  const supply = [...balances.map(({ amount }) => amount), ...validators.map(({ stake }) => stake)].reduce((sum, held) => sum + held, 0n)

  // an amount beyond 16 bytes could not be written later
  amount.toPlain(supply, 'genesis.supply')

  for (const { account } of validators) {
    patchAccount(draft, account, {})
  }

  for (const { account, amount: balance } of balances) {
    patchAccount(draft, account, { balance })
  }

  for (const { base, developer } of bases) {
    draft.put(stateCodecs.base, stateKeys.base(base), developer)
  }

  const set = validators.map(({ account, blsPublicKey, stake }) => ({ account, blsPublicKey, stake }))

  for (const { account, blsPublicKey, stake } of set) {
    addCandidate(draft, account, blsPublicKey)
    addBond(draft, account, account, stake)
  }

  draft.put(stateCodecs.validators, stateKeys.validators, set)
  draft.put(stateCodecs.validators, stateKeys.nextValidators, set)
  draft.put(stateCodecs.chain, stateKeys.chain, {
    chain,
    height: 0,
    epoch: 0,
    epochFeeSplit: params.feeSplit,
    params,
    supply,
    gopenSupply: 0n,
    proposals: 0,
    openProposals: [],
    openTasks: [],
    beacon: hash(domains.beaconMix, genesisHash),
    treasury,
    validatorsHash: validatorsHash(validators),
    era: 0
  })

  return { map: draft.apply(), height: 0 }
}

function requireUnique (what: string, accounts: Account[]): void {
  if (new Set(accounts.map(toHex)).size !== accounts.length) {
    throw new GenesisError(`expected one ${what} per account but one has several`)
  }
}
