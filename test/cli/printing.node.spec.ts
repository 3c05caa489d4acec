import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { program } from '../../src/cli/index.ts'
import type { AnswerView } from '../../src/interface/index.ts'
import type { AddressInfo } from 'node:net'

/** Sets the clipboard, clears the screen, turns the line around. */
const HOSTILE = '\u001B]52;c;cm0gLXJm\u0007\u001B[2J\u009B2J\u202E'

const ANSWER: AnswerView = {
  receipt: 'bafyreceipt',
  adapter: 'bafyadapter',
  prompt: 'The first',
  answer: ` line\n\tand ${HOSTILE}the second`,
  tokens: [],
  shares: [{ contribution: 'bafycontribution', contributor: '', title: `rows ${HOSTILE}`, influence: 1, share: 1 }],
  parents: [{ adapter: 'bafyparent', name: `speeches ${HOSTILE}`, developer: '', weight: 0.7, effect: 2, share: 0.25, contributions: [] }],
  sources: [{ contribution: 'bafycontribution', contributor: '', title: 'rows', row: 1, text: `a row ${HOSTILE}` }],
  spans: [0, 6].map(from => ({ from, end: from + 6, text: `said ${HOSTILE}`, count: 1, rarityBits: 20, citations: [{ contribution: 'bafycontribution', contributor: '', title: `rows ${HOSTILE}`, row: 1, before: HOSTILE, after: HOSTILE }] })),
  method: 'trajectory',
  precision: 'exact',
  fee: '1',
  promptTokens: 1,
  outputTokens: 1,
  milliseconds: 1
}

describe('what strangers wrote, on a terminal', () => {
  const server = createServer((_, response) => { response.setHeader('content-type', 'application/json').end(JSON.stringify(ANSWER)) })
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'datanet-printing-'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await writeFile(join(folder, 'api.json'), JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'none' }))
  })

  after(async () => {
    server.close()
    server.closeAllConnections()
    await rm(folder, { recursive: true, force: true })
  })

  it('keeps its lines and has no control over it, in an answer, a row or a citation', async () => {
    const write = process.stdout.write
    let written = ''

    process.stdout.write = (text: string | Uint8Array): boolean => {
      written += String(text)

      return true
    }

    try {
      await program().parseAsync(['--data-dir', folder, 'ask', 'anything', 'The first'], { from: 'user' })
    } finally {
      process.stdout.write = write
    }

    expect(written).to.include(' line\n\tand ')
    expect(written).to.include('a row ')
    // what an answer says twice is cited once
    expect(written.split('said ')).to.have.length(2)
    expect(written).to.match(/25\.0 % .*0\.7 × speeches .* bafyparent/)
    expect(written).to.match(/100\.0 % .* rows .* bafycontribution/)
    // colours are ours
    for (const control of ['\u001B]', '\u001B[2J', '\u0007', '\u009B', '\u202E']) {
      expect(written).to.not.include(control)
    }
  })
})
