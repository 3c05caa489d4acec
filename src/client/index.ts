/**
 * The HTTP client of a node, and what it and its node agree on. It loads nothing of a node: whoever
 * asks one, waits for no libp2p, Helia or kernels.
 *
 * @example
 * ```ts
 * const node = await connect('/home/alice/.datanet')
 * const { height } = await node.get<NodeStatus>('/api/v1/status')
 * ```
 */
export { client, connect } from './client.ts'
export { API_PORT, NAME_PATTERN, PEFT_LENGTH_BYTES } from './constants.ts'
export { NodeUnreachableError, RequestFailedError } from './errors.ts'
export { packPeft } from './peft-pack.ts'
export type { ApiAddress, NodeClient, RequestOptions } from './client.ts'
