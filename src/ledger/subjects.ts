import { equalBytes } from '../wire/index.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { announce, credit, debit, holderOf } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { RuleCode } from './errors.ts'
import type { Account, AdmissionStatus, Amount, SubjectState } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What validators are to attest, before any of them did. */
export const pendingSubject = (deposit: Amount, height: number): SubjectState => ({ deposit, status: 'pending', stakeFor: 0n, stakeAgainst: 0n, height, earned: 0n })

/** Who entered a contribution or an adapter, and what became of it. */
export function getSubject (draft: Draft, cid: CID): { owner: Account, status: AdmissionStatus } | undefined {
  const contribution = draft.get(stateCodecs.contribution, stateKeys.contribution(cid))

  if (contribution !== undefined) {
    return { owner: contribution.contributor, status: contribution.status }
  }

  const adapter = draft.get(stateCodecs.adapter, stateKeys.adapter(cid))

  return adapter === undefined ? undefined : { owner: adapter.developer, status: adapter.status }
}

/**
 * Makes way for a subject that somebody enters. Whoever sees a CID on its way can enter it first: the
 * ledger cannot know whose record it names, but validators can, and what they rejected keeps nobody
 * out but the account whose entry it was. Nothing is left of it: its deposit is where the decision sent
 * it, its verdicts are forgotten, and late ones say whose entry they are about. What is pending or
 * admitted stays.
 *
 * @throws {RuleError} `code`, if the CID is taken
 */
export function makeWay (draft: Draft, cid: CID, signer: Account, code: RuleCode, what: string): void {
  const taken = getSubject(draft, cid)

  if (taken === undefined) {
    return
  }

  if (equalBytes(taken.owner, signer) || taken.status === 'admitted') {
    throw new RuleError(code, `expected a new ${what} but ${cid} is on the ledger already`)
  }

  if (taken.status === 'pending') {
    throw new RuleError(code, `expected a new ${what} but another account entered ${cid}: if it is not the author, validators reject its entry, and then yours is taken`)
  }

  draft.delete(stateKeys.contribution(cid))
  draft.delete(stateKeys.adapter(cid))

  for (const key of draft.keys(stateKeys.attestations(cid))) {
    draft.delete(key)
  }
}

export function takeDeposit (draft: Draft, from: Account, subject: CID, deposit: Amount): Amount {
  debit(draft, from, deposit)
  announce(draft, from, holderOf(subject), deposit, 'deposit')

  return deposit
}

export function giveBack (draft: Draft, to: Account, subject: CID, deposit: Amount): void {
  credit(draft, to, deposit)
  announce(draft, holderOf(subject), to, deposit, 'refund')
}
