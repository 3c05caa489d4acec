import { ChainNotStartedError } from './errors.ts'
import type { SettlementEvents } from './interface.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { TypedEventTarget } from '@libp2p/interface'

/**
 * Resolves with what `look` finds, now or after a later block.
 *
 * @param chain - dispatches `block`
 * @param look - undefined, null or false: not yet
 * @param stopped - aborts when the chain stops
 * @param options - the signal ends the wait
 * @throws {ChainNotStartedError} if the chain stops
 */
export async function waitForState<T> (chain: TypedEventTarget<SettlementEvents>, look: () => T | undefined | false | null, stopped: AbortSignal, options: AbortOptions = {}): Promise<T> {
  options.signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onBlock = (): void => {
    try {
      const found = look()
      if (found !== undefined && found !== false && found !== null) {
        resolve(found)
      }
    } catch (error) {
      reject(error)
    }
  }
  const onStop = (): void => { reject(new ChainNotStartedError()) }
  const onAbort = (): void => { reject(options.signal?.reason) }

  chain.addEventListener('block', onBlock)
  chain.addEventListener('leap', onBlock)
  stopped.addEventListener('abort', onStop)
  options.signal?.addEventListener('abort', onAbort)
  onBlock()

  try {
    return await promise
  } finally {
    chain.removeEventListener('block', onBlock)
    chain.removeEventListener('leap', onBlock)
    stopped.removeEventListener('abort', onStop)
    options.signal?.removeEventListener('abort', onAbort)
  }
}
