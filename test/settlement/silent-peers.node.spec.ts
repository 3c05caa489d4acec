import { network } from '../../src/gossip/index.ts'
import { UnknownBlockError } from '../../src/settlement/index.ts'
import { CHAIN, genesisOf, swarm } from './fixtures.ts'
import type { TestNode, TestSwarm } from './fixtures.ts'
import type { Network } from '../../src/gossip/index.ts'
import type { ChainInit } from '../../src/settlement/index.ts'

const BYTES_MAX = 4_194_304
const times = { blockIntervalMsMin: 20, idleIntervalMs: 40, leaderTimeoutMs: 1_500, certificationTimeoutMs: 2_500, silentTimeoutMs: 300 }
const genesis = genesisOf(1)
const init: Partial<ChainInit> = { genesis, times, snapshotBlocks: 8, fastSyncBlocks: 64 }

const protocol = (what: string): string => `/datanet/${CHAIN}/${what}/1`

describe('a node that is behind', function () {
  this.timeout(120_000)

  const nodes = swarm()
  const groups: TestSwarm[] = []
  const others: Network[] = []
  let validator: TestNode

  before(async () => {
    validator = await nodes.node({ validator: 0, seed: 1, init })
    await validator.chain.waitFor((_, height) => height >= 20, { signal: AbortSignal.timeout(30_000) })
  })
  afterEach(async () => {
    await Promise.all(groups.splice(0).map(async group => group.clean()))
    await Promise.all(others.splice(0).map(async net => net.stop()))
  })
  after(async () => nodes.clean())

  /** Passes some requests on to the validator, and lets one kind wait for ever. */
  async function villain (passed: string[], held: string): Promise<{ net: Network, asked: Promise<void> }> {
    const net = network({ exchange: false, bootstrap: validator.net.addresses().map(String) })()
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const state = { isAsked: false }

    others.push(net)
    passed.forEach(what => {
      net.handle(protocol(what), { requestBytesMax: 4_096, responseBytesMax: BYTES_MAX }, async request => {
        // no way around what it holds back
        if (state.isAsked && what === 'certificates') {
          throw new UnknownBlockError('asked for')
        }
        return net.request(validator.net.peerId, protocol(what), request, { responseBytesMax: BYTES_MAX })
      })
    })
    net.handle(protocol(held), { requestBytesMax: 4_096, responseBytesMax: BYTES_MAX, timeoutMs: 120_000 }, async (_, { signal }) => {
      state.isAsked = true
      resolve()
      return new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }) })
    })
    await net.start()
    await net.connect(validator.net.addresses().map(String)[0])

    return { net, asked }
  }

  it('takes ranges from all in turn, so that one that gives a few blocks at a time does not keep it behind', async () => {
    const net = network({ exchange: false, bootstrap: validator.net.addresses().map(String) })()
    const { promise: asked, resolve } = Promise.withResolvers<void>()

    others.push(net)
    const pass = (what: string): void => {
      net.handle(protocol(what), { requestBytesMax: 4_096, responseBytesMax: BYTES_MAX }, async request => net.request(validator.net.peerId, protocol(what), request, { responseBytesMax: BYTES_MAX }))
    }

    pass('certificates')
    pass('block')
    net.handle(protocol('sync'), { requestBytesMax: 4_096, responseBytesMax: BYTES_MAX }, request => (async function * () {
      const { height } = validator.chain

      resolve()
      // slower than the chain
      await validator.chain.waitFor((_, now) => now >= height + 8, { signal: AbortSignal.timeout(100_000) })
      let given = 0

      for await (const item of net.requestMany(validator.net.peerId, protocol('sync'), request, { responseBytesMax: BYTES_MAX, responsesMax: 64 })) {
        yield item

        if (++given === 4) {
          return
        }
      }
    })())
    await net.start()
    await net.connect(validator.net.addresses().map(String)[0])

    const newcomers = swarm()
    groups.push(newcomers)
    const newcomer = await newcomers.node({ net: { exchange: false }, init: { ...init, fastSyncBlocks: 100_000 } })

    await newcomer.net.connect(net.addresses().map(String)[0])
    await asked
    const { height: head } = validator.chain
    await newcomer.net.connect(validator.net.addresses().map(String)[0])
    await newcomer.chain.waitFor((_, height) => height >= head, { signal: AbortSignal.timeout(100_000) })
  })

  it('asks somebody else for blocks and for a snapshot\'s parts long before it gives up a peer that says nothing', async () => {
    await Promise.all(([
      [['certificates', 'block'], 'sync', {}],
      [['certificates', 'snapshot', 'block'], 'snapshot-part', { fastSyncBlocks: 8 }]
    ] as const).map(async ([passed, held, change]) => {
      const { net, asked } = await villain([...passed], held)
      const newcomers = swarm()
      groups.push(newcomers)
      const newcomer = await newcomers.node({ net: { exchange: false }, init: { ...init, ...change } })

      await newcomer.net.connect(net.addresses().map(String)[0])
      await asked
      await newcomer.net.connect(validator.net.addresses().map(String)[0])
      // the first of what it asks for: a request of its own is given up after 30 s
      await newcomer.chain.waitFor((_, height) => height > 0, { signal: AbortSignal.timeout(20_000) })
    }))
  })
})
