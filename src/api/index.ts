/**
 * The HTTP interface of a node.
 *
 * @example
 * ```ts
 * const server = api({ host: '127.0.0.1', port: 4170, token })(node)
 * await server.start()
 * ```
 */
export { client, connect, NodeUnreachableError, packPeft, RequestFailedError } from '../client/index.ts'
export { api } from './server.ts'
export type { Api, ApiInit } from './server.ts'
export type { ApiAddress, NodeClient, RequestOptions } from '../client/index.ts'
