import { expect } from 'aegir/chai'
import { modelLibrary, prefetching, readColumns } from '../../src/serving/index.ts'
import { market } from './fixtures.ts'
import type { Market } from './fixtures.ts'
import type { ModelLibrary } from '../../src/serving/index.ts'

describe('adapters in memory', () => {
  let here: Market

  before(async () => { here = await market() })
  after(async () => here.clean())

  const empty = (bytesMax?: number): ModelLibrary => modelLibrary({ bytesMax })({ storage: here.here.storage })
  const names = (library: ModelLibrary): string[] => library.loaded().map(({ cid }) => cid.toString())

  it('are fetched before somebody asks, once they are admitted', async () => {
    const library = empty()

    expect(library.loaded()).to.deep.equal([])
    await prefetching({ chain: here.chain, library }).look()
    expect(names(library)).to.deep.equal([here.adapter.toString()])
    expect(library.loaded()[0].bytes).to.be.above(0)
  })

  it('are not fetched ahead any more once they have their share of the room', async () => {
    const asked: string[] = []
    const library = {
      loaded: () => [{ cid: here.adapter, bytes: 2 ** 31, pinned: false }],
      adapter: async (): Promise<never> => { asked.push('fetched'); return Promise.reject(new RangeError('expected no request')) }
    }

    await prefetching({ chain: here.chain, library }).look()
    expect(asked).to.deep.equal([])
  })

  it('come without columns that would take all of it, and these are not even read', async () => {
    const files = Array.from({ length: 1_024 }, () => here.adapter)
    const getFile = async (): Promise<never> => Promise.reject(new RangeError('expected no request'))

    expect(await readColumns({ getFile }, files, files.length, 1_000_000)).to.be.null()
    await expect(readColumns({ getFile }, files, files.length, 1_000)).to.eventually.be.rejectedWith(RangeError)
  })

  it('stay when they are pinned, and go when they are evicted or others need their room', async () => {
    const other = await here.admit({ name: 'another' })
    const library = empty(1)

    await library.pin(here.adapter)
    await library.adapter(other)
    expect(library.loaded().map(({ pinned }) => pinned)).to.deep.equal([false, true])
    expect([library.evict(here.adapter), library.evict(here.adapter)]).to.deep.equal([true, false])
    expect(names(library)).to.deep.equal([other.toString()])
    await library.adapter(here.adapter)
    expect(names(library)).to.deep.equal([here.adapter.toString()])
  })
})
