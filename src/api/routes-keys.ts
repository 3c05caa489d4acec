import { signerOf } from './context.ts'
import { idParams, keyBody } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

/** Keys that open this API to others. */
export function keyRoutes (server: FastifyInstance, context: ApiContext): void {
  const { keys } = context

  server.get('/api/v1/keys', async () => keys.list(new Date()))

  server.post<{ Body: Static<typeof keyBody> }>('/api/v1/keys', { schema: { body: keyBody } }, async ({ body }) => {
    // an account that does not exist is named now, not at the first answer
    signerOf(context, body.account)

    return keys.create(body, new Date())
  })

  server.delete<{ Params: Static<typeof idParams> }>('/api/v1/keys/:id', { schema: { params: idParams } }, async ({ params: { id } }) => {
    await keys.revoke(id)

    return { id }
  })
}
