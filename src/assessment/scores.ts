import { codec, hash32, literal, nullable, scoreTableCodec, struct, toHex } from '../wire/index.ts'
import { FETCH_TIMEOUT_MS, SCORES_PROTOCOL, SCORES_REQUEST_BYTES_MAX } from './constants.ts'
import { ScoresMissingError } from './errors.ts'
import { peersWith } from './receipts.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions, Hash, ScoreTable } from '../interface/index.ts'

const requestCodec = codec('scores request', struct({ type: literal('scores-request'), task: hash32 }), { bytesMax: SCORES_REQUEST_BYTES_MAX })

const responseCodec = codec('scores response', struct({
  type: literal('scores-response'),
  table: nullable(scoreTableCodec.schema)
}), { bytesMax: scoreTableCodec.bytesMax + 64 })

/** Answers anybody who asks how a task was scored: scores are public once they are agreed on, prompts never. */
export function serveScores (network: Network, tableOf: (task: Hash) => Promise<ScoreTable | undefined>): void {
  const options = { requestBytesMax: SCORES_REQUEST_BYTES_MAX, responseBytesMax: responseCodec.bytesMax, timeoutMs: FETCH_TIMEOUT_MS }

  network.handle(SCORES_PROTOCOL, options, async request => {
    const { task } = requestCodec.decode(request)

    return responseCodec.encode({ type: 'scores-response', table: await tableOf(task) ?? null })
  })
}

/**
 * The score table of a task from whoever assessed it. Check it against the task's score root.
 *
 * @throws {ScoresMissingError}
 */
export async function fetchScores (network: Network, task: Hash, options?: AbortOptions): Promise<ScoreTable> {
  for (const peer of await peersWith(network, SCORES_PROTOCOL)) {
    try {
      const bytes = await network.request(peer, SCORES_PROTOCOL, requestCodec.encode({ type: 'scores-request', task }), {
        ...options, timeoutMs: FETCH_TIMEOUT_MS, responseBytesMax: responseCodec.bytesMax
      })
      const { table } = responseCodec.decode(bytes)

      if (table != null) {
        return table
      }
    } catch {
      // the next one may have it
      options?.signal?.throwIfAborted()
    }
  }

  throw new ScoresMissingError(toHex(task))
}
