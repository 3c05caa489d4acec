import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LevelBlockstore } from 'blockstore-level'
import { LevelDatastore } from 'datastore-level'
import { Level } from 'level'
import type { LetGoJournal } from './let-go.ts'

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
  letGo: LetGoJournal
  blockstore: LevelBlockstore
  datastore: LevelDatastore
  close (): Promise<void>
}

/** Opens the two stores under a folder. Helia does not close them: the caller does. */
export async function openLevelStores (dataDir: string): Promise<LevelStores> {
  await mkdir(dataDir, { recursive: true })
  const open = (name: string): DurableLevel => new DurableLevel(join(dataDir, name), { keyEncoding: 'utf8', valueEncoding: 'view' })
  const blockstore = new LevelBlockstore(open('blocks'))
  const data = open('data')
  const datastore = new LevelDatastore(data)
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
    letGo: journal(data),
    close: async () => {
      await datastore.close()
      await blockstore.close()
    }
  }
}

const LET_GO = '/let-go/'

/** In the datastore's own database, beside the pins. A note that is lost leaves a block where it is. */
function journal (data: Level<string, Uint8Array>): LetGoJournal {
  return {
    async load (max) {
      const entries = await data.iterator({ gt: LET_GO, lt: `${LET_GO}\uffff`, limit: max }).all()
      return entries.map(([key, value]) => [key.slice(LET_GO.length), new DataView(value.buffer, value.byteOffset, value.byteLength).getFloat64(0)])
    },
    async add (cids, atMs) {
      const value = new Uint8Array(8)
      new DataView(value.buffer).setFloat64(0, atMs)
      await data.batch(cids.map(cid => ({ type: 'put', key: `${LET_GO}${cid}`, value })))
    },
    async remove (cid) {
      await data.del(`${LET_GO}${cid}`)
    }
  }
}
