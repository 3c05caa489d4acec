import { equalBytes } from '../wire/index.ts'
import { isSubject, takeDeposit } from './datanets.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { getChain } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Context } from './records.ts'
import type { TransactionBody } from '../interface/index.ts'

type Body<K extends TransactionBody['kind']> = Extract<TransactionBody, { kind: K }>

/**
 * An adapter that was trained elsewhere. It names no contributions, so nothing is ever scored for it
 * and `settle` gives the data's share of its fees to the treasury: whoever hides what an adapter was
 * trained on gets not one base unit more than a developer who says it.
 */
export function importAdapter ({ draft, signer, height }: Context, { adapter, base, weights }: Body<'import-adapter'>): void {
  if (isSubject(draft, adapter)) {
    throw new RuleError('ERR_ADAPTER_EXISTS', `expected a new adapter but ${adapter} is on the ledger already`)
  }

  if (!draft.has(stateKeys.base(base))) {
    throw new RuleError('ERR_BASE_UNKNOWN', `expected a base model of the genesis but got ${base}`)
  }

  const key = stateKeys.importedWeights(weights)
  const other = draft.get(stateCodecs.importedWeights, key)

  if (other !== undefined) {
    throw new RuleError('ERR_WEIGHTS_EXIST', `expected weights of their own but ${weights} are those of the adapter ${other}: ask that one`)
  }

  const deposit = takeDeposit(draft, signer, adapter, getChain(draft).params.adapterDeposit)

  draft.put(stateCodecs.importedWeights, key, adapter)
  draft.put(stateCodecs.adapter, stateKeys.adapter(adapter), {
    developer: signer,
    base,
    snapshot: null,
    contributions: [],
    deposit,
    status: 'pending',
    stakeFor: 0n,
    stakeAgainst: 0n,
    height,
    earned: 0n,
    weights
  })
  draft.emit({ type: 'adapter', adapter, developer: signer, status: 'pending' })
}

/** The developer's advice to ask something else. It takes nothing from who holds the adapter or serves it; a later one replaces it. */
export function deprecateAdapter ({ draft, signer, height }: Context, { adapter, reason, successor }: Body<'deprecate-adapter'>): void {
  const key = stateKeys.adapter(adapter)
  const state = draft.get(stateCodecs.adapter, key)

  if (state === undefined) {
    throw new RuleError('ERR_ADAPTER_UNKNOWN', `expected an adapter of this ledger but got ${adapter}`)
  }

  if (!equalBytes(state.developer, signer)) {
    throw new RuleError('ERR_NOT_DEVELOPER', 'expected the developer of the adapter: nobody else can deprecate it')
  }

  if (successor !== null && (successor.equals(adapter) || draft.get(stateCodecs.adapter, stateKeys.adapter(successor))?.status !== 'admitted')) {
    throw new RuleError('ERR_SUCCESSOR', `expected another adapter that is admitted as the successor but got ${successor}`)
  }

  draft.put(stateCodecs.adapter, key, { ...state, deprecated: { reason, successor, height } })
  draft.emit({ type: 'adapter', adapter, developer: signer, status: state.status })
}
