import { certifiedHeaderCodec, eraChangeCodec, genesisCodec, outcomeProofCodec, pastHeaderCodec, scoreTableCodec, stateProofCodec, toHex } from '../wire/index.ts'
import { CONTRIBUTION_RECORD_BYTES_MAX, HTTP_PATH } from './constants.ts'
import { HttpSourceError } from './errors.ts'
import type { HeaderSource } from './interface.ts'
import type { AbortOptions, Genesis } from '../interface/index.ts'
import type { Codec } from '../wire/index.ts'

export interface HttpSourceInit {
  /** of a node's HTTP interface, e.g. `https://node.example/` */
  url: string | URL
  /** @default the platform's */
  fetch? (url: URL, init: RequestInit): Promise<Response>
}

/**
 * What a light client needs, from a node's HTTP interface: no libp2p, no key, any browser. Nothing
 * is verified here, that is the light client's task; no more is read than a record may have.
 *
 * @example
 * ```ts
 * const client = lightClient({ genesis, source: httpSource({ url: 'https://node.example/' }) })
 * const { steps } = await client.why(task, contribution)
 * ```
 */
export function httpSource (init: HttpSourceInit): Required<HeaderSource> {
  const read = async <T>(codec: Pick<Codec<T>, 'bytesMax' | 'decode'>, path: string, options?: AbortOptions): Promise<T> => codec.decode(await get(init, path, codec.bytesMax, options))

  return {
    latest: async options => read(certifiedHeaderCodec, 'latest', options),
    header: async (height, options) => read(certifiedHeaderCodec, `headers/${height}`, options),
    eraChange: async (era, options) => read(eraChangeCodec, `eras/${era}`, options),
    proof: async (key, height, options) => read(stateProofCodec, `proofs/${height}?key=${encodeURIComponent(key)}`, options),
    past: async (height, size, options) => read(pastHeaderCodec, `past/${height}?size=${size}`, options),
    epochEnd: async (epoch, size, options) => read(pastHeaderCodec, `epochs/${epoch}?size=${size}`, options),
    outcome: async (transaction, options) => read(outcomeProofCodec, `outcomes/${transaction.toString()}`, options),
    scores: async (task, options) => read(scoreTableCodec, `scores/${toHex(task)}`, options),
    datum: async (cid, options) => get(init, `records/${cid.toString()}`, CONTRIBUTION_RECORD_BYTES_MAX, options)
  }
}

/**
 * The genesis that a node says it has. A light client believes its genesis: compare it, or the
 * chain's identifier, with what somebody whom you trust says.
 */
export async function httpGenesis (init: HttpSourceInit, options?: AbortOptions): Promise<Genesis> {
  return genesisCodec.decode(await get(init, 'genesis', genesisCodec.bytesMax, options))
}

async function get ({ url, fetch: request = async (...args) => fetch(...args) }: HttpSourceInit, path: string, bytesMax: number, options?: AbortOptions): Promise<Uint8Array> {
  const response = await request(new URL(`${HTTP_PATH}${path}`, url), { signal: options?.signal, credentials: 'omit', redirect: 'error' })

  if (!response.ok || response.body == null) {
    await response.body?.cancel()
    throw new HttpSourceError(path, `it answers with status ${response.status}`)
  }

  const chunks: Uint8Array[] = []
  let length = 0

  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read()

    if (done) {
      break
    }

    length += value.byteLength
    chunks.push(value)

    if (length > bytesMax) {
      await reader.cancel()
      throw new HttpSourceError(path, `it answers with more than ${bytesMax} bytes`)
    }
  }

  const bytes = new Uint8Array(length)
  let at = 0

  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }

  return bytes
}
