import { randomBytes, randomInt } from 'node:crypto'
import { readAccount, readChain, readPlant, readPlanters, readTask } from '../ledger/index.ts'
import { plantCommit, scoreTree } from '../scoring/index.ts'
import { codec, counter, equalBytes, hash32, int64, struct } from '../wire/index.ts'
import type { Act } from './interface.ts'
import type { Recomputing } from './recompute.ts'
import type { Signer } from '../identity/index.ts'
import type { Hash, TransactionBody } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Level } from 'level'

/** An answer that this node planted, as long as it can be exposed or withdrawn. */
interface OwnPlant {
  epoch: number
  task: Hash
  scoreRoot: Hash
  total: bigint
  salt: Hash
}

const ownPlantCodec = codec<OwnPlant>('own plant', struct({ epoch: counter, task: hash32, scoreRoot: hash32, total: int64, salt: hash32 }), { bytesMax: 512 })

export interface PlanterComponents {
  chain: SettlementBackend
  db: Level
  signer: Signer
  recomputing: Recomputing
  /** sends a transaction and says whether it did what it should */
  send (task: Hash, body: TransactionBody, type: Act): Promise<boolean>
}

/**
 * Checks committees by answers that it knows: when it is a validator's turn to plant, it recomputes
 * one of the epoch's tasks in which it has no seat, while the seats do the same, and puts a digest of
 * the result on the ledger before anybody reveals. Which task it is stays its secret until it can be
 * held against what the seats agreed on.
 *
 * The plant is on disk before it is sent, so that it is exposed after a restart too.
 */
export class Planter {
  readonly #components: PlanterComponents
  readonly #plants
  /** epochs in which this node planted, or had nothing to plant */
  #lastEpoch = -1

  constructor (components: PlanterComponents) {
    this.#components = components
    this.#plants = components.db.sublevel<string, Uint8Array>('own-plants', { valueEncoding: 'view' })
  }

  /** Exposes or takes back what is due. One call at a time. */
  async follow (): Promise<void> {
    for (const bytes of await this.#plants.values().all()) {
      await this.#follow(ownPlantCodec.decode(bytes))
    }
  }

  /** Plants if it is this node's turn; takes as long as an assessment. One call at a time. */
  async plant (signal: AbortSignal): Promise<void> {
    const state = this.#components.chain.state()
    const { epoch } = readChain(state)

    if (epoch > this.#lastEpoch && this.#mayPlant(state)) {
      const candidates = tasksWithout(state, this.#components.signer)

      if (candidates.length > 0) {
        this.#lastEpoch = epoch
        await this.#plant(candidates[randomInt(candidates.length)], epoch, signal)
      }
    }
  }

  #mayPlant (state: LedgerState): boolean {
    const { signer } = this.#components
    const { epoch, params } = readChain(state)

    return readPlanters(state).some(one => equalBytes(one, signer.account)) && readPlant(state, epoch, signer.account) === undefined && readAccount(state, signer.account).balance >= params.challengeBond
  }

  async #plant (task: Hash, epoch: number, signal: AbortSignal): Promise<void> {
    const { chain, db, recomputing, send, signer } = this.#components
    const state = readTask(chain.state(), task)
    const assessment = state === undefined ? undefined : await recomputing.assessment(task, state, signal)

    // what cannot be recomputed is for the seats to report
    if (assessment === undefined || 'unavailable' in assessment || readTask(chain.state(), task)?.phase !== 'commit' || readChain(chain.state()).epoch !== epoch) {
      return
    }

    const { root: scoreRoot, total } = scoreTree(assessment.table)
    const plant: OwnPlant = { epoch, task, scoreRoot, total, salt: new Uint8Array(randomBytes(32)) }

    await db.batch([{ type: 'put', sublevel: this.#plants, key: String(epoch), value: ownPlantCodec.encode(plant) }], { sync: true })

    if (!await send(task, { kind: 'plant', commit: plantCommit({ ...plant, chain: chain.id, planter: signer.account }) }, 'assessor:plant')) {
      await this.#plants.del(String(epoch))
    }
  }

  /** Exposes a plant when its task has a result, and takes it back when it can never be exposed. */
  async #follow (plant: OwnPlant): Promise<void> {
    const { chain, send, signer } = this.#components
    const { epoch, task, scoreRoot, total, salt } = plant
    const onLedger = readPlant(chain.state(), epoch, signer.account)
    const state = readTask(chain.state(), task)

    if (onLedger === undefined) {
      // exposed, withdrawn, or never there: in a later epoch it cannot come any more
      if (readChain(chain.state()).epoch > epoch) {
        await this.#plants.del(String(epoch))
      }
    } else if (state?.phase === 'challenge' && onLedger.height <= state.revealedAt && state.challenge === null) {
      await send(task, { kind: 'expose', epoch, task, scoreRoot, total, salt }, 'assessor:expose')
    } else if (state === undefined || state.phase === 'settled' || state.phase === 'unavailable' || (state.phase === 'challenge' && onLedger.height > state.revealedAt)) {
      await send(task, { kind: 'withdraw-plant', epoch }, 'assessor:withdraw-plant')
    }
  }
}

/** Tasks whose seats are at work, and of which the signer has none. */
function tasksWithout (state: LedgerState, { account }: Signer): Hash[] {
  return readChain(state).openTasks.filter(id => {
    const task = readTask(state, id)

    return task?.phase === 'commit' && !task.seats.some(({ assessor }) => equalBytes(assessor, account))
  })
}
