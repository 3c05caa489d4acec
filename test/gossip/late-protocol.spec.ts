import { expect } from 'aegir/chai'
import { network } from '../../src/gossip/index.ts'

const PROTOCOL = '/test/late/1'

describe('a protocol that is registered after the connection was made', () => {
  it('becomes known to the peer', async () => {
    const serving = network()({})
    const asking = network()({})

    try {
      await serving.start()
      await asking.start()
      await asking.connect(serving.addresses()[0].toString(), { signal: AbortSignal.timeout(10_000) })

      const { libp2p } = asking
      const told = new Promise<string[]>((resolve, reject) => {
        const timeout = AbortSignal.timeout(10_000)

        timeout.addEventListener('abort', () => { reject(timeout.reason) })
        libp2p.addEventListener('peer:update', ({ detail: { peer } }) => {
          if (peer.protocols.includes(PROTOCOL)) {
            resolve(peer.protocols)
          }
        })
      })

      serving.handle(PROTOCOL, { requestBytesMax: 8, responseBytesMax: 8 }, async request => request)

      expect(await told).to.include(PROTOCOL)
      expect(await asking.request(serving.peerId, PROTOCOL, Uint8Array.of(7))).to.deep.equal(Uint8Array.of(7))
    } finally {
      await asking.stop()
      await serving.stop()
    }
  })
})
