import all from 'it-all'
import { createUnsafe } from 'multiformats/block'
import { PIN_BLOCKS_MAX } from './constants.ts'
import { DagTooLargeError } from './errors.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { Helia } from '@helia/interface'
import type { CID } from 'multiformats/cid'

const ALREADY_PINNED = 'AlreadyPinnedError'
const NOT_FOUND = 'NotFoundError'

const named = (err: unknown, name: string): boolean => err instanceof Error && err.name === name

/** Brings a DAG into the own store with our retries: the walk of helia's pins would wait for one lost want for ever. */
async function bringHome (helia: Helia, root: CID, depth: number, get: (cid: CID) => Promise<Uint8Array>): Promise<void> {
  const seen = new Set<string>([root.toString()])
  let level: CID[] = [root]
  for (let d = 0; d <= depth && level.length > 0; d++) {
    const below: CID[] = []
    for (const cid of level) {
      const bytes = await get(cid)
      if (d === depth) {
        continue
      }
      for (const [, link] of createUnsafe({ cid, bytes, codec: await helia.getCodec(cid.code) }).links()) {
        if (!seen.has(link.toString())) {
          seen.add(link.toString())
          below.push(link)
        }
      }
      if (seen.size > PIN_BLOCKS_MAX) {
        throw new DagTooLargeError(root, PIN_BLOCKS_MAX)
      }
    }
    level = below
  }
}

/** Pins a DAG to a depth, or deeper than before. Draining matters: `pins.add` does nothing by itself. */
export async function pinDag (helia: Helia, cid: CID, depth: number, options: AbortOptions, get?: (cid: CID) => Promise<Uint8Array>): Promise<void> {
  const { signal } = options
  if (get !== undefined) {
    await bringHome(helia, cid, depth, get)
  }
  try {
    await all(helia.pins.add(cid, { depth, signal }))
  } catch (err) {
    if (!named(err, ALREADY_PINNED)) {
      throw err
    }
    const pin = await helia.pins.get(cid, { signal })
    if (pin.depth < depth) {
      await all(helia.pins.rm(cid, { signal }))
      await all(helia.pins.add(cid, { depth, signal }))
    }
  }
}

export async function unpinDag (helia: Helia, cid: CID, options: AbortOptions): Promise<void> {
  try {
    await all(helia.pins.rm(cid, { signal: options.signal }))
  } catch (err) {
    if (!named(err, NOT_FOUND)) {
      throw err
    }
  }
}
