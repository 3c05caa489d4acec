import { RateLimitError, SpendingLimitError } from './errors.ts'
import type { KeyLimits } from './keys.ts'

/** What a caller has left, for the headers of a response. */
export interface Allowance {
  limit: number
  remaining: number
  /** until the whole allowance is there again */
  resetSeconds: number
}

/** Counts requests: as many at once as a minute allows, and as fast as they come back. */
export interface RequestLimits {
  /** @throws {RateLimitError} */
  take (caller: string, perMinute: number, nowMs: number): Allowance
}

/** @param callersMax - callers that are counted one by one; those beyond share one count */
export function requestLimits (callersMax: number): RequestLimits {
  const buckets = new Map<string, { left: number, atMs: number }>()

  const keyOf = (caller: string, nowMs: number): string => {
    if (!buckets.has(caller) && buckets.size >= callersMax) {
      // whoever was silent for a minute has everything again, and need not be remembered
      for (const [key, { atMs }] of buckets) {
        if (nowMs - atMs >= 60_000) {
          buckets.delete(key)
        }
      }

      return buckets.size >= callersMax ? 'others' : caller
    }

    return caller
  }

  return {
    take (caller, perMinute, nowMs) {
      const key = keyOf(caller, nowMs)
      const { left, atMs } = buckets.get(key) ?? { left: perMinute, atMs: nowMs }
      const now = Math.min(perMinute, left + (nowMs - atMs) * perMinute / 60_000)

      if (now < 1) {
        throw new RateLimitError(perMinute, Math.max(1, Math.ceil((1 - now) * 60 / perMinute)))
      }

      buckets.set(key, { left: now - 1, atMs: nowMs })

      return { limit: perMinute, remaining: Math.floor(now - 1), resetSeconds: Math.ceil((perMinute - now + 1) * 60 / perMinute) }
    }
  }
}

/** Holds what answers under way may cost, so that several at once do not pass a limit together. */
export interface SpendingLimits {
  /**
   * @param caller - who asks
   * @param limits - of this caller
   * @param spent - so far today
   * @param quote - what the answer may cost
   * @param now - tells when the day ends
   * @returns gives the reservation back
   * @throws {SpendingLimitError}
   */
  reserve (caller: string, limits: Pick<KeyLimits, 'spendPerDay'>, spent: bigint, quote: bigint, now: Date): () => void
}

export function spendingLimits (): SpendingLimits {
  const reserved = new Map<string, bigint>()

  return {
    reserve (caller, { spendPerDay }, spent, quote, now) {
      const held = reserved.get(caller) ?? 0n

      if (spendPerDay != null && spent + held + quote > BigInt(spendPerDay)) {
        throw new SpendingLimitError(spendPerDay, spent + held, quote, secondsUntilTomorrow(now))
      }

      reserved.set(caller, held + quote)

      return () => {
        const rest = (reserved.get(caller) ?? 0n) - quote

        if (rest > 0n) {
          reserved.set(caller, rest)
        } else {
          reserved.delete(caller)
        }
      }
    }
  }
}

const DAY_MS = 86_400_000

function secondsUntilTomorrow (now: Date): number {
  return Math.ceil((DAY_MS - now.getTime() % DAY_MS) / 1_000)
}
