import { accountFromString, accountToString } from '../identity/index.ts'
import { accountView, walletView } from '../node/index.ts'
import { send } from './context.ts'
import { accountBody, amountBody, transferBody } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

/** Accounts of this node and their OPEN. */
export function walletRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node } = context

  server.get('/api/v1/wallet', async () => walletView(node))

  server.post<{ Body: Static<typeof accountBody> }>('/api/v1/wallet/accounts', { schema: { body: accountBody } }, async ({ body: { name } }) => {
    const { account } = await node.keychain.create(name)

    return accountView(node, accountToString(account), name)
  })

  server.post<{ Body: Static<typeof transferBody> }>('/api/v1/wallet/transfer', { schema: { body: transferBody } }, async ({ body }) =>
    send(context, { kind: 'transfer', to: accountFromString(body.to), amount: BigInt(body.amount) }, body.as))

  for (const kind of ['stake', 'unstake'] as const) {
    server.post<{ Body: Static<typeof amountBody> }>(`/api/v1/wallet/${kind}`, { schema: { body: amountBody } }, async ({ body }) =>
      send(context, { kind, amount: BigInt(body.amount) }, body.as))
  }
}
