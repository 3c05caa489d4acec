import { network } from '../gossip/index.ts'
import { lightClient } from '../light-client/index.ts'
import { storage } from '../storage/index.ts'
import { NoPeerError } from './errors.ts'
import { verifiedSource } from './why.ts'
import type { Genesis, Startable } from '../interface/index.ts'
import type { LightClient } from '../light-client/index.ts'

export interface LightNodeInit {
  genesis: Genesis
  /** multiaddrs of peers that have the chain */
  bootstrap: string[]
}

/** A light client with a network of its own: no chain, no disk. */
export interface LightNode extends Startable {
  readonly client: LightClient
}

export function lightNode ({ genesis, bootstrap }: LightNodeInit): LightNode {
  const net = network({ listen: [], bootstrap, agent: 'datanet-light/0.1' })({})
  const blocks = storage()({ network: net })
  const client = lightClient({ genesis, source: verifiedSource({ network: net, storage: blocks, genesis }) })

  return {
    client,
    async start (options) {
      await net.start(options)
      await blocks.start(options)

      await Promise.any(bootstrap.map(async address => net.connect(address, options))).catch((cause: unknown) => {
        options?.signal?.throwIfAborted()
        throw new NoPeerError(bootstrap, cause)
      })
    },
    async stop (options) {
      await blocks.stop(options)
      await net.stop(options)
    }
  }
}
