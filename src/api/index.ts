/**
 * The HTTP interface of a node.
 *
 * @example
 * ```ts
 * const server = api({ host: '127.0.0.1', port: 4170, token })(node)
 * await server.start()
 * ```
 */
export { NodeUnreachableError, RequestFailedError } from './client-errors.ts'
export { client, connect } from './client.ts'
export { packPeft } from './peft-upload.ts'
export { api } from './server.ts'
export type { Api, ApiInit } from './server.ts'
export type { ApiAddress, NodeClient, RequestOptions } from './client.ts'
