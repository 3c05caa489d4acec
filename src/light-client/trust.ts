import { TrustExpiredError } from './errors.ts'
import type { Trusting } from './interface.ts'

/** How long ago what is believed was last confirmed. */
export interface TrustClock {
  /**
   * The time now, to be handed to `confirm` if what is asked next is confirmed.
   *
   * @throws {TrustExpiredError}
   */
  check (): number
  /** A newer header was verified in an answer to a question of this time. */
  confirm (asked: number): void
}

/**
 * Validators who withdrew their stake can sign another history at no cost. Headers carry no time, so
 * it is the client's clock that says when their signatures no longer suffice.
 */
export function trustClock (trusting?: Trusting): TrustClock {
  if (trusting === undefined) {
    return { check: () => 0, confirm: () => {} }
  }

  const { periodMs, now } = trusting
  let { since } = trusting

  return {
    check () {
      const time = now()
      const age = time - since

      // a clock that was set back would make trust last for ever; NaN is no time either
      if (!(Math.abs(age) <= periodMs)) {
        throw new TrustExpiredError(age, periodMs)
      }

      return time
    },
    confirm (asked) {
      since = Math.max(since, asked)
    }
  }
}
