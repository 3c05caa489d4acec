import { expect } from 'aegir/chai'
import { influenceOfAnswer } from '../../src/attribution/index.ts'
import { training } from '../../src/training/index.ts'
import { recipeCodec } from '../../src/wire/index.ts'
import { world } from './fixtures.ts'
import type { Recipe } from '../../src/interface/index.ts'

describe('columns of a Jacobian', function () {
  this.timeout(60_000)

  /** The columns of all three contributions, computed as the swarm does; `rows` says what each has. */
  const columnsOf = async (overrides: Partial<Recipe>, rows: (own: string[], index: number) => string[] = own => own): Promise<Float64Array[]> => {
    const here = await world(overrides)
    const own = here.snapshot.contributions.map(cid => here.components.dataset.texts(cid) as string[])
    const jobs = training({ threads: 1 })({
      ...here.components,
      dataset: { texts: cid => { const index = here.snapshot.contributions.findIndex(one => one.equals(cid)); return rows(own[index], index) } }
    })
    const files = await jobs.columns({ recipe: await here.storage.put(recipeCodec.encode(here.recipe)), method: 'trajectory', checkpoints: [] }, [0, 1, 2])

    return Promise.all(files.map(async file => {
      const bytes = await here.storage.get(file)

      return Float64Array.from({ length: bytes.byteLength / 8 }, (_, i) => new DataView(bytes.buffer, bytes.byteOffset).getFloat64(8 * i, true))
    }))
  }
  const size = (column: Float64Array): number => column.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

  it('are zero, and so is all that they say, where the run does not move', async () => {
    const columns = await columnsOf({ learningRateNano: 0 })

    expect(columns.map(size)).to.deep.equal([0, 0, 0])
    expect([...influenceOfAnswer(columns, new Float64Array(columns[0].length).fill(1))]).to.deep.equal([0, 0, 0])
  })

  it('are zero for a contribution without rows, and finite for the others', async () => {
    const columns = await columnsOf({}, (own, index) => index === 1 ? [] : own)

    expect(columns.map(column => size(column) > 0)).to.deep.equal([true, false, true])
    expect(columns.every(column => column.every(Number.isFinite))).to.equal(true)
  })

  it('are finite for one example alone, and for one example many times', async () => {
    for (const times of [1, 8]) {
      const columns = await columnsOf({}, (own, index) => index === 0 ? Array.from({ length: times }, () => own[0]) : [])

      expect(columns.every(column => column.every(Number.isFinite))).to.equal(true)
      expect(columns.slice(1).map(size)).to.deep.equal([0, 0])
    }
  })

  it('are none without data: the error is named', async () => {
    await expect(columnsOf({}, () => [])).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')
  })
})
