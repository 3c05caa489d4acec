import { toHex } from '../wire/index.ts'
import { FAILING_GATEWAYS_MAX } from './constants.ts'
import { reachableCounters, serves } from './counters.ts'
import { NoGatewayError } from './errors.ts'
import type { Counter } from './counters.ts'
import type { Gateway } from './gateway.ts'
import type { PayerChannels } from './payer-channels.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions, Account, Amount } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export interface GatewayChoiceComponents {
  network: Network
  channels: PayerChannels
  /** a gateway on this node */
  gateway?: Gateway
}

/** Which gateway a question goes to. */
export interface GatewayChoice {
  /**
   * The gateway on this node if it serves the adapter; else one with which a channel is open, or the
   * first to say what it serves. One that failed last time is asked only where no other serves.
   *
   * @throws {NoGatewayError}
   */
  counterFor (adapter: CID, payer: Account, quote: Amount, options?: AbortOptions): Promise<Counter>
  /** How a question to a gateway ended. */
  ended (counter: Counter, how: 'answered' | 'failed'): void
}

export function gatewayChoice ({ network, channels, gateway }: GatewayChoiceComponents): GatewayChoice {
  /** accounts in hexadecimal; first failed longest ago */
  const failing = new Set<string>()
  const nameOf = ({ offers }: Counter): string => toHex(offers.gateway)

  return {
    async counterFor (adapter, payer, quote, options) {
      const serving = (await reachableCounters(network, gateway, { ...options, serving: adapter })).filter(counter => serves(counter, adapter))
      const sound = serving.filter(counter => !failing.has(nameOf(counter)))
      const eligible = sound.length > 0 ? sound : serving

      for (const counter of eligible) {
        if (await channels.find(counter.offers.gateway, payer, quote, 0) != null) {
          return counter
        }
      }

      if (eligible.length === 0) {
        throw new NoGatewayError()
      }

      return eligible[0]
    },
    ended (counter, how) {
      failing.delete(nameOf(counter))

      if (how === 'failed') {
        failing.add(nameOf(counter))
      }

      for (const oldest of [...failing].slice(0, -FAILING_GATEWAYS_MAX)) {
        failing.delete(oldest)
      }
    }
  }
}
