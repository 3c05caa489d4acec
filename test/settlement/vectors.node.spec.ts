import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { DatanetError } from '../../src/utils/index.ts'
import { fromHex, toHex } from '../../src/wire/index.ts'
import { invalidVectors, recode, validVectors } from './vectors.ts'
import type { Vector } from './vectors.ts'

const root = new URL(import.meta.url.includes('/dist/') ? '../../../protocols/chain/vectors/' : '../../protocols/chain/vectors/', import.meta.url)

async function stored (name: string, made: Vector[]): Promise<Vector[]> {
  const url = new URL(name, root)

  if (process.env.UPDATE_VECTORS === '1') {
    await writeFile(url, `${JSON.stringify({ vectors: made }, null, 2)}\n`)
  }

  const { vectors }: { vectors: Vector[] } = JSON.parse(await readFile(url, 'utf8'))
  return vectors
}

describe('vectors of protocols/chain', () => {
  it('are what this code writes', async () => {
    assert.deepEqual(await stored('valid.json', validVectors()), validVectors())
    assert.deepEqual(await stored('invalid.json', invalidVectors()), invalidVectors())
  })

  it('decode and encode to the same bytes', async () => {
    for (const { codec, bytes } of await stored('valid.json', validVectors())) {
      assert.equal(toHex(recode[codec](fromHex(bytes))), bytes)
    }
  })

  it('are refused with their code if they are invalid', async () => {
    for (const { codec, bytes, code, name } of await stored('invalid.json', invalidVectors())) {
      assert.throws(() => recode[codec](fromHex(bytes)), error => error instanceof DatanetError && error.code === code, name)
    }
  })
})
