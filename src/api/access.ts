import { timingSafeEqual } from 'node:crypto'
import { FREE_ADDRESSES_MAX, KEYS_MAX } from './constants.ts'
import { ScopeError, UnauthorizedError } from './errors.ts'
import { keys as openKeys } from './keys.ts'
import { requestLimits } from './limits.ts'
import type { KeyLimits, Keys, Scope } from './keys.ts'
import type { Allowance } from './limits.ts'
import type { DatanetNode } from '../node/index.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Who sent a request, and what it may cost. */
export interface Caller {
  /** of the key; `node` for the node's own token, `free` for everybody without a key */
  id: string
  scopes: Scope[]
  limits: KeyLimits
  /** the account of the keychain that pays; the node's own if left out */
  account?: string
}

/** What callers without a key may do; the node's operator pays. */
export type FreeTier = Required<KeyLimits>

export interface AccessInit {
  token: string
  free?: FreeTier
}

export interface Access {
  keys: Keys
  /** Finds out who calls and counts the request, or refuses it. */
  onRequest (request: FastifyRequest, reply: FastifyReply): Promise<void>
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
  interface FastifyContextConfig {
    /**
     * what a caller must be allowed
     *
     * @default 'admin', so that a new route is closed until somebody says otherwise
     */
    scope?: Scope
  }
}

/** Scopes that include each other: who may do everything may infer, who may infer may read. */
const includes: Record<Scope, Scope[]> = { read: ['read', 'infer', 'admin'], infer: ['infer', 'admin'], admin: ['admin'] }

/** Bearer keys: the node's own token, keys that it made, and its free tier. */
export function access (init: AccessInit, node: DatanetNode): Access {
  const keys = openKeys(node.db)
  const byKey = requestLimits(KEYS_MAX)
  const byAddress = requestLimits(FREE_ADDRESSES_MAX)

  const callerOf = async (header: string | undefined): Promise<Caller> => {
    if (isToken(header, init.token)) {
      return { id: 'node', scopes: ['admin'], limits: {} }
    }

    if (header == null && init.free != null) {
      return { id: 'free', scopes: ['infer'], limits: init.free }
    }

    const found = header?.startsWith('Bearer ') === true ? await keys.find(header.slice('Bearer '.length)) : undefined

    if (found == null) {
      throw new UnauthorizedError()
    }

    const { id, scopes, account, requestsPerMinute, spendPerDay } = found

    return { id, scopes, account, limits: { requestsPerMinute, spendPerDay } }
  }

  const count = ({ id, limits: { requestsPerMinute } }: Caller, address: string): Allowance | undefined => {
    if (requestsPerMinute == null) {
      return undefined
    }

    return id === 'free' ? byAddress.take(address, requestsPerMinute, performance.now()) : byKey.take(id, requestsPerMinute, performance.now())
  }

  return {
    keys,
    async onRequest (request, reply) {
      const caller = await callerOf(request.headers.authorization)
      const scope = request.routeOptions.config.scope ?? 'admin'

      request.caller = caller

      const allowance = count(caller, request.ip)

      if (allowance != null) {
        reply.headers({
          'x-ratelimit-limit-requests': allowance.limit,
          'x-ratelimit-remaining-requests': allowance.remaining,
          'x-ratelimit-reset-requests': `${allowance.resetSeconds}s`
        })
      }

      if (!caller.scopes.some(own => includes[scope].includes(own))) {
        throw new ScopeError(scope, caller.scopes)
      }
    }
  }
}

/** Has requests carry who sent them. */
export function decorate (server: FastifyInstance): void {
  server.decorateRequest('caller', null)
}

function isToken (header: string | undefined, token: string): boolean {
  const expected = Buffer.from(`Bearer ${token}`)
  const given = Buffer.from(header ?? '')

  return given.length === expected.length && timingSafeEqual(given, expected)
}
