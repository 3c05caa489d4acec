import { readAccount, readChain } from '../ledger/index.ts'
import { equalBytes } from '../wire/index.ts'
import type { NodeEvents } from './events.ts'
import type { Signer } from '../identity/index.ts'
import type { Genesis, Startable } from '../interface/index.ts'
import type { Chain } from '../settlement/index.ts'

const OPEN = 10n ** 18n

/**
 * Stakes for the only validator of a private network, so that its answers have a committee: with no
 * assessor at stake no task would ever be settled. Elsewhere staking is for people to decide.
 *
 * @param init - whose account stakes on which chain
 * @param init.genesis - of the chain
 * @param init.signer - of the node's own account
 */
export function founderStake (init: { genesis: Genesis, signer: Signer }): (components: { chain: Chain, events: NodeEvents }) => Startable {
  const { genesis: { validators }, signer } = init
  const isFounder = validators.length === 1 && equalBytes(validators[0].account, signer.account)

  return ({ chain, events }) => {
    let controller = new AbortController()
    let staking: Promise<void> | undefined

    const stake = async (signal: AbortSignal): Promise<void> => {
      const state = chain.state()
      const { params: { assessorStakeMin } } = readChain(state)
      const { staked, balance } = readAccount(state, signer.account)
      const amount = assessorStakeMin - staked

      if (amount <= 0n || balance < amount) {
        return
      }

      const { ok, message } = await chain.send({ kind: 'stake', amount }, signer, { signal })

      events.tell(ok
        ? { type: 'log', level: 'info', message: `staked ${(amount / OPEN).toString()} OPEN as this private network's assessor, so that its answers are assessed and paid out` }
        : { type: 'log', level: 'warn', message: `could not stake ${(amount / OPEN).toString()} OPEN as assessor: ${message ?? 'the ledger gave no reason'}; do it with \`datanet wallet stake\`` })
    }

    return {
      async start () {
        if (isFounder && staking == null) {
          const { signal } = controller

          staking = stake(signal).catch((error: Error) => {
            if (!signal.aborted) {
              events.tell({ type: 'log', level: 'warn', message: `could not stake as assessor: ${error.message}` })
            }
          })
        }
      },
      async stop () {
        controller.abort()
        await staking
        staking = undefined
        controller = new AbortController()
      }
    }
  }
}
