import { accountFromString } from '../identity/index.ts'
import { readChain } from '../ledger/index.ts'
import { send } from './context.ts'
import { UnknownParameterError } from './errors.ts'
import { amountBody, delegateBody, proposalBody, proposeBody, voteBody } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { NetworkParams } from '../interface/index.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

/** gOPEN: wrapping, delegating, proposing, voting, executing. */
export function governanceRoutes (server: FastifyInstance, context: ApiContext): void {
  for (const kind of ['wrap', 'unwrap'] as const) {
    server.post<{ Body: Static<typeof amountBody> }>(`/api/v1/gov/${kind}`, { schema: { body: amountBody } }, async ({ body }) =>
      send(context, { kind, amount: BigInt(body.amount) }, body.as))
  }

  server.post<{ Body: Static<typeof delegateBody> }>('/api/v1/gov/delegate', { schema: { body: delegateBody } }, async ({ body }) =>
    send(context, { kind: 'delegate', to: accountFromString(body.to) }, body.as))

  server.post<{ Body: Static<typeof proposeBody> }>('/api/v1/gov/propose', { schema: { body: proposeBody } }, async ({ body }) => {
    const current = readChain(context.node.chain.state())
    const sent = await send(context, { kind: 'propose', title: body.title, actions: [{ kind: 'set-params', params: paramsOf(body.params, current.params) }] }, body.as)

    return { ...sent, proposal: readChain(context.node.chain.state()).proposals - 1 }
  })

  server.post<{ Body: Static<typeof voteBody> }>('/api/v1/gov/vote', { schema: { body: voteBody } }, async ({ body }) =>
    send(context, { kind: 'vote', proposal: body.proposal, support: body.support }, body.as))

  for (const kind of ['queue', 'execute'] as const) {
    server.post<{ Body: Static<typeof proposalBody> }>(`/api/v1/gov/${kind}`, { schema: { body: proposalBody } }, async ({ body }) =>
      send(context, { kind, proposal: body.proposal }, body.as))
  }
}

/**
 * Parameters out of JSON, where amounts are decimal strings.
 *
 * @throws {UnknownParameterError}
 */
function paramsOf (json: Record<string, unknown>, current: NetworkParams): Partial<NetworkParams> {
  const entries = Object.entries(json).map(([name, value]): [string, unknown] => {
    const present: unknown = Object.hasOwn(current, name) ? current[name as keyof NetworkParams] : undefined

    if (present === undefined) {
      throw new UnknownParameterError(name, Object.keys(current))
    }

    if (typeof present === 'bigint') {
      if (typeof value !== 'string' || !/^\d{1,40}$/.test(value)) {
        throw new UnknownParameterError(name, ['a decimal string of base units'])
      }

      return [name, BigInt(value)]
    }

    // a part of the fee split may be named alone
    return [name, typeof present === 'object' ? { ...present, ...(value as object) } : value]
  })

  return Object.fromEntries(entries)
}
