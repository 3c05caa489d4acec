import {
  accountView, adapterViews, baseViews, contributionViews, datanetViews, graph, presetViews, proposalViews, statusView, taskViews, toJson, why
} from '../node/index.ts'
import { ANSWER_TIMEOUT_MS, BLOCKS_MAX } from './constants.ts'
import { cidOf } from './context.ts'
import { accountText, blocksQuery, datanetQuery, idParams, whyQuery } from './schemas.ts'
import type { ApiContext } from './context.ts'
import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'

/** What can be looked at. */
export function readRoutes (server: FastifyInstance, { node, closing }: ApiContext): void {
  const read = { config: { scope: 'read' as const } }

  server.get('/api/v1/status', read, async () => ({ ...statusView(node), refused: node.network.refused().slice(-20) }))
  server.get('/api/v1/datanets', read, async () => datanetViews(node))
  server.get('/api/v1/bases', read, async () => baseViews(node))
  server.get('/api/v1/presets', read, async () => presetViews())
  server.get('/api/v1/adapters', read, async () => adapterViews(node))
  // prompts and answers of everybody who asks here: for the operator alone
  server.get('/api/v1/answers', async () => node.answers.list())
  server.get('/api/v1/tasks', read, async () => taskViews(node))
  server.get('/api/v1/proposals', read, async () => proposalViews(node))

  server.get<{ Querystring: Static<typeof datanetQuery> }>('/api/v1/contributions', { ...read, schema: { querystring: datanetQuery } }, async ({ query }) =>
    contributionViews(node, query.datanet == null ? undefined : cidOf(query.datanet)))

  server.get<{ Params: Static<typeof idParams> }>('/api/v1/accounts/:id', { ...read, schema: { params: { type: 'object', properties: { id: accountText } } } }, async ({ params }) =>
    accountView(node, params.id))

  server.get<{ Querystring: Static<typeof whyQuery> }>('/api/v1/why', { ...read, schema: { querystring: whyQuery } }, async ({ query }) =>
    why(node, cidOf(query.contribution).toString(), query.task, { signal: AbortSignal.any([closing, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]) }))

  server.get<{ Params: Static<typeof idParams> }>('/api/v1/graph/:id', { ...read, schema: { params: idParams } }, async ({ params }) =>
    graph(node, params.id, { signal: AbortSignal.any([closing, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]) }))

  server.get<{ Querystring: Static<typeof blocksQuery> }>('/api/v1/blocks', { ...read, schema: { querystring: blocksQuery } }, async ({ query }) => {
    const newest = node.chain.height
    const count = Math.min(query.limit ?? 20, BLOCKS_MAX, newest)
    const blocks = await Promise.all(Array.from({ length: count }, async (_, i) => node.chain.block(newest - i)))

    return blocks.map(({ block, hash, results }) => toJson({ hash, header: block.header, results }))
  })
}
