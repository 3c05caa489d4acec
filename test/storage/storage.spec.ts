import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encode } from '@ipld/dag-cbor'
import { expect } from 'aegir/chai'
import { LevelBlockstore } from 'blockstore-level'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { identity } from 'multiformats/hashes/identity'
import { fileCid, storage } from '../../src/storage/index.ts'
import { encodeFileNode } from '../../src/storage/unixfs.ts'
import { cidOf, DAG_PB } from '../../src/wire/index.ts'
import { testNetwork } from './network.ts'
import type { Storage, StorageInit } from '../../src/storage/index.ts'

const MIB = 1024 * 1024
const RAW = 0x55

const pattern = (length: number, seed = 1): Uint8Array => {
  const bytes = new Uint8Array(length)
  let x = seed
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    bytes[i] = x >>> 24
  }
  return bytes
}

describe('storage', function () {
  this.timeout(60_000)

  const cleanups: Array<() => Promise<unknown>> = []

  type Network = Awaited<ReturnType<typeof testNetwork>>
  const node = async (init: StorageInit = {}): Promise<{ store: Storage, network: Network }> => {
    const network = await testNetwork()
    cleanups.push(async () => network.libp2p.stop())
    const store = storage(init)({ network })
    cleanups.push(async () => store.stop())
    await store.start()
    return { store, network }
  }
  const folder = async (): Promise<string> => {
    const path = await mkdtemp(join(tmpdir(), 'datanet-storage-'))
    cleanups.push(async () => rm(path, { recursive: true, force: true }))
    return path
  }
  const dial = async (from: Network, to: Network): Promise<void> => {
    await from.libp2p.dial(to.libp2p.getMultiaddrs())
  }

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup()
    }
  })

  it('keeps blocks, files and pins over a restart', async () => {
    const dataDir = await folder()
    const { store } = await node({ dataDir })
    const block = await store.put(encode({ hello: 'world' }), { pin: true })
    const loose = await store.put(encode({ nobody: 'keeps me' }))
    const weights = pattern(3 * MIB)
    const file = await store.putFile(weights)
    await store.stop()
    await store.start()
    await store.collect()

    expect(await store.isPinned(block)).to.equal(true)
    expect(await store.get(block, { offline: true })).to.deep.equal(encode({ hello: 'world' }))
    expect(await store.getFile(file)).to.deep.equal(weights)
    expect(await store.has(loose)).to.equal(false)
  })

  it('loses nothing acknowledged when its process is killed', async () => {
    const dataDir = await folder()
    const script = fileURLToPath(new URL('put-and-wait.ts', import.meta.url))
    const child = spawn(process.execPath, ['--experimental-transform-types', '--no-warnings', script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(child.stdout, 'data') as [Buffer]
    child.kill('SIGKILL')
    await once(child, 'exit')
    const { block, file } = JSON.parse(line.toString()) as { block: string, file: string }

    const { store } = await node({ dataDir })
    await store.collect()
    expect(await store.get(CID.parse(block), { offline: true })).to.deep.equal(encode({ acknowledged: true }))
    expect(await store.getFile(CID.parse(file))).to.deep.equal(new Uint8Array(1_500_000).fill(7))
    expect(await store.isPinned(CID.parse(file))).to.equal(true)
  })

  it('lets go of what was unpinned, and start, stop, pin and unpin may be repeated', async () => {
    const { store } = await node({ dataDir: await folder() })
    await store.start()
    const cid = await store.put(encode([1]), { pin: true })
    await store.pin(cid)
    await store.unpin(cid)
    await store.unpin(cid)
    await store.collect()
    expect(await store.has(cid)).to.equal(false)
    await store.stop()
    await store.stop()
    await expect(store.get(cid)).to.eventually.be.rejected.with.property('code', 'ERR_STORAGE_NOT_STARTED')
  })

  it('deletes what was let go when nobody used it for some time, over a restart too, and nothing else', async () => {
    const { store } = await node({ dataDir: await folder() })
    const later = (): number => {
      const from = Date.now()
      while (Date.now() <= from) {
        // a millisecond
      }
      return Date.now()
    }
    const shared = await store.put(encode('shared'))
    const [first, second] = [await store.put(encode({ first: shared })), await store.put(encode({ second: shared }))]
    const cached = await store.put(encode('never pinned'))
    const [read, written, again] = [await store.put(encode('read'), { pin: true }), await store.put(encode('written'), { pin: true }), await store.put(encode('pinned again'), { pin: true })]
    await store.pin(first)
    await store.pin(second)
    for (const cid of [first, read, written, again]) {
      await store.unpin(cid)
    }
    await store.stop()
    await store.start()
    const beforeMs = later()
    expect(await store.sweep(beforeMs - 60_000)).to.equal(0)
    await store.get(read)
    await store.put(encode('written'))
    await store.pin(again)
    expect(await store.sweep(beforeMs)).to.equal(1)

    expect(await store.has(first)).to.equal(false)
    for (const cid of [second, shared, cached, read, written, again]) {
      expect(await store.has(cid)).to.equal(true)
    }
  })

  it('fetches blocks and large files from a peer', async () => {
    const holder = await node()
    const seeker = await node()
    await dial(seeker.network, holder.network)
    const block = await holder.store.put(encode({ hello: 'world' }))
    const weights = pattern(5 * MIB + 17)
    const file = await holder.store.putFile(weights)

    expect(await seeker.store.get(block)).to.deep.equal(encode({ hello: 'world' }))
    expect(await seeker.store.getFile(file, { bytesMax: 6 * MIB })).to.deep.equal(weights)
    await seeker.store.pin(file)
    expect(await seeker.store.isPinned(file)).to.equal(true)
  })

  it('serves peers that were connected before it started', async () => {
    const [a, b] = [await testNetwork(), await testNetwork()]
    cleanups.push(async () => a.libp2p.stop(), async () => b.libp2p.stop())
    await dial(a, b)
    const [early, late] = [storage()({ network: a }), storage()({ network: b })]
    cleanups.push(async () => early.stop(), async () => late.stop())
    await early.start()
    await late.start()
    const cid = await early.put(encode('from the early one'))
    const other = await late.put(encode('from the late one'))
    expect(await late.get(cid)).to.deep.equal(encode('from the early one'))
    expect(await early.get(other)).to.deep.equal(encode('from the late one'))
  })

  it('shares one fetch between callers of which one gives up', async () => {
    const holder = await node()
    const seeker = await node()
    await dial(seeker.network, holder.network)
    const bytes = encode({ late: true })
    const cid = fileCid(bytes)
    const controller = new AbortController()
    const impatient = seeker.store.get(cid, { signal: controller.signal })
    const patient = seeker.store.get(cid)
    controller.abort()
    await expect(impatient).to.eventually.be.rejected.with.property('name', 'AbortError')
    await holder.store.put(bytes, { codec: RAW })
    expect(await patient).to.deep.equal(bytes)
  })

  it('never accepts bytes that do not hash to their CID from a lying peer', async () => {
    const blockstore = new LevelBlockstore(join(await folder(), 'lies'))
    await blockstore.open()
    cleanups.push(async () => blockstore.close())
    const truth = encode({ rows: ['as attested'] })
    const cid = fileCid(truth)
    await blockstore.put(cid, encode({ rows: ['as swapped'] }))
    const liar = await node({ stores: { blockstore } })
    const seeker = await node({ fetchTimeoutMs: 400, fetchAttemptsMax: 2 })
    await dial(seeker.network, liar.network)

    await expect(seeker.store.get(cid)).to.eventually.be.rejected.with.property('code', 'ERR_BLOCK_UNAVAILABLE')
    expect(await seeker.store.has(cid)).to.equal(false)

    const honest = await node()
    await dial(seeker.network, honest.network)
    await honest.store.put(truth, { codec: RAW })
    expect(await seeker.store.get(cid, { attemptsMax: 8 })).to.deep.equal(truth)
  })

  it('refuses bytes that the own disk has changed', async () => {
    const blockstore = new LevelBlockstore(join(await folder(), 'rotten'))
    await blockstore.open()
    cleanups.push(async () => blockstore.close())
    const cid = fileCid(encode('sound'))
    await blockstore.put(cid, encode('rotten'))
    const { store } = await node({ stores: { blockstore }, fetchTimeoutMs: 50, fetchAttemptsMax: 1 })
    await expect(store.get(cid)).to.eventually.be.rejected.with.property('code', 'ERR_BLOCK_UNAVAILABLE')
    expect(await store.has(cid)).to.equal(false)
  })

  it('fetches again what is pinned and was changed by the own disk', async () => {
    const blockstore = new LevelBlockstore(join(await folder(), 'mended'))
    await blockstore.open()
    cleanups.push(async () => blockstore.close())
    const holder = await node()
    const { store, network } = await node({ stores: { blockstore } })
    const sound = encode('sound')
    const cid = await store.put(sound, { pin: true })
    await blockstore.put(cid, encode('rotten'))
    await dial(network, holder.network)
    await holder.store.put(sound)
    expect(await store.get(cid)).to.deep.equal(sound)
    expect(await store.isPinned(cid)).to.equal(true)
    expect(await blockstore.has(cid)).to.equal(true)
  })

  it('refuses CIDs that prove nothing, too large blocks and unknown codecs', async () => {
    const { store } = await node()
    const digest = fileCid(pattern(10)).multihash.digest
    const truncated = CID.createV1(RAW, create(0x12, digest.subarray(0, 1)))
    await expect(store.get(truncated)).to.eventually.be.rejected.with.property('code', 'ERR_UNSUPPORTED_CID')
    await expect(store.get(CID.createV1(RAW, identity.digest(pattern(4))))).to.eventually.be.rejected.with.property('code', 'ERR_UNSUPPORTED_CID')
    await expect(store.put(pattern(MIB + 1))).to.eventually.be.rejected.with.property('code', 'ERR_BLOCK_TOO_LARGE')
    await expect(store.put(pattern(9), { codec: 0x70 })).to.eventually.be.rejected.with.property('code', 'ERR_UNSUPPORTED_CID')
    const cid = await store.put(pattern(2_000), { codec: RAW })
    await expect(store.get(cid, { bytesMax: 1_999 })).to.eventually.be.rejected.with.property('code', 'ERR_BLOCK_TOO_LARGE')
  })

  it('checks the size of a file before it fetches its leaves', async () => {
    const { store } = await node()
    const file = await store.putFile(pattern(2 * MIB))
    await expect(store.getFile(file, { bytesMax: MIB })).to.eventually.be.rejected.with.property('code', 'ERR_FILE_TOO_LARGE')
    await expect(store.getFile(await store.put(encode('no file')))).to.eventually.be.rejected.with.property('code', 'ERR_MALFORMED_FILE')
  })

  it('refuses a file of many empty parts as soon as it sees one', async () => {
    const { store } = await node()
    const blockstore = new LevelBlockstore(join(await folder(), 'bomb'))
    await blockstore.open()
    cleanups.push(async () => blockstore.close())
    const empty = await store.put(new Uint8Array(0), { codec: RAW })
    let root = empty
    // three blocks, under which there are 174 ** 3 leaves
    for (let depth = 0; depth < 3; depth++) {
      const bytes = encodeFileNode({ links: new Array(174).fill({ cid: root, treeBytes: 0 }), fileBytes: 0, blockBytes: new Array(174).fill(0) })
      root = cidOf(bytes, DAG_PB)
      await blockstore.put(root, bytes)
    }
    const villain = await node({ stores: { blockstore } })
    let reads = 0
    const get = blockstore.get.bind(blockstore)
    blockstore.get = (...args) => { reads++; return get(...args) }
    await expect(villain.store.getFile(root)).to.eventually.be.rejected.with.property('code', 'ERR_MALFORMED_FILE')
    await expect(villain.store.openFile(root)).to.eventually.be.rejected.with.property('code', 'ERR_MALFORMED_FILE')
    expect(reads).to.be.below(10)
  })

  it('leaves no promise behind when putting a file is cancelled or its source fails', async () => {
    const { store } = await node({ dataDir: await folder() })
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => { unhandled.push(reason) }
    process.on('unhandledRejection', note)
    cleanups.push(async () => process.off('unhandledRejection', note))
    const controller = new AbortController()
    const source = {
      size: 8 * MIB,
      read: async (offset: number, length: number) => {
        if (offset === MIB) {
          controller.abort()
        }
        await new Promise(resolve => { setImmediate(resolve) })
        return pattern(length, offset)
      }
    }
    await expect(store.putFileFrom(source, { signal: controller.signal })).to.eventually.be.rejected.with.property('name', 'AbortError')
    for (let turn = 0; turn < 50; turn++) {
      await new Promise(resolve => { setImmediate(resolve) })
    }
    expect(unhandled).to.deep.equal([])
  })

  it('ends a fetch when its signal fires', async () => {
    const { store } = await node()
    const signal = AbortSignal.timeout(50)
    await expect(store.get(fileCid(pattern(5)), { signal })).to.eventually.be.rejected()
    expect(signal.aborted).to.equal(true)
  })

  describe('fileCid', () => {
    it('depends on the bytes alone and is the raw CID up to 1 MiB', async () => {
      const { store } = await node()
      await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 3 * MIB }), fc.integer(), async (length, seed) => {
        const bytes = pattern(length, seed)
        const cid = fileCid(bytes)
        expect(cid.code).to.equal(length > MIB ? 0x70 : RAW)
        expect((await store.putFile(bytes, { pin: false })).equals(cid)).to.equal(true)
        expect(await store.getFile(cid)).to.deep.equal(bytes)
      }), { numRuns: 8 })
    })

    it('is the same for a file that is put and read by ranges, never whole', async () => {
      const { store } = await node()
      for (const length of [0, 5, MIB, MIB + 1, 3 * MIB - 7]) {
        const bytes = pattern(length)
        let largest = 0
        const source = {
          size: length,
          read: async (offset: number, count: number) => {
            largest = Math.max(largest, count)
            return bytes.subarray(offset, offset + count)
          }
        }
        const cid = await store.putFileFrom(source)
        expect(cid.equals(fileCid(bytes))).to.equal(true)
        expect(largest).to.be.at.most(MIB)
        const file = await store.openFile(cid)
        expect(file.size).to.equal(length)
        for (const [from, to] of [[0, length], [length >>> 1, length], [Math.min(length, 262_143), Math.min(length, 786_433)], [length, length]]) {
          expect(await file.read(from, to - from)).to.deep.equal(bytes.subarray(from, to))
        }
      }
      await expect(store.openFile(fileCid(pattern(3 * MIB - 7)), { bytesMax: MIB })).to.eventually.be.rejected.with.property('code', 'ERR_FILE_TOO_LARGE')
    })
  })
})
