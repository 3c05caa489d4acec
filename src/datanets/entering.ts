import { readAdapter, readContribution, readImported, readOwner } from '../ledger/index.ts'
import { equalBytes } from '../wire/index.ts'
import { ENTRY_WAIT_BLOCKS, SQUATTERS_MAX } from './constants.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, TransactionBody, TransactionResult } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { CID } from 'multiformats/cid'

/** Transactions that enter a subject for validators to attest. */
export type EntryBody = Extract<TransactionBody, { kind: 'contribute' | 'publish-adapter' | 'import-adapter' | 'merge-adapters' }>

/** What of the chain is needed to enter something. */
export type EnteringChain = Pick<SettlementBackend, 'state' | 'waitFor'> & { send (body: TransactionBody, signer: Signer, options?: AbortOptions): Promise<TransactionResult> }

/**
 * Enters a contribution or an adapter under its author's name, and again when somebody was quicker:
 * whoever sees a CID on its way can enter it as their own, until validators reject that entry.
 *
 * Waits for that at most ENTRY_WAIT_BLOCKS blocks, for at most SQUATTERS_MAX entries of others, each of
 * which costs them a deposit.
 *
 * @param chain - whose ledger it goes to
 * @param body - what to enter; its author signs
 * @param signer - the author
 * @param options - the signal ends the waiting
 * @returns ok if the entry is the signer's, be it by this transaction or one from before a crash; else the ledger's refusal
 */
export async function enterSubject (chain: EnteringChain, body: EntryBody, signer: Signer, options: AbortOptions = {}): Promise<{ ok: boolean, code?: string, message?: string }> {
  const subject = body.kind === 'contribute' ? body.contribution : body.adapter
  const isOurs = (state: LedgerState): boolean => {
    const owner = readOwner(state, subject)

    return owner !== undefined && equalBytes(owner, signer.account)
  }

  for (let squatters = 0; ; squatters++) {
    if (isOurs(chain.state())) {
      return { ok: true }
    }

    const { ok, code, message } = await chain.send(body, signer, options)

    if (ok || isOurs(chain.state()) || squatters === SQUATTERS_MAX || !await hasGone(chain, body, subject, options)) {
      return { ok: ok || isOurs(chain.state()), code, message }
    }
  }
}

/** Waits until what another account entered is decided. Whether it stood in the way, and does no longer. */
async function hasGone (chain: EnteringChain, body: EntryBody, subject: CID, options: AbortOptions): Promise<boolean> {
  const before = chain.state()
  const weights = body.kind === 'import-adapter' ? readImported(before, body.weights) : undefined
  const [taken] = [subject, weights].filter(one => one !== undefined && statusOf(before, one) !== undefined)

  // refused for another reason
  if (taken === undefined) {
    return false
  }

  return chain.waitFor(state => {
    const status = statusOf(state, taken)
    const isLate = state.height >= before.height + ENTRY_WAIT_BLOCKS

    return status === 'pending' && !isLate ? undefined : { gone: status === undefined || status === 'rejected' }
  }, options).then(({ gone }) => gone)
}

const statusOf = (state: LedgerState, subject: CID): string | undefined => (readContribution(state, subject) ?? readAdapter(state, subject))?.status
