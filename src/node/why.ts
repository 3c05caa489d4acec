import { CID } from 'multiformats/cid'
import { fetchScores } from '../assessment/index.ts'
import { listPayouts, listTasks } from '../ledger/index.ts'
import { lightClient } from '../light-client/index.ts'
import { querySource } from '../settlement/index.ts'
import { fromHex, toHex } from '../wire/index.ts'
import { NotFoundError } from './errors.ts'
import { quotesOf } from './quotes.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, Hash, WhyView } from '../interface/index.ts'
import type { HeaderSource } from '../light-client/index.ts'
import type { PeerId } from '@libp2p/interface'

/**
 * Why a contribution was paid, verified link by link as a light client would: against peers, so that
 * this node's own state is not taken for granted, and against its own chain where no peer answers.
 * The proofs are checked the same way. Answers of this node that quote the contribution are shown
 * beside them.
 *
 * @param node - whose peers are asked, then its own chain
 * @param contribution - its CID
 * @param task - hexadecimal; default: the newest task that paid the contribution
 * @param options - ends the search
 */
export async function why (node: DatanetNode, contribution: string, task?: string, options: AbortOptions = {}): Promise<WhyView> {
  const cid = CID.parse(contribution)
  const id = task == null ? newestPayout(node, cid) : fromHex(task)
  const client = lightClient({ genesis: node.genesis, source: orElse(verifiedSource(node), ownSource(node)) })

  const view = await client.why(id, cid, options)
  const quotes = quotesOf((await node.answers.list()).filter(({ adapter }) => adapter === view.adapter), view.contribution)

  return { ...view, ...(quotes.length > 0 ? { quotes } : {}) }
}

/** Headers and proofs from peers, records from the swarm, scores from assessors. */
export function verifiedSource (node: Pick<DatanetNode, 'network' | 'storage' | 'genesis'> & { peers?(): PeerId[] }): Required<HeaderSource> {
  return {
    ...querySource({ network: node.network, chain: node.genesis.chain, peers: node.peers }),
    datum: async (cid, options) => node.storage.get(cid, options),
    scores: async (task, options) => fetchScores(node.network, task, options)
  }
}

type OwnSource = Omit<Required<HeaderSource>, 'datum'>

/** What this node has itself: all there is on a network of one. */
export function ownSource ({ chain, assessor }: Pick<DatanetNode, 'chain' | 'assessor'>): OwnSource {
  return {
    latest: async () => chain.certified(),
    eraChange: async (era) => chain.eraChange(era),
    header: async height => chain.certified(height),
    past: async (height, size) => chain.past(height, size),
    epochEnd: async (epoch, size) => chain.epochEnd(epoch, size),
    outcome: async id => chain.outcome(id),
    proof: async (key, height) => chain.prove(key, height),
    scores: async task => {
      const table = await assessor?.table(task)

      if (table == null) {
        throw new NotFoundError('score table of task', toHex(task), 'this node did not assess it, and no peer that did answers')
      }

      return table
    }
  }
}

/** Asks the second source where the first one fails. */
export function orElse (first: Required<HeaderSource>, second: OwnSource): Required<HeaderSource> {
  const either = async <T>(options: AbortOptions | undefined, one: Promise<T>, other: () => Promise<T>): Promise<T> => one.catch(async (cause: unknown) => {
    options?.signal?.throwIfAborted()

    return other().catch(() => { throw cause })
  })

  return {
    ...first,
    latest: async options => either(options, first.latest(options), async () => second.latest(options)),
    eraChange: async (era, options) => either(options, first.eraChange(era, options), async () => second.eraChange(era, options)),
    past: async (height, size, options) => either(options, first.past(height, size, options), async () => second.past(height, size, options)),
    epochEnd: async (epoch, size, options) => either(options, first.epochEnd(epoch, size, options), async () => second.epochEnd(epoch, size, options)),
    outcome: async (id, options) => either(options, first.outcome(id, options), async () => second.outcome(id, options)),
    header: async (height, options) => either(options, first.header(height, options), async () => second.header(height, options)),
    proof: async (key, height, options) => either(options, first.proof(key, height, options), async () => second.proof(key, height, options)),
    scores: async (task, options) => either(options, first.scores(task, options), async () => second.scores(task, options))
  }
}

function newestPayout (node: DatanetNode, contribution: CID): Hash {
  const state = node.chain.state()
  const paid = [...listTasks(state)]
    .filter(({ task }) => [...listPayouts(state, task)].some(payout => payout.contribution.equals(contribution)))
    .toSorted((a, b) => b.state.epoch - a.state.epoch)

  if (paid.length === 0) {
    throw new NotFoundError('payout for contribution', contribution.toString(), 'payouts come when a task that it shaped is settled: look with `datanet status`')
  }

  return paid[0].task
}
