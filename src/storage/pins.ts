import all from 'it-all'
import { createUnsafe } from 'multiformats/block'
import PQueue from 'p-queue'
import { PIN_BLOCKS_MAX } from './constants.ts'
import { DagTooLargeError } from './errors.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { Helia } from '@helia/interface'
import type { CID } from 'multiformats/cid'

const ALREADY_PINNED = 'AlreadyPinnedError'
const NOT_FOUND = 'NotFoundError'
const NOT_HERE = 'BlockNotFoundWhileOfflineError'

/** Helia's walks over pinned blocks never ask the network, for an answer that may not come. */
const HERE = { offline: true }

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

/**
 * What the store keeps. Blocks are counted by helia, one count for each pin that has them; it reads and
 * writes these counts in two steps, so pins take turns here. Beware: helia 7.1 notes the wrong pins of
 * a block when one of several is let go. The count stays right, but if the same pin is made again it is
 * not counted on that block. So nothing is pinned, let go and pinned again that others hold as well.
 */
export class Pins {
  private readonly helia: Helia
  private readonly turns = new PQueue({ concurrency: 1 })

  constructor (helia: Helia) {
    this.helia = helia
  }

  /** Pins a DAG to a depth, or deeper than before; what is not here is brought by `get`. */
  async pin (cid: CID, depth: number, options: AbortOptions, get?: (cid: CID) => Promise<Uint8Array>): Promise<void> {
    if (get !== undefined) {
      await bringHome(this.helia, cid, depth, get)
    }
    await this.turns.add(async () => this.add(cid, depth, options))
  }

  private async add (cid: CID, depth: number, { signal }: AbortOptions): Promise<void> {
    const { pins } = this.helia
    const within = { depth, signal, ...HERE }
    try {
      // draining matters: it does nothing by itself
      await all(pins.add(cid, within))
    } catch (err) {
      if (!named(err, ALREADY_PINNED)) {
        throw err
      }
      const pin = await pins.get(cid, { signal })
      if (pin.depth < depth) {
        await all(pins.rm(cid, { signal, ...HERE }))
        await all(pins.add(cid, within))
      }
    }
  }

  /** @returns the blocks that it held; none if it was not pinned */
  async unpin (cid: CID, { signal }: AbortOptions): Promise<CID[]> {
    const held: CID[] = []
    await this.turns.add(async () => {
      try {
        for await (const block of this.helia.pins.rm(cid, { signal, ...HERE })) {
          held.push(block)
        }
      } catch (err) {
        if (!named(err, NOT_FOUND) && !named(err, NOT_HERE)) {
          throw err
        }
      }
    })
    return held
  }

  /** Whether it was pinned itself and as a whole: a pin is written after all its blocks. */
  async has (cid: CID, { signal }: AbortOptions): Promise<boolean> {
    try {
      await this.helia.pins.get(cid, { signal })
      return true
    } catch (err) {
      if (named(err, NOT_FOUND)) {
        return false
      }
      throw err
    }
  }
}
