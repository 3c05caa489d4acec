import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { network } from '../gossip/index.ts'
import { storage } from '../storage/index.ts'
import { DataDirError } from './errors.ts'
import type { Storage } from '../storage/index.ts'

/**
 * The block store of a node that is not running, for as long as `use` takes; it meets no peers.
 *
 * @throws {DataDirError} if the node is running
 */
export async function offlineStore<T> (dataDir: string, use: (store: Storage) => Promise<T>): Promise<T> {
  const net = network({ privateKeySeed: new Uint8Array(randomBytes(32)), listen: [], bootstrap: [] })({})
  const store = storage({ dataDir: join(dataDir, 'blocks') })({ network: net })

  await net.start()

  try {
    await store.start().catch((cause: unknown) => {
      throw new DataDirError(`the blocks in ${dataDir} cannot be opened`, { cause, hint: 'a node is running on this data directory: stop it first' })
    })

    return await use(store)
  } finally {
    await store.stop()
    await net.stop()
  }
}
