import { readContribution, readTask } from '../ledger/index.ts'
import { certifiedHeaderCodec, eraChangeCodec, genesisCodec, outcomeProofCodec, pastHeaderCodec, RECORD_BYTES_MAX, ENVELOPE_BYTES_MAX, scoreTableCodec, stateProofCodec, toHex } from '../wire/index.ts'
import { NotFoundError } from './errors.ts'
import { orElse, ownSource, verifiedSource } from './why.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, Hash } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What a node tells light clients, as the bytes that they verify. All of it is public on its chain. */
export interface LightAnswers {
  genesis (): Uint8Array
  latest (options?: AbortOptions): Promise<Uint8Array>
  header (height: number, options?: AbortOptions): Promise<Uint8Array>
  era (era: number, options?: AbortOptions): Promise<Uint8Array>
  proof (key: string, height: number, options?: AbortOptions): Promise<Uint8Array>
  /** a header before one of height `size`, by its place in that one's history */
  past (height: number, size: number, options?: AbortOptions): Promise<Uint8Array>
  /** the last header of an epoch, by its place among the `size` epochs of a history */
  epochEnd (epoch: number, size: number, options?: AbortOptions): Promise<Uint8Array>
  outcome (transaction: CID, options?: AbortOptions): Promise<Uint8Array>
  /**
   * of a task that this node or a connected peer assessed
   *
   * @throws {NotFoundError} if the ledger has no such task
   */
  scores (task: Hash, options?: AbortOptions): Promise<Uint8Array>
  /**
   * a contribution's signed record; nothing else of the swarm is given to strangers
   *
   * @throws {NotFoundError}
   */
  record (contribution: CID, options?: AbortOptions): Promise<Uint8Array>
}

/** Answers from this node's own chain; scores from peers where this node did not assess. */
export function lightAnswers (node: DatanetNode): LightAnswers {
  const own = ownSource(node)
  const { scores } = orElse(verifiedSource(node), own)

  return {
    genesis: () => genesisCodec.encode(node.genesis),
    latest: async options => certifiedHeaderCodec.encode(await own.latest(options)),
    header: async (height, options) => certifiedHeaderCodec.encode(await own.header(height, options)),
    era: async (era, options) => eraChangeCodec.encode(await own.eraChange(era, options)),
    proof: async (key, height, options) => stateProofCodec.encode(await own.proof(key, height, options)),
    past: async (height, size, options) => pastHeaderCodec.encode(await own.past(height, size, options)),
    epochEnd: async (epoch, size, options) => pastHeaderCodec.encode(await own.epochEnd(epoch, size, options)),
    outcome: async (transaction, options) => outcomeProofCodec.encode(await own.outcome(transaction, options)),
    async scores (task, options) {
      // peers are not asked for what a stranger made up
      if (readTask(node.chain.state(), task) == null) {
        throw new NotFoundError('task', toHex(task))
      }

      const mine = await node.assessor?.table(task)

      return scoreTableCodec.encode(mine ?? await scores(task, options))
    },
    async record (contribution, options) {
      if (readContribution(node.chain.state(), contribution) == null) {
        throw new NotFoundError('contribution', contribution.toString())
      }

      return node.storage.get(contribution, { ...options, bytesMax: RECORD_BYTES_MAX + ENVELOPE_BYTES_MAX })
    }
  }
}
