import { TIDY_EVERY_BLOCKS } from './constants.ts'
import type { Payer } from './payer.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Startable } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'

export interface ReclaimingInit {
  /** the accounts whose channels are looked after */
  signers (): Signer[]
  /** told what failed; it is tried again by itself */
  onError? (error: Error): void
}

/** Takes back, as long as a node runs, what lies in channels that expired without being closed by their gateway. */
export function reclaiming (init: ReclaimingInit): (components: { chain: SettlementBackend, payer: Pick<Payer, 'reclaim'> }) => Startable {
  return ({ chain, payer }) => {
    let stopped = new AbortController()
    let running: Promise<unknown> | undefined

    const onBlock = (): void => {
      if (chain.height % TIDY_EVERY_BLOCKS === 0) {
        running ??= payer.reclaim(init.signers(), { signal: stopped.signal } satisfies AbortOptions)
          .catch((error: Error) => {
            if (!stopped.signal.aborted) {
              init.onError?.(error)
            }
          })
          .finally(() => { running = undefined })
      }
    }

    return {
      async start () {
        stopped = new AbortController()
        chain.removeEventListener('block', onBlock)
        chain.addEventListener('block', onBlock)
      },
      async stop () {
        chain.removeEventListener('block', onBlock)
        stopped.abort()
        await running
      }
    }
  }
}
