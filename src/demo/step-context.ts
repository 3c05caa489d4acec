import { setTimeout as delay } from 'node:timers/promises'
import { toError } from '../utils/index.ts'
import { STEP_TIMEOUT_MS } from './constants.ts'
import { StepFailedError } from './errors.ts'
import type { Journal } from './journal.ts'
import type { Swarm } from './swarm.ts'
import type { NodeClient } from '../api/index.ts'
import type { NodeStatus } from '../interface/index.ts'

/** What a step of the demo works with. */
export interface StepContext {
  swarm: Swarm
  journal: Journal
  signal: AbortSignal
  /** one line about what is going on */
  tell (text: string): void
}

/** How often a step looks whether it is done. */
const POLL_MS = 400

/** Waits until `look` finds something. */
export async function until<T> (context: StepContext, look: () => Promise<T | undefined>, what: string): Promise<T> {
  const timeout = AbortSignal.timeout(STEP_TIMEOUT_MS)

  for (;;) {
    const found = await look()

    if (found !== undefined) {
      return found
    }

    context.signal.throwIfAborted()

    if (timeout.aborted) {
      throw new StepFailedError(`${what} did not happen within ${STEP_TIMEOUT_MS / 60_000} minutes; now ${await overview(context)}`)
    }

    await delay(POLL_MS, undefined, { signal: context.signal })
  }
}

/** Where each node stands, for whoever has to find out why nothing happens. */
async function overview ({ swarm, signal }: StepContext): Promise<string> {
  const lines = await Promise.all(swarm.list().map(async ({ name, api }) => {
    try {
      const { height, finalisedView, peers } = await api.get<NodeStatus>('/api/v1/status', { signal })

      return `${name} is at height ${height}, view ${finalisedView}, with ${peers.length} peers`
    } catch (err) {
      return `${name} does not answer (${toError(err).message})`
    }
  }))

  return lines.join('; ')
}

/** The node on which developer and customer act. */
export const studio = ({ swarm }: StepContext): NodeClient => swarm.get('studio').api
