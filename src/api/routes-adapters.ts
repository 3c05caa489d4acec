import { CID } from 'multiformats/cid'
import { adapterDetail, adapterRegistry, exportAdapter, importAdapter, mergeAdapters, publishAdapter, pullAdapter } from '../node/index.ts'
import { ADAPTER_FILES_TIMEOUT_MS, IMPORT_BYTES_MAX } from './constants.ts'
import { cidOf, parentsByCid, resolveAdapter, send, signerOf } from './context.ts'
import { unpackPeft } from './peft-upload.ts'
import { adapterParams, deprecateBody, importQuery, mergeBody, publishBody, pullBody, registryQuery } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

type Named = Static<typeof adapterParams>

/** The registry of adapters, and their files. */
export function adapterRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node, closing } = context
  const read = { config: { scope: 'read' as const } }
  const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.any([closing, AbortSignal.timeout(ADAPTER_FILES_TIMEOUT_MS)]) })
  const meant = async ({ id }: Named): Promise<CID> => CID.parse(await resolveAdapter(context, id))

  server.get<{ Querystring: Static<typeof registryQuery> }>('/api/v1/registry', { ...read, schema: { querystring: registryQuery } }, async ({ query }) => adapterRegistry(node, query))

  server.get<{ Params: Named }>('/api/v1/adapters/:id', { ...read, schema: { params: adapterParams } }, async ({ params }) => adapterDetail(node, await meant(params)))

  // what follows takes this node's disk or time: for the operator alone
  server.post<{ Params: Named, Body: Static<typeof pullBody> }>('/api/v1/adapters/:id/pull', { schema: { params: adapterParams, body: pullBody } }, async ({ params, body }) =>
    pullAdapter(node.storage, await meant(params), { ...body, ...patience() }))

  server.post<{ Querystring: Static<typeof importQuery>, Body: unknown }>('/api/v1/adapters/import', { bodyLimit: IMPORT_BYTES_MAX, schema: { querystring: importQuery } }, async ({ query, body }) =>
    importAdapter(node, cidOf(query.base), unpackPeft(body), patience()))

  server.post<{ Body: Static<typeof publishBody> }>('/api/v1/adapters/publish', { schema: { body: publishBody } }, async ({ body: { as, ...request } }) =>
    publishAdapter(node, request, signerOf(context, as), patience()))

  server.post<{ Body: Static<typeof mergeBody> }>('/api/v1/adapters/merge', { schema: { body: mergeBody } }, async ({ body: { as, parents, name } }) =>
    mergeAdapters(node, { parents: await parentsByCid(context, parents), name }, signerOf(context, as), patience()))

  server.post<{ Params: Named, Body: Static<typeof deprecateBody> }>('/api/v1/adapters/:id/deprecate', { schema: { params: adapterParams, body: deprecateBody } }, async ({ params, body: { as, reason, successor } }) =>
    send(context, {
      kind: 'deprecate-adapter',
      adapter: await meant(params),
      reason,
      successor: successor == null ? null : await meant({ id: successor })
    }, as))

  server.get<{ Params: Named }>('/api/v1/adapters/:id/adapter_config.json', { schema: { params: adapterParams } }, async ({ params }, reply) => {
    const { config } = await exportAdapter(node.storage, await meant(params), patience())

    return reply.type('application/octet-stream').send(Buffer.from(config))
  })

  server.get<{ Params: Named }>('/api/v1/adapters/:id/adapter_model.safetensors', { schema: { params: adapterParams } }, async ({ params }, reply) => {
    const { weights } = await exportAdapter(node.storage, await meant(params), patience())

    return reply.type('application/octet-stream').send(Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength))
  })
}
