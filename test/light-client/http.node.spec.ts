import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { build } from 'esbuild'
import { CID } from 'multiformats/cid'
import { program } from '../../src/cli/index.ts'
import { bitmapOf, voteBytes } from '../../src/consensus/index.ts'
import { bls } from '../../src/identity/index.ts'
import { readAdapter, readConviction, readTask } from '../../src/ledger/index.ts'
import { forkEvidenceCodec, httpSource, trustedHeaderCodec } from '../../src/light-client/index.ts'
import { lightNode } from '../../src/node/index.ts'
import { taskId } from '../../src/scoring/index.ts'
import { headerHash, stateProofCodec, toHex } from '../../src/wire/index.ts'
import { openShop } from '../api/fixtures.ts'
import { cleanTemporary } from '../node/fixtures.ts'
import { chromiumPath, launch, root } from '../ui/browser.ts'
import type { Verdict } from './http-client.ts'
import type { CertifiedHeader, Header } from '../../src/interface/index.ts'
import type { ForkEvidence } from '../../src/light-client/index.ts'
import type { Shop } from '../api/fixtures.ts'
import type { AddressInfo } from 'node:net'

const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) })

describe('a node for light clients, over HTTP', function () {
  this.timeout(120_000)

  let here: Shop
  let contribution: string
  let task: string

  before(async () => {
    // pages of every origin may ask, as an operator can allow
    here = await openShop({ cors: ['*'] }, { epochBlocks: 12, challengeBlocks: 1 })

    const { shop: { node, http }, home, adapter } = here
    const [cid] = readAdapter(node.chain.state(), CID.parse(adapter))?.contributions ?? []

    await home.http.post('/api/v1/ask', { adapter, prompt: 'The people of', maxTokens: 4 })
    await http.post('/api/v1/gateway/redeem', {})

    const id = await node.chain.waitFor(state => {
      for (let epoch = 0; epoch < 100; epoch++) {
        const found = taskId(node.chain.id, epoch, CID.parse(adapter))

        if (readTask(state, found)?.phase === 'settled') {
          return found
        }
      }
    }, patience())

    await node.chain.waitFor(state => (readTask(state, id)?.paid ?? 0n) > 0n, patience())
    contribution = cid.toString()
    task = toHex(id)
  })

  after(async () => {
    await here.stop()
    await cleanTemporary()
  })

  it('proves to a browser without libp2p and without a key why a contribution was paid', async function () {
    const executable = chromiumPath()

    if (executable === undefined) {
      process.stdout.write('skipped: no Chromium at $CHROMIUM_PATH, /usr/bin/chromium or /usr/bin/chromium-browser\n')
      this.skip()
    }

    const { outputFiles: [bundle] } = await build({
      entryPoints: [`${root}/test/light-client/http-client.ts`], bundle: true, minify: true, write: false, format: 'iife', globalName: 'light', platform: 'browser', target: 'es2023'
    })
    // a page of somebody else
    const server = createServer((_request, response) => { response.setHeader('content-type', 'text/html').end('<!doctype html><title>verify</title>') })
    const browser = await launch(executable)

    try {
      await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })

      const page = await browser.newPage()

      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      await page.addScriptTag({ content: bundle.text })

      // the payer's node has the proofs, not the table: it asks the assessor
      const { steps, amount, chain, past, refusals } = await page.evaluate<Verdict>(`light.why(${JSON.stringify(here.home.server.url)}, ${JSON.stringify(contribution)}, ${JSON.stringify(task)})`)

      expect(chain).to.equal(here.home.node.genesis.chain)
      expect(BigInt(amount) > 0n).to.equal(true)
      expect(steps.length).to.be.at.least(5)
      expect(steps.filter(({ verified }) => !verified)).to.deep.equal([])
      expect(past).to.deep.equal([1, 12])
      expect(refusals.slice(0, 2)).to.deep.equal(['ERR_HISTORY_PROOF', 'ERR_SOURCE'])
      expect(refusals[2]).to.not.equal('believed')
    } finally {
      await browser.close()
      server.close()
    }
  })

  it('answers in the bytes of the protocols, and says what it does not have', async () => {
    const { home } = here
    const source = httpSource({ url: home.server.url })
    const latest = await source.latest()
    const get = async (path: string): Promise<Response> => fetch(new URL(`/api/v1/light/${path}`, home.server.url), patience())

    expect((await source.header(latest.header.height - 1)).header.height).to.equal(latest.header.height - 1)
    expect(headerHash((await source.header(latest.header.height)).header)).to.deep.equal(headerHash(latest.header))
    expect((await source.proof('nothing/1', (await source.latest()).header.height)).value).to.equal(null)
    expect((await get('latest')).headers.get('cache-control')).to.equal('no-store')
    expect((await get('headers/999999')).status).to.equal(404)
    expect((await get('headers/-1')).status).to.equal(400)
    expect((await get(`records/${here.adapter}`)).status).to.equal(404)
    expect((await get(`scores/${'0'.repeat(64)}`)).status).to.equal(404)

    // the past, by its place in the history of a header
    expect((await source.past(3, latest.header.height)).header.height).to.equal(3)
    expect((await source.epochEnd(0, 1)).header.height).to.equal(12)
    expect((await get(`past/3?size=${latest.header.height}`)).headers.get('cache-control')).to.match(/immutable/)
    expect((await get('past/3?size=3')).status).to.equal(404)
    expect((await get('past/3')).status).to.equal(400)
    expect((await get('epochs/999999?size=1000000')).status).to.equal(404)

    // what is not there yet may come: a browser must not keep that it is missing
    const early = await get(`outcomes/${here.adapter}`)

    expect(early.status).to.equal(404)
    expect(early.headers.get('cache-control')).to.equal(null)
    expect(early.headers.get('content-type')).to.match(/json/)
    // no key, no more than reading
    expect((await fetch(new URL('/api/v1/wallet', home.server.url))).status).to.equal(401)
  })

  it('is remembered by the command line, which goes on there and does not take a damaged memory for none', async () => {
    const { home: { dataDir, node } } = here
    const [address] = node.network.addresses().map(String)
    const path = join(dataDir, 'light.cbor')
    const follow = async (...args: string[]): Promise<void> => { await program().parseAsync(['--data-dir', dataDir, 'light', '--bootstrap', address, ...args, 'follow', '--blocks', '1'], { from: 'user' }) }
    const remembered = async (): Promise<number> => trustedHeaderCodec.decode(new Uint8Array(await readFile(path))).header.header.height

    await follow()

    const first = await remembered()

    await here.home.node.chain.waitFor((_, newest) => newest > first, patience())
    await follow()
    expect(await remembered()).to.be.above(first)
    await writeFile(path, 'nothing')
    await expect(follow()).to.eventually.be.rejected().with.property('code', 'ERR_FILE')
    await follow('--forget')
    expect(await remembered()).to.be.above(first)
  })

  it('is not read further than a record may be long', async () => {
    const endless = httpSource({ url: 'http://node.invalid/', fetch: async () => new Response(new ReadableStream({ pull: controller => { controller.enqueue(new Uint8Array(65_536)) } })) })

    await expect(endless.proof('chain', 1)).to.eventually.be.rejected().with.property('code', 'ERR_HTTP_SOURCE')
    expect(stateProofCodec.bytesMax).to.be.below(1_048_576)
  })

  it('reads no more of a stranger\'s evidence than a record may have', async () => {
    const body = new Uint8Array(forkEvidenceCodec.bytesMax + 1)

    expect((await fetch(new URL('/api/v1/light/forks', here.home.server.url), { method: 'POST', body, headers: { 'content-type': 'application/octet-stream' }, ...patience() })).status).to.equal(413)
  })

  it('counts who asks without a key', async () => {
    const { home } = here
    const seen = new Set<number>()

    for (let i = 0; i < 40 && !seen.has(429); i++) {
      const answers = await Promise.all(Array.from({ length: 50 }, async () => fetch(new URL('/api/v1/light/genesis', home.server.url), patience())))

      answers.forEach(({ status }) => seen.add(status))
    }

    expect([...seen]).to.deep.equal([200, 429])
  })

  /** Two certified blocks at one height and view, as only a dishonest quorum makes them: here the one validator. */
  function fork (): ForkEvidence {
    const { node } = here.shop
    const { chain, keychain } = node
    const [validator] = node.genesis.validators

    const certified = (bodyRoot: number): CertifiedHeader => {
      const header: Header = {
        type: 'header',
        version: 1,
        chain: chain.id,
        era: 0,
        height: 1_000_000,
        view: 1_000_000,
        parent: new Uint8Array(32),
        proposer: validator.account,
        bodyRoot: new Uint8Array(32).fill(bodyRoot),
        outcomesRoot: new Uint8Array(32),
        stateRoot: new Uint8Array(32),
        validatorsHash: new Uint8Array(32)
      }
      const statement = { kind: 'finalize' as const, era: 0, view: header.view, blockHash: headerHash(header) }

      return { header, certificate: { ...statement, signers: bitmapOf([0], 1), signature: bls.aggregate([bls.sign(keychain.bls(), voteBytes(chain.id, statement))]) } }
    }

    return { first: certified(1), second: certified(2), accused: [validator.account], accusedStake: validator.stake }
  }

  it('brings evidence of a fork before the ledger, which convicts who signed both sides', async () => {
    const { shop, home } = here
    const { account } = home.node.genesis.validators[0]
    const evidence = fork()
    const send = async (bytes: Uint8Array): Promise<{ status: number, body: { transaction?: string | null, error?: { code: string } } }> => {
      // the shop was not asked before, so it does not refuse for the rate
      const response = await fetch(new URL('/api/v1/light/forks', shop.server.url), { method: 'POST', body: new Uint8Array(bytes), headers: { 'content-type': 'application/octet-stream' }, ...patience() })

      return { status: response.status, body: await response.json() as { transaction?: string | null, error?: { code: string } } }
    }
    const forged = { ...evidence, second: { ...evidence.second, certificate: { ...evidence.second.certificate, signature: evidence.first.certificate.signature } } }

    expect((await send(forkEvidenceCodec.encode(forged))).body.error?.code).to.equal('ERR_EVIDENCE')
    expect((await send(forkEvidenceCodec.encode({ ...evidence, second: evidence.first }))).body.error?.code).to.equal('ERR_EVIDENCE')
    expect(readConviction(shop.node.chain.state(), account)).to.equal(undefined)

    // a light client over libp2p says it to the payer's node, which pays for the transaction and gets the reward
    const light = lightNode({ genesis: home.node.genesis, bootstrap: home.node.network.addresses().map(String).slice(0, 1) })

    try {
      await light.start()
      expect((await light.reportFork(evidence, patience())).transaction).to.not.equal(null)
    } finally {
      await light.stop()
    }

    const conviction = await home.node.chain.waitFor(state => readConviction(state, account), patience())

    expect(conviction.reporter).to.deep.equal(home.node.keychain.signer('main').account)
    expect(conviction.slashed > 0n).to.equal(true)
    await home.node.chain.waitFor(() => readConviction(shop.node.chain.state(), account), patience())
    expect((await send(forkEvidenceCodec.encode(evidence))).body.transaction).to.equal(null)
  })
})
