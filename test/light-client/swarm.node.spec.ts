import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { build } from 'esbuild'
import { CheckpointError, WitnessError } from '../../src/light-client/index.ts'
import { lightNode } from '../../src/node/index.ts'
import { certifiedHeaderCodec, eraChangeCodec, genesisCodec, headerHash, stateProofCodec, toHex, utf8 } from '../../src/wire/index.ts'
import { alice, genesis, swarm } from '../settlement/fixtures.ts'
import { chromiumPath, launch, root } from '../ui/browser.ts'
import type { Seen } from './browser-client.ts'
import type { LightNodeInit } from '../../src/node/index.ts'
import type { Chain } from '../../src/settlement/index.ts'
import type { TestNode } from '../settlement/fixtures.ts'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A node's answers over HTTP, as bytes, and an empty page for a browser to stand on. */
function served (chain: Chain): Server {
  const answer = async (path: string): Promise<Uint8Array> => {
    const [, what, first, second] = path.split('/').map(decodeURIComponent)

    switch (what) {
      case 'genesis': return genesisCodec.encode(genesis)
      case 'latest': return certifiedHeaderCodec.encode(await chain.certified())
      case 'header': return certifiedHeaderCodec.encode(await chain.certified(Number(first)))
      case 'era': return eraChangeCodec.encode(await chain.eraChange(Number(first)))
      case 'proof': return stateProofCodec.encode(chain.prove(second, Number(first)))
      default: return utf8('<!doctype html><title>light client</title>')
    }
  }

  return createServer((request, response) => {
    answer(request.url ?? '/').then(bytes => {
      response.setHeader('content-type', request.url === '/' ? 'text/html' : 'application/octet-stream')
      response.end(bytes)
    }, () => {
      response.statusCode = 404
      response.end()
    })
  })
}

describe('a light client of a swarm', function () {
  this.timeout(60_000)

  const nodes = swarm()
  let all: TestNode[]

  before(async () => {
    all = []

    for (const validator of [0, 1, 2, 3]) {
      all.push(await nodes.node({ validator, seed: validator + 1 }))
    }

    await all[0].chain.waitFor((_, height) => height >= 3, { signal: AbortSignal.timeout(30_000) })
  })
  after(async () => nodes.clean())

  const addressesOf = (index: number): string[] => all[index].net.addresses().map(String).slice(0, 1)

  async function withLight<T> (init: Partial<LightNodeInit>, use: (light: ReturnType<typeof lightNode>) => Promise<T>): Promise<T> {
    const light = lightNode({ genesis, bootstrap: addressesOf(0), ...init })

    try {
      await light.start()
      return await use(light)
    } finally {
      await light.stop()
    }
  }

  it('begins at a checkpoint and has two other peers confirm what the first says', async () => {
    const { header } = await all[3].chain.certified(2)
    const init = { checkpoint: { height: 2, hash: headerHash(header) }, witnesses: [...addressesOf(1), ...addressesOf(2)] }

    await withLight(init, async ({ client }) => {
      assert.ok((await client.sync()).header.height >= 3)
      assert.equal((await client.account(alice.account)).value?.balance, 1_000n)
    })
  })

  it('refuses a checkpoint that is not on the chain', async () => {
    await withLight({ checkpoint: { height: 2, hash: new Uint8Array(32) } }, async ({ client }) => {
      await assert.rejects(client.sync(), CheckpointError)
    })
  })

  it('believes nothing new once a witness has gone', async () => {
    await withLight({ witnesses: addressesOf(3) }, async ({ client }) => {
      const { header } = await client.sync()
      await all[3].stop()
      await all[0].chain.waitFor((_, height) => height > header.height, { signal: AbortSignal.timeout(30_000) })

      await assert.rejects(client.sync(), WitnessError)
      assert.equal(client.newest?.header.height, header.height)
    })
  })

  it('verifies in a browser by the same code', async function () {
    const executable = chromiumPath()

    if (executable === undefined) {
      process.stdout.write('skipped: no Chromium at $CHROMIUM_PATH, /usr/bin/chromium or /usr/bin/chromium-browser\n')
      this.skip()
    }

    const { outputFiles: [bundle] } = await build({
      entryPoints: [`${root}/test/light-client/browser-client.ts`], bundle: true, minify: true, write: false, format: 'iife', globalName: 'light', platform: 'browser', target: 'es2023'
    })
    const { chain } = all[0]
    const server = served(chain)
    const browser = await launch(executable)

    try {
      await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const page = await browser.newPage()
      await page.goto(`${base}/`)
      await page.addScriptTag({ content: bundle.text })
      const seen = await page.evaluate<Seen>(`light.look(${JSON.stringify(base)}, ${JSON.stringify(toHex(alice.account))})`)

      const { header } = await chain.certified(seen.height)
      assert.deepEqual(seen, { height: header.height, hash: toHex(headerHash(header)), signers: seen.signers, balance: '1000', refusals: ['ERR_STATE_PROOF', 'ERR_CHECKPOINT'] })
      assert.ok(seen.signers >= 3)
    } finally {
      await browser.close()
      server.close()
    }
  })
})
