import { withBitswap } from '@helia/bitswap'
import * as dagCbor from '@ipld/dag-cbor'
import { createHeliaLight } from 'helia'
import all from 'it-all'
import { concat } from 'uint8arrays/concat'
import { acquaint } from './acquaintance.ts'
import { assertSupportedCid, cidOfBlock, DAG_CBOR, RAW, verifyBlock } from './cid.ts'
import { BLOCK_BYTES_MAX, FETCH_ATTEMPTS_MAX, FETCH_TIMEOUT_MS, FILE_BYTES_MAX, FILE_CONCURRENCY, FILE_STREAM_BYTES_MAX, LET_GO_MS, RESEND_MS, SWEEP_MS } from './constants.ts'
import { BlockMismatchError, BlockTooLargeError, BlockUnavailableError, StorageNotStartedError, UnsupportedCidError } from './errors.ts'
import { Fetcher } from './fetcher.ts'
import { fileBlocks, fileBlocksFrom, joinFile, openFile } from './files.ts'
import { LetGo } from './let-go.ts'
import { openLevelStores } from './level.ts'
import { Pins } from './pins.ts'
import type { FileBlock, FileSource } from './files.ts'
import type { GetOptions, PinOptions, PutOptions, Storage, StorageComponents, StorageInit } from './interface.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { Helia } from '@helia/interface'
import type { CID } from 'multiformats/cid'

interface Running {
  helia: Helia
  fetcher: Fetcher
  pins: Pins
  letGo: LetGo
  /** stores a block whatever becomes of the peers that wait for it */
  write (cid: CID, bytes: Uint8Array, options: AbortOptions): Promise<void>
  /** deletes a block that the disk has changed, pinned or not: what is pinned is what it was */
  discard (cid: CID): Promise<void>
  close (): Promise<void>
}

const readLocal = async (helia: Helia, cid: CID, options: AbortOptions): Promise<Uint8Array> =>
  concat(await all(helia.blockstore.get(cid, { ...options, offline: true })))

export class HeliaStorage implements Storage {
  private readonly init: StorageInit
  private readonly components: StorageComponents
  private starting?: Promise<Running>
  private running?: Running

  constructor (init: StorageInit, components: StorageComponents) {
    this.init = init
    this.components = components
  }

  async start (): Promise<void> {
    this.starting ??= this.open()
    try {
      this.running = await this.starting
    } catch (err) {
      this.starting = undefined
      throw err
    }
  }

  async stop (): Promise<void> {
    const running = this.running
    this.running = undefined
    this.starting = undefined
    await running?.close()
  }

  private async open (): Promise<Running> {
    const level = this.init.dataDir === undefined ? undefined : await openLevelStores(this.init.dataDir)
    const libp2p = this.components.network.libp2p
    const stores = level ?? this.init.stores
    const light = createHeliaLight({ codecs: [dagCbor], ...stores })
    const helia = withBitswap(Object.assign(light, { libp2p }), { doNotResendBlockWindow: RESEND_MS })
    const discard = async (cid: CID): Promise<void> => { await (stores?.blockstore ?? helia.blockstore).delete(cid) }
    const letGo = new LetGo({ isPinned: async cid => helia.pins.isPinned(cid), delete: discard }, level?.letGo)
    try {
      await helia.start()
      await letGo.load()
    } catch (err) {
      await level?.close()
      throw err
    }
    const fetcher = new Fetcher(async (cid, options) => concat(await all(helia.blockstore.get(cid, options))))
    const stopped = new AbortController()
    let sweeping: Promise<unknown> = Promise.resolve()
    const timer = setInterval(() => {
      // what cannot be deleted now is tried again after a restart
      sweeping = sweeping.then(async () => letGo.sweep(Date.now() - LET_GO_MS, stopped.signal)).catch(() => {})
    }, SWEEP_MS)
    timer.unref()
    const forgetPeers = acquaint(libp2p)
    return {
      helia,
      fetcher,
      pins: new Pins(helia),
      letGo,
      write: async (cid, bytes, { signal }) => {
        await letGo.use(cid)
        try {
          await helia.blockstore.put(cid, bytes, { signal })
        } catch (err) {
          signal?.throwIfAborted()
          // Helia sends a block to those who wait for it before it writes: one who goes away must not fail us
          if (stores?.blockstore == null) {
            throw err
          }
          await stores.blockstore.put(cid, bytes, { signal })
        }
      },
      discard,
      close: async () => {
        clearInterval(timer)
        stopped.abort()
        await sweeping
        forgetPeers()
        fetcher.stop()
        await helia.stop()
        await level?.close()
      }
    }
  }

  private current (): Running {
    if (this.running === undefined) {
      throw new StorageNotStartedError()
    }
    return this.running
  }

  async put (bytes: Uint8Array, options: PutOptions = {}): Promise<CID> {
    const { pins, write } = this.current()
    const codec = options.codec ?? DAG_CBOR
    if (bytes.byteLength > BLOCK_BYTES_MAX) {
      throw new BlockTooLargeError(bytes.byteLength, BLOCK_BYTES_MAX)
    }
    const cid = cidOfBlock(bytes, codec)
    if (codec !== DAG_CBOR && codec !== RAW) {
      throw new UnsupportedCidError(cid, 'put takes dag-cbor and raw')
    }
    await write(cid, bytes, options)
    if (options.pin === true) {
      await pins.pin(cid, 0, options)
    }
    return cid
  }

  async get (cid: CID, options: GetOptions = {}): Promise<Uint8Array> {
    assertSupportedCid(cid)
    const { helia, fetcher, discard, letGo } = this.current()
    const bytesMax = Math.min(options.bytesMax ?? BLOCK_BYTES_MAX, BLOCK_BYTES_MAX)
    await letGo.use(cid)
    let bytes = await this.getLocal({ helia, discard }, cid, options)
    if (bytes === undefined) {
      if (options.offline === true) {
        throw new BlockUnavailableError(cid, 0)
      }
      bytes = await fetcher.fetch(cid, {
        signal: options.signal,
        timeoutMs: options.timeoutMs ?? this.init.fetchTimeoutMs ?? FETCH_TIMEOUT_MS,
        attemptsMax: options.attemptsMax ?? this.init.fetchAttemptsMax ?? FETCH_ATTEMPTS_MAX
      })
      if (bytes.byteLength > BLOCK_BYTES_MAX) {
        // bitswap takes up to 2 MiB and has stored it by now
        await helia.blockstore.delete(cid)
      }
      verifyBlock(cid, bytes)
    }
    if (bytes.byteLength > bytesMax) {
      throw new BlockTooLargeError(bytes.byteLength, bytesMax)
    }
    return bytes
  }

  /** What the own store has, unless the disk has changed it since: then it is fetched again. */
  private async getLocal ({ helia, discard }: Pick<Running, 'helia' | 'discard'>, cid: CID, options: AbortOptions): Promise<Uint8Array | undefined> {
    if (!await helia.blockstore.has(cid, { signal: options.signal })) {
      return undefined
    }
    const bytes = await readLocal(helia, cid, { signal: options.signal })
    try {
      verifyBlock(cid, bytes)
    } catch (err) {
      if (err instanceof BlockMismatchError) {
        await discard(cid)
        return undefined
      }
      throw err
    }
    return bytes
  }

  async has (cid: CID, options: AbortOptions = {}): Promise<boolean> {
    await this.current().letGo.use(cid)
    return this.current().helia.blockstore.has(cid, { signal: options.signal })
  }

  async pin (cid: CID, options: PinOptions = {}): Promise<void> {
    await this.current().pins.pin(cid, options.depth ?? Infinity, options, async link => this.get(link, { signal: options.signal }))
  }

  async unpin (cid: CID, options: AbortOptions = {}): Promise<void> {
    const { pins, letGo } = this.current()
    await letGo.add(await pins.unpin(cid, options))
  }

  async isPinned (cid: CID, options: AbortOptions = {}): Promise<boolean> {
    return this.current().pins.has(cid, options)
  }

  async putFile (bytes: Uint8Array, options: AbortOptions & { pin?: boolean } = {}): Promise<CID> {
    return this.putBlocks(fileBlocks(bytes), options)
  }

  async putFileFrom (source: FileSource, options: AbortOptions & { pin?: boolean, onBlock?(bytes: number): void } = {}): Promise<CID> {
    return this.putBlocks(fileBlocksFrom(source), options)
  }

  private async putBlocks (blocks: Iterable<FileBlock> | AsyncIterable<FileBlock>, options: AbortOptions & { pin?: boolean, onBlock?(bytes: number): void }): Promise<CID> {
    const { write } = this.current()
    let cid = cidOfBlock(new Uint8Array(0), RAW)
    let writes: Array<Promise<void>> = []
    for await (const block of blocks) {
      options.signal?.throwIfAborted()
      const written = write(block.cid, block.bytes, options)
      // it is awaited below, but the source or the signal may end this before
      written.catch(() => {})
      writes.push(written)
      cid = block.cid
      options.onBlock?.(block.bytes.byteLength)
      // level syncs writes that come together once
      if (writes.length === FILE_CONCURRENCY) {
        await Promise.all(writes)
        writes = []
      }
    }
    await Promise.all(writes)
    if (options.pin !== false) {
      await this.pin(cid, options)
    }
    return cid
  }

  async getFile (cid: CID, options: Omit<GetOptions, 'offline'> = {}): Promise<Uint8Array> {
    const { bytesMax, ...rest } = options
    return joinFile(cid, bytesMax ?? FILE_BYTES_MAX, async link => this.get(link, rest))
  }

  async openFile (cid: CID, options: Omit<GetOptions, 'offline'> = {}): Promise<FileSource> {
    const { bytesMax, ...rest } = options
    return openFile(cid, bytesMax ?? FILE_STREAM_BYTES_MAX, async link => this.get(link, rest))
  }

  async sweep (beforeMs: number, options: AbortOptions = {}): Promise<number> {
    return this.current().letGo.sweep(beforeMs, options.signal)
  }

  async collect (options: AbortOptions = {}): Promise<void> {
    await this.current().helia.gc({ signal: options.signal })
  }
}
