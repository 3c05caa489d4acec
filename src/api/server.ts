import { timingSafeEqual } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastifySwagger from '@fastify/swagger'
import fastify from 'fastify'
import { packageRoot } from '../node/index.ts'
import { JSON_BYTES_MAX, UPLOAD_BYTES_MAX } from './constants.ts'
import { documentation } from './documentation.ts'
import { onError, UnauthorizedError, UnknownRouteError } from './errors.ts'
import { eventRoutes } from './events.ts'
import { openaiRoutes } from './openai.ts'
import { dataRoutes } from './routes-data.ts'
import { governanceRoutes } from './routes-governance.ts'
import { readRoutes } from './routes-read.ts'
import { serviceRoutes } from './routes-service.ts'
import { walletRoutes } from './routes-wallet.ts'
import type { ApiContext } from './context.ts'
import type { DatanetNode } from '../node/index.ts'
import type { FastifyInstance } from 'fastify'

export interface ApiInit {
  host: string
  port: number
  /** what callers must know; everything but the page itself needs it */
  token: string
}

/** The HTTP interface of one node: control API, OpenAI-compatible API, events and the page. */
export interface Api {
  readonly url: string
  start (): Promise<void>
  stop (): Promise<void>
}

/**
 * @example
 * ```ts
 * const server = api({ host: '127.0.0.1', port: 0, token })(node)
 * await server.start()
 * console.info(server.url)
 * ```
 */
export function api (init: ApiInit): (node: DatanetNode) => Api {
  return node => {
    const closing = new AbortController()
    let server: FastifyInstance | undefined
    let url = ''

    return {
      get url () {
        return url
      },
      async start () {
        server ??= await build(init, { node, closing: closing.signal })
        url = await server.listen({ host: init.host, port: init.port })
      },
      async stop () {
        closing.abort()
        await server?.close()
      }
    }
  }
}

async function build (init: ApiInit, context: ApiContext): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: JSON_BYTES_MAX,
    forceCloseConnections: true,
    logger: false,
    // a field that a route does not know is a mistake: it is named, not dropped
    ajv: { customOptions: { removeAdditional: false } }
  })

  server.setErrorHandler(onError)
  server.setNotFoundHandler(async request => { throw new UnknownRouteError(request.method, request.url) })
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer', bodyLimit: UPLOAD_BYTES_MAX }, (_request, body, done) => { done(null, body) })

  await server.register(fastifySwagger, documentation)

  await server.register(async secured => {
    secured.addHook('onRequest', async request => { authorise(request.headers.authorization, init.token) })
    secured.get('/api/v1/openapi.json', { schema: { hide: true } }, async () => server.swagger())

    for (const routes of [readRoutes, walletRoutes, dataRoutes, serviceRoutes, governanceRoutes, openaiRoutes, eventRoutes]) {
      await secured.register(async scope => { routes(scope, context) })
    }
  })

  const page = join(packageRoot(), 'dist/ui')

  if (existsSync(page)) {
    await server.register(fastifyStatic, { root: page })
  }

  return server
}

function authorise (header: string | undefined, token: string): void {
  const expected = Buffer.from(`Bearer ${token}`)
  const given = Buffer.from(header ?? '')

  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new UnauthorizedError()
  }
}
