import { CID } from 'multiformats/cid'
import { ANSWER_TIMEOUT_MS } from './constants.ts'
import { resolveAdapter } from './context.ts'
import { idParams } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { DatanetNode } from '../node/index.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

type ById = Static<typeof idParams>

/** An adapter in this node's memory, or not. */
export interface LoadedView {
  /** CID */
  id: string
  loaded: boolean
  /** stays until it is unloaded, whatever else is asked for */
  pinned: boolean
  /** of its weights and columns; 0 if it is not loaded, or a base alone */
  bytes: number
}

/**
 * Adapters come into memory when somebody asks them, and go when others need the room. An operator
 * may load one ahead, which stays, and unload any, without a restart.
 */
export function modelRoutes (server: FastifyInstance, context: ApiContext): void {
  const { node, closing } = context
  const meant = async (id: string): Promise<CID> => CID.parse(await resolveAdapter(context, id))

  server.post<{ Params: ById }>('/v1/models/:id/load', { schema: { params: idParams } }, async ({ params }) => {
    const adapter = await meant(params.id)

    await node.library.pin(adapter, { signal: AbortSignal.any([closing, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]) })

    return loadedView(node, adapter)
  })

  server.post<{ Params: ById }>('/v1/models/:id/unload', { schema: { params: idParams } }, async ({ params }) => {
    const adapter = await meant(params.id)

    node.library.evict(adapter)

    return loadedView(node, adapter)
  })
}

function loadedView ({ library }: Pick<DatanetNode, 'library'>, adapter: CID): LoadedView {
  const found = library.loaded().find(({ cid }) => cid.equals(adapter))

  return { id: adapter.toString(), loaded: found != null, pinned: found?.pinned ?? false, bytes: found?.bytes ?? 0 }
}
