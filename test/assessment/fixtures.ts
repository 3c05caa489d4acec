import { assessor } from '../../src/assessment/index.ts'
import { accountToString } from '../../src/identity/index.ts'
import { listPayouts, listTasks, readAccount, readAdapter, readTask } from '../../src/ledger/index.ts'
import { training } from '../../src/training/index.ts'
import { toHex } from '../../src/wire/index.ts'
import { acquaint, assessors, baseDeveloper, market, OPEN, people, question, signal } from '../serving/fixtures.ts'
import type { Assessor, AssessorEvent, Recomputer } from '../../src/assessment/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Hash, NetworkParams, TaskState } from '../../src/interface/index.ts'
import type { Gateway, PaidAnswer } from '../../src/serving/index.ts'
import type { Market, Peer } from '../serving/fixtures.ts'

export type Shop = Peer & { gateway: Gateway }

export interface Seat extends Peer {
  who: Signer
  service: Assessor
  events: AssessorEvent[]
}

export interface SeatOptions {
  folder?: string
  seed?: number
  training?: Recomputer
  /** in place of everybody's */
  storage?: Market['here']['storage']
  onEvent? (event: AssessorEvent): void
}

const EPOCH_BLOCKS = 40

/** Where assessments happen: short epochs, and assessors with a stake. */
export async function court (changed: Partial<NetworkParams> = {}, candidates = assessors): Promise<{ here: Market, shop: Shop }> {
  const here = await market({ epochBlocks: EPOCH_BLOCKS, commitBlocks: 120, revealBlocks: 25, openBlocks: 25, verdictBlocks: 200, ...changed })

  await Promise.all(candidates.map(async who => here.must({ kind: 'stake', amount: 200n * OPEN }, who)))

  return { here, shop: await here.shop({ seed: 200 }) }
}

/** An assessor on a peer of its own that knows the gateway; recomputes really unless told otherwise. */
export async function seat (here: Market, shop: Shop, who: Signer, options: SeatOptions = {}): Promise<Seat> {
  const events: AssessorEvent[] = []
  const peer = await here.peer(options)
  const jobs = options.training ?? training({ threads: 1 })(here.here.components)

  await acquaint(peer.net, shop.net)

  const service = assessor({
    signer: who,
    onEvent: event => {
      events.push(event)
      options.onEvent?.(event)
    }
  })({ network: peer.net, chain: here.chain, storage: options.storage ?? here.here.storage, training: jobs, db: peer.db })

  await service.start()

  return {
    ...peer,
    who,
    service,
    events,
    stop: async () => {
      await service.stop()
      await peer.stop()
    }
  }
}

/** Some disputes wait half a phase for what never comes, beside seats and validators on one machine. */
const SETTLED_MS = 150_000

/** Two paid answers of one adapter within one epoch; the gateway redeems them by itself. */
export async function trade (here: Market, shop: Shop, adapter = here.adapter): Promise<PaidAnswer[]> {
  const { payer } = await here.customer([shop])

  await here.chain.waitFor((_, height) => height % EPOCH_BLOCKS < EPOCH_BLOCKS / 4, { signal: signal() })

  return [await payer.ask(question(adapter), people[0]), await payer.ask(question(adapter, 'people have', 4), people[1])]
}

export async function inPhase (here: Market, phase: TaskState['phase'], ms = 60_000): Promise<{ task: Hash, state: TaskState }> {
  return here.chain.waitFor(ledger => [...listTasks(ledger)].find(({ state }) => state.phase === phase), { signal: signal(ms) })
}

/** Waits until the only task is settled and all contributors have claimed. */
export async function paidOut (here: Market): Promise<{ task: Hash, state: TaskState }> {
  const { task } = await inPhase(here, 'settled', SETTLED_MS)

  // rounding leaves less than a base unit per contribution behind
  return here.chain.waitFor(ledger => {
    const state = readTask(ledger, task)

    return state != null && state.dataPool - state.paid < 3n ? { task, state } : undefined
  }, { signal: signal() })
}

/** What contributors and developers got, and for which scores. */
export function payouts (here: Market, task: Hash): Record<string, string> {
  const ledger = here.chain.state()

  return {
    root: toHex(readTask(ledger, task)?.scoreRoot ?? new Uint8Array()),
    developer: String(readAdapter(ledger, here.adapter)?.earned),
    base: String(readAccount(ledger, baseDeveloper.account).balance),
    ...Object.fromEntries([...listPayouts(ledger, task)].map(({ contribution, state }) => [contribution.toString(), `${accountToString(state.contributor)} ${state.score} ${state.amount}`]))
  }
}

export const faults = (state: TaskState): Record<string, string | null> =>
  Object.fromEntries(state.seats.map(({ assessor, fault }) => [accountToString(assessor), fault]))
