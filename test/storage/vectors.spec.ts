import { readFile } from 'node:fs/promises'
import { expect } from 'aegir/chai'
import { fileCid } from '../../src/storage/index.ts'

describe('vectors of protocols/storage', () => {
  it('are the CIDs of files', async () => {
    const { vectors } = JSON.parse(await readFile(new URL('../../protocols/storage/vectors/files.json', import.meta.url), 'utf8')) as { vectors: Array<{ length: number, cid: string }> }
    expect(vectors.length).to.be.greaterThan(5)
    for (const { length, cid } of vectors) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff)
      expect(fileCid(bytes).toString(), `${length} bytes`).to.equal(cid)
    }
  })
})
