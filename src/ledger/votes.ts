import { pushCheckpoint } from '../governance/index.ts'
import { equalBytes } from '../wire/index.ts'
import { InsufficientFundsError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { requirePositive } from './money.ts'
import { announce, credit, debit, getAccount, getChain, patchAccount, patchChain } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Account, Amount } from '../interface/index.ts'

/** OPEN into gOPEN, one to one. Votes only once delegated, to oneself or another. */
export function wrap ({ draft, signer }: Context, { amount }: { amount: Amount }): void {
  requirePositive(amount)
  debit(draft, signer, amount)

  const { gopen, delegate } = getAccount(draft, signer)

  patchAccount(draft, signer, { gopen: gopen + amount })
  patchChain(draft, { gopenSupply: getChain(draft).gopenSupply + amount })
  moveVotes(draft, null, delegate, amount)
  announce(draft, signer, signer, amount, 'wrap')
}

export function unwrap ({ draft, signer }: Context, { amount }: { amount: Amount }): void {
  const { gopen, delegate } = getAccount(draft, signer)

  requirePositive(amount)

  if (gopen < amount) {
    throw new InsufficientFundsError(amount, gopen, 'gOPEN')
  }

  patchAccount(draft, signer, { gopen: gopen - amount })
  patchChain(draft, { gopenSupply: getChain(draft).gopenSupply - amount })
  moveVotes(draft, delegate, null, amount)
  credit(draft, signer, amount)
  announce(draft, signer, signer, amount, 'wrap')
}

/** All of the account's votes, now and later, to `to`. */
export function delegate ({ draft, signer }: Context, { to }: { to: Account }): void {
  const { gopen, delegate: before } = getAccount(draft, signer)

  patchAccount(draft, signer, { delegate: to })
  moveVotes(draft, before, to, gopen)
}

function moveVotes (draft: Draft, from: Account | null, to: Account | null, amount: Amount): void {
  if (from !== null && to !== null && equalBytes(from, to)) {
    return
  }

  if (from !== null) {
    setVotes(draft, from, getAccount(draft, from).votes - amount)
  }

  if (to !== null) {
    setVotes(draft, to, getAccount(draft, to).votes + amount)
  }
}

/** Votes as they are now stand in the account, as they were at snapshots in its history. */
function setVotes (draft: Draft, account: Account, votes: Amount): void {
  const key = stateKeys.votes(account)
  const snapshots = getChain(draft).openProposals.map(proposal => {
    return draft.get(stateCodecs.proposal, stateKeys.proposal(proposal))?.voteStart ?? draft.height
  })

  if (getAccount(draft, account).votes !== votes) {
    patchAccount(draft, account, { votes })
    draft.put(stateCodecs.votes, key, pushCheckpoint(draft.get(stateCodecs.votes, key) ?? [], draft.height, votes, snapshots))
  }
}
