import { network } from '../gossip/index.ts'
import { lightClient } from '../light-client/index.ts'
import { querySource } from '../settlement/index.ts'
import { storage } from '../storage/index.ts'
import { NoPeerError } from './errors.ts'
import { reportFork } from './fork-reports.ts'
import { verifiedSource } from './why.ts'
import type { ForkReport } from './fork-reports.ts'
import type { AbortOptions, Genesis, Startable } from '../interface/index.ts'
import type { ForkEvidence, LightClient, LightClientInit } from '../light-client/index.ts'
import type { PeerId } from '@libp2p/interface'

export interface LightNodeInit extends Pick<LightClientInit, 'checkpoint' | 'trusted' | 'trusting'> {
  genesis: Genesis
  /** multiaddrs of peers that have the chain */
  bootstrap: string[]
  /**
   * Multiaddrs of other peers, each of which has to confirm what the peers of `bootstrap` say. They are
   * asked for nothing else.
   *
   * @default none
   */
  witnesses?: string[]
}

/** A light client with a network of its own: no chain, no disk. */
export interface LightNode extends Startable {
  readonly client: LightClient
  /**
   * Has a peer bring evidence of a fork before the ledger.
   *
   * @throws {EvidenceError | NoPeerError}
   */
  reportFork (evidence: ForkEvidence, options?: AbortOptions): Promise<ForkReport>
}

export function lightNode ({ genesis, bootstrap, checkpoint, trusted, trusting, witnesses = [] }: LightNodeInit): LightNode {
  const net = network({ listen: [], bootstrap, agent: 'datanet-light/0.1' })({})
  const blocks = storage()({ network: net })
  const confirming = new Map<string, PeerId>()
  const client = lightClient({
    genesis,
    checkpoint,
    trusted,
    trusting,
    source: verifiedSource({
      network: net,
      storage: blocks,
      genesis,
      // who confirms must not be who is confirmed
      peers: () => net.peers().map(({ peer }) => peer).filter(peer => ![...confirming.values()].some(witness => witness.equals(peer)))
    }),
    witnesses: witnesses.map(address => querySource({
      network: net,
      chain: genesis.chain,
      peers: () => [...confirming].filter(([witness]) => witness === address).map(([, peer]) => peer)
    })),
    witnessesMin: witnesses.length
  })

  return {
    client,
    reportFork: async (evidence, options) => reportFork(net, genesis.chain, evidence, options),
    async start (options) {
      await net.start(options)
      await blocks.start(options)

      await Promise.any(bootstrap.map(async address => net.connect(address, options))).catch((cause: unknown) => {
        options?.signal?.throwIfAborted()
        throw new NoPeerError(bootstrap, cause)
      })
      await Promise.all(witnesses.map(async address => {
        try {
          confirming.set(address, await net.connect(address, options))
        } catch (cause) {
          options?.signal?.throwIfAborted()
          throw new NoPeerError([address], cause)
        }
      }))
    },
    async stop (options) {
      await blocks.stop(options)
      await net.stop(options)
    }
  }
}
