import { equalBytes } from '../wire/index.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { getChain } from './records.ts'
import { makeWay, pendingSubject, takeDeposit } from './subjects.ts'
import { stateCodecs } from './values.ts'
import type { Context } from './records.ts'
import type { AdapterState, TransactionBody } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

type Body<K extends TransactionBody['kind']> = Extract<TransactionBody, { kind: K }>

/** Puts an adapter on the ledger, for validators to attest, against a deposit. */
export function submitAdapter ({ draft, signer, height }: Context, adapter: CID, what: Pick<AdapterState, 'base' | 'snapshot' | 'contributions' | 'weights' | 'parents'>): void {
  const deposit = takeDeposit(draft, signer, adapter, getChain(draft).params.adapterDeposit)

  draft.put(stateCodecs.adapter, stateKeys.adapter(adapter), {
    ...what,
    developer: signer,
    ...pendingSubject(deposit, height)
  })
  draft.emit({ type: 'adapter', adapter, developer: signer, status: 'pending' })
}

/** An adapter that was trained on contributions of this ledger. */
export function publishAdapter (context: Context, { adapter, base, snapshot, contributions }: Body<'publish-adapter'>): void {
  const { draft, signer } = context

  makeWay(draft, adapter, signer, 'ERR_ADAPTER_EXISTS', 'adapter')

  if (!draft.has(stateKeys.base(base))) {
    throw new RuleError('ERR_BASE_UNKNOWN', `expected a base model of the genesis but got ${base}`)
  }

  for (const contribution of contributions) {
    const known = draft.get(stateCodecs.contribution, stateKeys.contribution(contribution))

    if (known?.withdrawn !== undefined) {
      throw new RuleError('ERR_CONTRIBUTION_WITHDRAWN', `expected contributions that are not withdrawn but ${contribution} was at height ${known.withdrawn.height}: train on a snapshot without it`)
    }

    if (known?.status !== 'admitted') {
      throw new RuleError('ERR_CONTRIBUTION_NOT_ADMITTED', `expected admitted contributions only but ${contribution} is not: train on a snapshot without it`)
    }
  }

  submitAdapter(context, adapter, { base, snapshot, contributions })
}

/**
 * An adapter that was trained elsewhere. It names no contributions, so nothing is ever scored for it
 * and `settle` gives the data's share of its fees to the treasury: whoever hides what an adapter was
 * trained on gets not one base unit more than a developer who says it.
 */
export function importAdapter (context: Context, { adapter, base, weights }: Body<'import-adapter'>): void {
  const { draft, signer } = context

  makeWay(draft, adapter, signer, 'ERR_ADAPTER_EXISTS', 'adapter')

  if (!draft.has(stateKeys.base(base))) {
    throw new RuleError('ERR_BASE_UNKNOWN', `expected a base model of the genesis but got ${base}`)
  }

  const key = stateKeys.importedWeights(weights)
  const other = draft.get(stateCodecs.importedWeights, key)

  if (other !== undefined) {
    throw new RuleError('ERR_WEIGHTS_EXIST', `expected weights of their own but ${weights} are those of the adapter ${other}: ask that one`)
  }

  submitAdapter(context, adapter, { base, snapshot: null, contributions: [], weights })
  draft.put(stateCodecs.importedWeights, key, adapter)
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
