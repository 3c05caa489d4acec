import assert from 'node:assert/strict'
import { Level } from 'level'
import { swarm } from './fixtures.ts'

type Table = ReturnType<typeof tableOf>

// the layout is the store's own business, except for whoever wants to damage it
const tableOf = (db: Level, name: string): ReturnType<typeof chain.sublevel<string, Uint8Array>> => {
  const chain = db.sublevel<string, Uint8Array>('chain', { valueEncoding: 'view' })

  return chain.sublevel<string, Uint8Array>(name, { valueEncoding: 'view' })
}

describe('a validator whose disk lost a bit', function () {
  this.timeout(40_000)

  const nodes = swarm()

  after(async () => nodes.clean())

  /** Alone among four: it votes, and no vote becomes useless. */
  async function voter (): Promise<string> {
    const node = await nodes.node({ validator: 0, init: { times: { leaderTimeoutMs: 200, idleIntervalMs: 50, blockIntervalMsMin: 20 } } })

    while ((await node.chain.signingHistory()).view === 0) {
      await new Promise(resolve => { setImmediate(resolve) })
    }
    await node.stop()
    return node.folder
  }

  async function change (folder: string, name: string, apply: (table: Table) => Promise<void>): Promise<void> {
    const db = new Level(folder)
    await db.open()
    await apply(tableOf(db, name))
    await db.close()
  }

  /** Flips one bit of the value, from its end. */
  const flip = (matches: (key: string) => boolean, fromEnd: number) => async (table: Table): Promise<void> => {
    const key = (await table.keys().all()).find(matches)
    const bytes = key === undefined ? undefined : await table.get(key)

    assert.ok(key !== undefined && bytes !== undefined)
    const flipped = Uint8Array.from(bytes)
    flipped[flipped.length - fromEnd] ^= 0x04
    await table.put(key, flipped)
  }

  const isVote = (key: string): boolean => key.includes('-vote-')

  const DAMAGES: Array<[string, string, (table: Table) => Promise<void>]> = [
    ['in a vote', 'records', flip(isVote, 1)],
    ['in the checksum of a vote', 'records', flip(isVote, 150)],
    ['by which a vote is gone', 'records', async table => table.del((await table.keys().all()).find(isVote) ?? '')],
    ['by which a vote is another view\'s', 'records', async table => {
      const key = (await table.keys().all()).find(isVote) ?? ''
      const bytes = await table.get(key)

      assert.ok(bytes !== undefined)
      await table.del(key)
      await table.put(`${'9'.padStart(15, '0')}${key.slice(15)}`, bytes)
    }],
    ['in how far it signed', 'signing', flip(key => key === 'signed', 2)],
    ['by which it is gone how far it signed', 'signing', async table => table.del('signed')]
  ]

  for (const [what, table, apply] of DAMAGES) {
    it(`signs no more: ${what}`, async () => {
      const folder = await voter()

      await change(folder, table, apply)
      await assert.rejects(nodes.node({ validator: 0, folder }), { code: 'ERR_DAMAGED_VOTES' })
    })
  }

  it('goes on with a disk that is well', async () => {
    const folder = await voter()
    const before = await nodes.node({ validator: 0, folder })
    const { view } = await before.chain.signingHistory()

    assert.ok(view > 0)
    await before.stop()
  })
})
