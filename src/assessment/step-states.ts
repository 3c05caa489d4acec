/**
 * A dispute comes down to one step, and a step starts from a state that is too large for the ledger:
 * weights and moments, an adjoint, a sum of gradients. Seats that take part in the dispute compute it
 * again and publish it as a file; validators fetch it, see whether its hashes are those that all seats
 * agreed on, and compute the one step.
 *
 * Nothing is believed: a state that is not the agreed one is refused before it is used, whoever
 * published it. One honest seat is enough, and a dispute between a lie and the truth has one. If no
 * state comes before half of the time is over, validators compute everything, as if there were none:
 * who withholds a state wins nothing.
 */
import { readChain } from '../ledger/index.ts'
import { endsIn } from '../scoring/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { DatanetError } from '../utils/index.ts'
import { toHex } from '../wire/index.ts'
import { STATES_REFUSED_MAX } from './constants.ts'
import { publishesAt } from './duties.ts'
import { fetchReceipts } from './receipts.ts'
import { askForStates, serveStates } from './state-requests.ts'
import type { AssessComponents } from './assess.ts'
import type { Journal } from './journal.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, DisputeState, Hash, TaskState } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { CID } from 'multiformats/cid'

const HASH_BYTES = 32

/** What a recomputer finds wrong with a state; anything else is wrong with us. */
const refusals = new Set(['ERR_STEP_STATE', 'ERR_TRAINING_STATE'])

export interface StepStatesComponents extends AssessComponents {
  chain: SettlementBackend
  journal: Journal
  signer: Signer
}

/** What this node publishes of disputed steps, and what it fetches from others. */
export class StepStates {
  readonly #components: StepStatesComponents
  /** by task: the step that is judged */
  readonly #published = new Map<string, { index: number, state: CID }>()
  /** files that were not what they should be */
  readonly #refused = new Set<string>()

  constructor (components: StepStatesComponents) {
    this.#components = components
  }

  /** Once in the life of a network. */
  serve (): void {
    const { network, chain } = this.#components

    serveStates(network, () => chain.state(), (task, index) => {
      const one = this.#published.get(toHex(task))

      return one?.index === index ? one.state : undefined
    })
  }

  /**
   * Publishes the state of the step in dispute when it is this seat's turn; takes as long as an
   * assessment at most. One call at a time for each task.
   *
   * @returns whether it did
   */
  async publish (task: Hash, state: TaskState, signal: AbortSignal): Promise<boolean> {
    const { chain, storage, training, journal, signer } = this.#components
    const { dispute } = state
    const turn = publishesAt(state, signer.account, readChain(chain.state()).params.verdictBlocks)

    if (dispute === null || turn === null) {
      this.#published.delete(toHex(task))
      return false
    }

    if (training.stepState === undefined || chain.height < turn || this.#published.get(toHex(task))?.index === dispute.agreed) {
      return false
    }

    const assessment = await journal.get(task)
    const steps = assessment?.trace.slice(0, dispute.agreed)

    if (steps === undefined || assessment?.fees !== state.fees || !endsIn(steps, dispute.chain) || await this.#bytesMax(state, dispute, { signal }) === 0) {
      return false
    }

    const receipts = (await fetchReceipts(this.#components, chain.state(), task, state, signer, { signal })).map(({ opening }) => opening)
    const bytes = await training.stepState(await readAdapterRecord(storage, state.adapter, { signal }), receipts, steps, { signal })

    // nobody asks for it once the step is judged
    this.#published.set(toHex(task), { index: dispute.agreed, state: await storage.putFile(bytes, { signal, pin: false }) })

    return true
  }

  /**
   * The step in dispute, by the first state that connected seats publish and that holds: `judge`
   * computes the step from a state, and refuses one that is not that of its hashes.
   *
   * @returns `needless` if there is no state that would spare work; undefined if nobody has one yet
   */
  async judge (task: Hash, state: TaskState, dispute: DisputeState, judge: (from: Uint8Array) => Promise<Hash | null>, options: AbortOptions): Promise<Hash | null | 'needless' | undefined> {
    const { chain, network, signer } = this.#components
    const bytesMax = await this.#bytesMax(state, dispute, options)

    if (bytesMax === 0) {
      return 'needless'
    }

    for await (const cid of askForStates(network, chain.state(), task, dispute.agreed, signer, options)) {
      const from = await this.#fetch(cid, dispute, bytesMax, options)

      try {
        if (from !== undefined) {
          return await judge(from)
        }
      } catch (err) {
        if (!(err instanceof DatanetError) || !refusals.has(err.code)) {
          throw err
        }

        this.#refuse(cid)
      }
    }

    return undefined
  }

  /** A file, if its first part are the hashes that all seats agreed on. */
  async #fetch (cid: CID, { agreed, chain }: DisputeState, bytesMax: number, options: AbortOptions): Promise<Uint8Array | undefined> {
    if (this.#refused.has(cid.toString())) {
      return undefined
    }

    const bytes = await this.#components.storage.getFile(cid, { ...options, bytesMax }).catch(() => {
      options.signal?.throwIfAborted()

      return undefined
    })

    // what could not be fetched may come the next time
    if (bytes === undefined) {
      return undefined
    }

    const steps = Array.from({ length: agreed }, (_, i) => bytes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1)))

    if (bytes.length > bytesMax || bytes.length < HASH_BYTES * agreed || !endsIn(steps, chain)) {
      this.#refuse(cid)
      return undefined
    }

    return bytes
  }

  #refuse (cid: CID): void {
    if (this.#refused.size >= STATES_REFUSED_MAX) {
      this.#refused.clear()
    }

    this.#refused.add(cid.toString())
  }

  async #bytesMax (state: TaskState, { agreed }: DisputeState, options: AbortOptions): Promise<number> {
    const { storage, training } = this.#components
    const receipts = state.sources.reduce((sum, one) => one.fault === null ? sum + one.receipts : sum, 0)

    return await training.stepStateBytesMax?.(await readAdapterRecord(storage, state.adapter, options), receipts, agreed, options) ?? 0
  }
}
