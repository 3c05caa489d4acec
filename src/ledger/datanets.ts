import { equalBytes } from '../wire/index.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { announce, credit, findValidator, getChain, getValidators, holderOf } from './records.ts'
import { getSubject, giveBack, makeWay, pendingSubject, takeDeposit } from './subjects.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Account, AdapterState, AdmissionStatus, Amount, ContributionState, SubjectState, TransactionBody } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

type Body<K extends TransactionBody['kind']> = Extract<TransactionBody, { kind: K }>

export function createDatanet ({ draft, signer, height }: Context, { datanet, name }: Body<'create-datanet'>): void {
  const key = stateKeys.datanet(datanet)

  if (draft.has(key)) {
    throw new RuleError('ERR_DATANET_EXISTS', `expected a new Datanet but ${datanet} is on the ledger already`)
  }

  const deposit = takeDeposit(draft, signer, datanet, getChain(draft).params.datanetDeposit)

  draft.put(stateCodecs.datanet, key, { curator: signer, name, contributions: 0, admitted: 0, deposit, height })
  draft.emit({ type: 'datanet', datanet, name, curator: signer })
}

export function contribute ({ draft, signer, height }: Context, body: Body<'contribute'>): void {
  const datanet = draft.get(stateCodecs.datanet, stateKeys.datanet(body.datanet))

  if (datanet === undefined) {
    throw new RuleError('ERR_DATANET_UNKNOWN', `expected a Datanet of this ledger but ${body.datanet} is not: create it first`)
  }

  makeWay(draft, body.contribution, signer, 'ERR_CONTRIBUTION_EXISTS', 'contribution')

  const deposit = takeDeposit(draft, signer, body.contribution, getChain(draft).params.contributionDeposit)

  draft.put(stateCodecs.contribution, stateKeys.contribution(body.contribution), {
    datanet: body.datanet,
    contributor: signer,
    rows: body.rows,
    bytes: body.bytes,
    index: datanet.contributions,
    ...pendingSubject(deposit, height)
  })
  draft.put(stateCodecs.datanet, stateKeys.datanet(body.datanet), { ...datanet, contributions: datanet.contributions + 1 })
  draft.emit({ type: 'contribution', contribution: body.contribution, datanet: body.datanet, contributor: signer, status: 'pending' })
}

/** Verdicts after the decision are recorded too, but change no status. */
export function attest ({ draft, signer, height }: Context, { subject, owner, verdict, attestation }: Body<'attest'>): void {
  const validator = findValidator(draft, signer)
  const entry = getSubject(draft, subject)
  const key = stateKeys.attestation(subject, signer)

  if (validator === undefined) {
    throw new RuleError('ERR_NOT_VALIDATOR', 'expected an attestation of a validator of this chain')
  }

  if (entry === undefined) {
    throw new RuleError('ERR_SUBJECT_UNKNOWN', `expected a contribution or adapter of this ledger but got ${subject}`)
  }

  // a verdict on a squatter's entry may come when the author's is there
  if (!equalBytes(entry.owner, owner)) {
    throw new RuleError('ERR_SUBJECT_OWNER', `expected a verdict on the entry that is on the ledger but this is about another account's entry of ${subject}: look at it again`)
  }

  if (draft.has(key)) {
    throw new RuleError('ERR_ALREADY_ATTESTED', `expected one attestation per validator and subject but there is one on ${subject}`)
  }

  draft.put(stateCodecs.attestation, key, { verdict, attestation, height })
  draft.emit({ type: 'attestation', subject, validator: signer, verdict })

  const contribution = draft.get(stateCodecs.contribution, stateKeys.contribution(subject))

  if (contribution !== undefined) {
    attestContribution(draft, subject, tally(contribution, verdict, validator.stake))

    return
  }

  const adapter = draft.get(stateCodecs.adapter, stateKeys.adapter(subject))

  if (adapter !== undefined) {
    attestAdapter(draft, subject, tally(adapter, verdict, validator.stake))
  }
}

function attestContribution (draft: Draft, cid: CID, value: ContributionState): void {
  const { status, deposit } = decide(draft, value, cid, value.contributor)

  draft.put(stateCodecs.contribution, stateKeys.contribution(cid), { ...value, status, deposit })

  if (status === value.status) {
    return
  }

  const datanet = draft.get(stateCodecs.datanet, stateKeys.datanet(value.datanet))

  if (status === 'admitted' && datanet !== undefined) {
    // the first admitted contribution shows that the Datanet is one
    giveBack(draft, datanet.curator, value.datanet, datanet.deposit)
    draft.put(stateCodecs.datanet, stateKeys.datanet(value.datanet), { ...datanet, admitted: datanet.admitted + 1, deposit: 0n })
  }

  draft.emit({ type: 'contribution', contribution: cid, datanet: value.datanet, contributor: value.contributor, status })
}

function attestAdapter (draft: Draft, cid: CID, value: AdapterState): void {
  const { status, deposit } = decide(draft, value, cid, value.developer)

  draft.put(stateCodecs.adapter, stateKeys.adapter(cid), { ...value, status, deposit })

  // a wrong record must not keep others from publishing the weights
  if (status === 'rejected' && value.status === 'pending' && value.weights !== undefined) {
    draft.delete(stateKeys.importedWeights(value.weights))
  }

  if (status === 'admitted' && value.parents !== undefined) {
    const key = stateKeys.merge(value.parents)

    // of two that waited at once the first one counts: whoever asks for these parents finds one task
    if (!draft.has(key)) {
      draft.put(stateCodecs.merge, key, cid)
    }
  }

  if (status !== value.status) {
    draft.emit({ type: 'adapter', adapter: cid, developer: value.developer, status })
  }
}

function tally<T extends { stakeFor: Amount, stakeAgainst: Amount }> (value: T, verdict: 'admit' | 'reject', stake: Amount): T {
  return verdict === 'admit'
    ? { ...value, stakeFor: value.stakeFor + stake }
    : { ...value, stakeAgainst: value.stakeAgainst + stake }
}

type Decidable = Pick<SubjectState, 'status' | 'deposit' | 'stakeFor' | 'stakeAgainst'>

/**
 * More than two thirds of the stake decide. If all have spoken and neither side has that much, the
 * subject is rejected, but its deposit is given back: no quorum found fault with it.
 */
function decide (draft: Draft, value: Decidable, subject: CID, owner: Account): { status: AdmissionStatus, deposit: Amount } {
  const all = getValidators(draft).reduce((sum, { stake }) => sum + stake, 0n)

  if (value.status !== 'pending') {
    return value
  }

  if (value.stakeAgainst * 3n > all * 2n) {
    const { treasury } = getChain(draft)

    credit(draft, treasury, value.deposit)
    announce(draft, holderOf(subject), treasury, value.deposit, 'slash')

    return { status: 'rejected', deposit: 0n }
  }

  const admitted = value.stakeFor * 3n > all * 2n

  if (!admitted && value.stakeFor + value.stakeAgainst < all) {
    return value
  }

  giveBack(draft, owner, subject, value.deposit)

  return { status: admitted ? 'admitted' : 'rejected', deposit: 0n }
}
