import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { openJournal } from '../../src/demo/index.ts'

describe('the demo\'s journal', () => {
  let dataDir: string

  before(async () => { dataDir = await mkdtemp(join(tmpdir(), 'datanet-journal-')) })
  after(async () => { await rm(dataDir, { recursive: true, force: true }) })

  it('keeps what steps save side by side', async () => {
    const journal = await openJournal(dataDir)

    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      await journal.save({ contributions: { ...journal.state.contributions, [`president-${i}`]: `cid-${i}` } })
    }))

    expect(Object.keys((await openJournal(dataDir)).state.contributions)).to.have.length(50)
  })
})
