import { TICK_MS_MAX } from './constants.ts'
import type { Consensus, ConsensusEffect, ConsensusInput, Verdict } from '../consensus/index.ts'

export interface Judgement {
  verdict: Verdict
  reason: string
}

/** Connects the consensus state machine to time and to whoever carries out its effects. */
export interface Driver {
  start (input: Extract<ConsensusInput, { type: 'start' }>): void
  stop (): Promise<void>
  /** Goes on with another machine, in the order of effects: what the last one still wants is carried out first or has no use. */
  replace (core: Consensus, input: Extract<ConsensusInput, { type: 'start' }>): void
  /**
   * Applies an input; its effects follow all earlier ones.
   *
   * @returns what gossip should do with the message
   */
  step (input: ConsensusInput): Judgement
  /** Runs something in the order of effects: nothing that is carried out overlaps with it. */
  enqueue (job: () => Promise<void> | void): Promise<void>
}

/**
 * @param first - the state machine, fresh
 * @param perform - carries out one effect; the next one waits for it
 * @param onFailure - a job failed, which must not happen; the driver has stopped
 */
export function consensusDriver (first: Consensus, perform: (effect: ConsensusEffect) => Promise<void> | void, onFailure: (error: unknown) => void): Driver {
  let core = first
  let running = false
  let tail: Promise<void> = Promise.resolve()
  let timer: ReturnType<typeof setTimeout> | undefined

  const schedule = (): void => {
    clearTimeout(timer)

    if (running) {
      const waitMs = Math.max(0, Math.min(core.deadlineMs() - performance.now(), TICK_MS_MAX))
      timer = setTimeout(() => { step({ type: 'tick' }) }, waitMs)
    }
  }

  const enqueue = async (job: () => Promise<void> | void): Promise<void> => {
    const done = tail.then(async () => {
      if (running) {
        await job()
      }
    })
    tail = done.catch(error => {
      if (running) {
        running = false
        clearTimeout(timer)
        onFailure(error)
      }
    })
    return done
  }

  const step = (input: ConsensusInput): Judgement => {
    if (!running) {
      return { verdict: 'ignore', reason: 'the chain is not running' }
    }

    let judgement: Judgement = { verdict: 'accept', reason: '' }
    const effects = core.step(input, performance.now())

    for (const effect of effects) {
      if (effect.type === 'judge') {
        judgement = { verdict: effect.verdict, reason: effect.reason }
      } else {
        // failures reach onFailure through the tail
        enqueue(async () => perform(effect)).catch(() => {})
      }
    }
    schedule()
    return judgement
  }

  return {
    start: (input) => {
      running = true
      step(input)
    },
    stop: async () => {
      running = false
      clearTimeout(timer)
      await tail
    },
    replace: (next, input) => {
      core = next
      step(input)
    },
    step,
    enqueue
  }
}
