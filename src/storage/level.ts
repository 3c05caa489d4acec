import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LevelBlockstore } from 'blockstore-level'
import { LevelDatastore } from 'datastore-level'
import { Level } from 'level'

type PutOptions = Parameters<Level<string, Uint8Array>['put']>[2]

/** Helia counts the pins of each block under this; the pin itself, `/pin/…`, is written after them. */
const PIN_COUNTS = '/pinned-block/'

/**
 * Writes are on the disk before they are acknowledged: they survive SIGKILL and loss of power.
 * Pin counts need no wait of their own, since the log is one file: syncing the pin syncs them.
 */
class DurableLevel extends Level<string, Uint8Array> {
  override async put <K = string, V = Uint8Array> (key: K, value: V, options?: PutOptions): Promise<void> {
    await super.put(key, value, { ...options, sync: !String(key).startsWith(PIN_COUNTS) } as Parameters<Level<K, V>['put']>[2])
  }
}

export interface LevelStores {
  blockstore: LevelBlockstore
  datastore: LevelDatastore
  close (): Promise<void>
}

/** Opens the two stores under a folder. Helia does not close them: the caller does. */
export async function openLevelStores (dataDir: string): Promise<LevelStores> {
  await mkdir(dataDir, { recursive: true })
  const open = (name: string): DurableLevel => new DurableLevel(join(dataDir, name), { keyEncoding: 'utf8', valueEncoding: 'view' })
  const blockstore = new LevelBlockstore(open('blocks'))
  const datastore = new LevelDatastore(open('data'))
  await blockstore.open()
  try {
    await datastore.open()
  } catch (err) {
    await blockstore.close()
    throw err
  }
  return {
    blockstore,
    datastore,
    close: async () => {
      await datastore.close()
      await blockstore.close()
    }
  }
}
