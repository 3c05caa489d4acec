import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { KEYS_MAX } from './constants.ts'
import { KeysFullError, UnknownKeyError } from './errors.ts'
import type { Level } from 'level'

/**
 * What a key may do: `read` looks at what is public, `infer` buys answers and may read, `admin` does
 * everything that the node's own token does.
 */
export type Scope = 'read' | 'infer' | 'admin'

export interface KeyLimits {
  /** no limit if left out */
  requestsPerMinute?: number
  /** base units of OPEN that its answers may cost in one day of UTC; no limit if left out */
  spendPerDay?: string
}

export interface KeyInit extends KeyLimits {
  /** for people */
  name: string
  scopes: Scope[]
  /** the account of the keychain that pays; the node's own if left out */
  account?: string
}

/** A key as it is kept and listed: of its secret there is only a hash. */
export interface KeyView extends KeyInit {
  id: string
  /** ISO 8601 */
  created: string
  /** base units of OPEN today */
  spent: string
}

interface Stored extends KeyInit {
  id: string
  created: string
  /** SHA-256, hexadecimal: the secret has 256 random bits, nothing slower is needed */
  hash: string
}

interface Spending {
  /** of UTC, ISO 8601 */
  day: string
  /** base units of OPEN */
  spent: string
}

/** Keys that open this node's API to others, on disk. */
export interface Keys {
  /** @returns the key itself, which is shown once, and what is kept of it */
  create (init: KeyInit, now: Date): Promise<KeyView & { key: string }>
  list (now: Date): Promise<KeyView[]>
  /** @throws {UnknownKeyError} */
  revoke (id: string): Promise<void>
  /** The key that a caller sent, if it is one of these. */
  find (key: string): Promise<(KeyInit & { id: string }) | undefined>
  /** base units of OPEN that a caller has spent on the day of `now` */
  spent (caller: string, now: Date): Promise<bigint>
  spend (caller: string, amount: bigint, now: Date): Promise<void>
}

const PATTERN = /^dn-([0-9a-f]{16})-([\w-]{43})$/

export function keys (db: Level): Keys {
  const store = db.sublevel<string, Stored>('api-keys', { valueEncoding: 'json' })
  const spending = db.sublevel<string, Spending>('api-spending', { valueEncoding: 'json' })
  let loading: Promise<Map<string, Stored>> | undefined

  // read once: every request looks here
  const all = async (): Promise<Map<string, Stored>> => {
    loading ??= store.iterator({ limit: KEYS_MAX }).all().then(entries => new Map(entries), (err: unknown) => {
      loading = undefined
      throw err
    })

    return loading
  }

  const spent: Keys['spent'] = async (caller, now) => {
    const known = await spending.get(caller)

    return known?.day === dayOf(now) ? BigInt(known.spent) : 0n
  }

  let spendings = Promise.resolve()

  return {
    async create (init, now) {
      if ((await all()).size >= KEYS_MAX) {
        throw new KeysFullError(KEYS_MAX)
      }

      const id = randomBytes(8).toString('hex')
      const secret = randomBytes(32).toString('base64url')
      const key: Stored = { ...init, id, created: now.toISOString(), hash: hashOf(secret).toString('hex') }

      ;(await all()).set(id, key)
      await db.batch([{ type: 'put', sublevel: store, key: id, value: key }], { sync: true })

      return { ...viewOf(key, 0n), key: `dn-${id}-${secret}` }
    },
    async list (now) {
      const views = [...(await all()).values()].map(async key => viewOf(key, await spent(key.id, now)))

      return (await Promise.all(views)).toSorted((a, b) => a.created < b.created ? -1 : 1)
    },
    async revoke (id) {
      if (!(await all()).delete(id)) {
        throw new UnknownKeyError(id)
      }

      await db.batch([{ type: 'del', sublevel: store, key: id }, { type: 'del', sublevel: spending, key: id }], { sync: true })
    },
    async find (text) {
      const [, id, secret] = PATTERN.exec(text) ?? []
      const key = id == null ? undefined : (await all()).get(id)

      return key != null && timingSafeEqual(hashOf(secret), Buffer.from(key.hash, 'hex')) ? key : undefined
    },
    spent,
    async spend (caller, amount, now) {
      // one after the other: each adds to what the last one wrote
      const added = spendings.then(async () => spending.put(caller, { day: dayOf(now), spent: (await spent(caller, now) + amount).toString() }))

      spendings = added.catch(() => {})

      return added
    }
  }
}

function viewOf ({ hash, ...key }: Stored, spent: bigint): KeyView {
  return { ...key, spent: spent.toString() }
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()
const dayOf = (now: Date): string => now.toISOString().slice(0, 10)
