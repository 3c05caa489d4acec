import { expect } from 'aegir/chai'
import { listAdapters } from '../../src/ledger/index.ts'
import { trainings } from '../../src/node/index.ts'
import { DatanetError } from '../../src/utils/index.ts'
import { recipeCodec } from '../../src/wire/index.ts'
import { attestBody } from '../ledger/network.ts'
import { developer, market, signal, validator } from '../serving/fixtures.ts'
import type { TrainingView } from '../../src/interface/index.ts'
import type { StartTraining, Trainings, TrainingsComponents } from '../../src/node/index.ts'
import type { ResumePoint, TrainingJob } from '../../src/training/index.ts'
import type { Market, Peer } from '../serving/fixtures.ts'
import type { CID } from 'multiformats/cid'

type Train = TrainingsComponents['training']['train']

/** The queue's own rules; the training of its jobs is directed by the tests. */
describe('the queue of trainings', () => {
  let here: Market
  let peer: Peer
  let queue: Trainings
  let views: TrainingView[]

  before(async () => { here = await market() })
  after(async () => here.clean())

  afterEach(async () => {
    await queue.stop()
    await peer.stop()
  })

  const point = (): ResumePoint => ({ checkpoints: here.record.checkpoints.slice(0, 1), lossMicro: here.record.lossMicro.slice(0, 2) })
  const request = (fields: Partial<StartTraining['request']> = {}): StartTraining => ({
    account: 'developer',
    pricePerThousandTokens: 5n,
    request: { name: 'mine', base: here.record.base.toString(), datanets: here.here.snapshot.datanets.map(String), preset: 'quick', ...fields }
  })

  async function open (train: Train, snapshots: CID[] = [here.record.snapshot], folder?: string): Promise<void> {
    peer = await here.peer({ folder })
    views = []
    queue = trainings({
      signer: name => name === 'developer' ? developer : expect.fail(`no account ${name}`),
      onChange: view => { views.push(view) }
    })({
      training: { train, estimate: async () => expect.fail('nobody asked') },
      datanets: { snapshot: async () => ({ cid: snapshots.shift() ?? expect.fail('one snapshot a job'), snapshot: here.here.snapshot }) },
      storage: here.here.storage,
      chain: here.chain,
      db: peer.db
    })
    await queue.start()
  }

  /** Waits until a job's view is as wanted. */
  async function until (id: string, state: TrainingView['state']): Promise<TrainingView> {
    return here.chain.waitFor(() => queue.get(id).state === state ? queue.get(id) : undefined, { signal: signal() })
  }

  const waiting: Train = async (_, options) => {
    options?.signal?.throwIfAborted()
    options?.onProgress?.({ type: 'training:checkpoint', step: 2, resume: point() })
    options?.onProgress?.({ type: 'training:step', step: 3, steps: 6, loss: 2.5, tokensPerSecond: 900, secondsLeft: 4 })

    return new Promise((resolve, reject) => { options?.signal?.addEventListener('abort', () => { reject(options.signal?.reason) }) })
  }

  it('publishes what was trained and waits for the validators', async () => {
    await open(async ({ name, pricePerThousandTokens, developer }) => ({ adapter: { ...here.record, name, pricePerThousandTokens, developer }, peftConfig: new Uint8Array() }))

    const { id, state } = await queue.add(request())

    expect(state).to.equal('queued')
    await until(id, 'attesting')

    const { adapter } = [...listAdapters(here.chain.state())].find(({ state: { status } }) => status === 'pending') ?? expect.fail('nothing was published')

    await here.must(attestBody(here.chain.state(), adapter), validator)
    expect(await until(id, 'done')).to.include({ adapter: adapter.toString(), progress: 1 })
    expect(views.map(view => view.state)).to.include.members(['queued', 'training', 'publishing', 'attesting', 'done'])
  })

  it('makes the recipe of a preset and its changes, without defaults that are spelled out', async () => {
    const { promise: begun, resolve } = Promise.withResolvers<TrainingJob>()

    await open(async (job, options) => {
      resolve(job)

      return waiting(job, options)
    })
    await queue.add(request({ rank: 2, recipe: { targets: ['v_proj', 'q_proj'], clipNormMicro: 500_000, schedule: 'constant', optimiser: 'adam', weightDecayNano: 0, examples: 'windows', duplicates: 'keep' } }))

    const { recipe } = await begun

    expect(recipe).to.deep.include({ rank: 2, alpha: 4, targets: ['q_proj', 'v_proj'], clipNormMicro: 500_000, schedule: 'constant', duplicates: 'keep' })
    expect(recipe).to.not.have.any.keys('optimiser', 'weightDecayNano', 'examples')
    expect(recipeCodec.decode(recipeCodec.encode(recipe))).to.deep.equal(recipe)
  })

  it('trains by the method of attribution that is asked for, and refuses one that does not exist before anything is trained', async () => {
    const { promise: begun, resolve } = Promise.withResolvers<TrainingJob>()

    await open(async (job, options) => {
      resolve(job)

      return waiting(job, options)
    })
    await expect(queue.add(request({ method: 'guessing' as 'tracin' }))).to.eventually.be.rejected.with.property('code', 'ERR_CONFIG')
    await queue.add(request({ method: 'tracin' }))
    expect((await begun).method).to.equal('tracin')
  })

  it('goes on after a restart from the last checkpoint, with the snapshot that the job began with', async () => {
    const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>()

    await open(async (...args) => {
      onBegun()

      return waiting(...args)
    })

    const { id } = await queue.add(request({ steps: 6, seed: 3 }))

    await begun
    await until(id, 'training')
    await queue.stop()
    await peer.stop()

    const { promise: resumed, resolve } = Promise.withResolvers<TrainingJob>()

    await open(async (job, options) => {
      resolve(job)

      return waiting(job, options)
    }, [], peer.folder)

    const job = await resumed

    expect(job.recipe).to.include({ seed: 3, steps: 6 })
    expect(job.recipe.snapshot.equals(here.record.snapshot)).to.equal(true)
    expect(job.resume).to.deep.equal(point())
    expect(queue.get(id).state).to.equal('training')
  })

  it('keeps the order in which jobs were added over a restart', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `job ${i}`)
    const snapshots = (): CID[] => names.map(() => here.record.snapshot)

    await open(waiting, snapshots())

    for (const name of names) {
      await queue.add(request({ name }))
    }

    await queue.stop()
    await peer.stop()
    await open(waiting, snapshots(), peer.folder)
    await queue.add(request({ name: 'job 6' }))
    expect(queue.list().map(({ name }) => name)).to.deep.equal([...names, 'job 6'])
  })

  it('runs one job at a time, and cancels the one that runs as well as one that waits', async () => {
    const names: string[] = []

    await open(async (job, options) => {
      names.push(job.name)

      return waiting(job, options)
    }, [here.record.snapshot, here.record.snapshot])

    const jobs = [await queue.add(request({ name: 'first' })), await queue.add(request({ name: 'second' })), await queue.add(request({ name: 'third' }))]

    expect((await queue.cancel(jobs[1].id)).state).to.equal('cancelled')
    await until(jobs[0].id, 'training')
    expect((await queue.cancel(jobs[0].id)).state).to.equal('cancelled')
    await until(jobs[2].id, 'training')
    expect(names).to.deep.equal(['first', 'third'])
    expect(queue.list().map(({ state }) => state)).to.have.members(['cancelled', 'cancelled', 'training'])
    expect((await queue.cancel(jobs[0].id)).state).to.equal('cancelled')
  })

  it('keeps the reason of a failure', async () => {
    await open(async () => { throw new DatanetError('ERR_DIVERGED', 'the loss is not finite') })

    const { id } = await queue.add(request())

    expect((await until(id, 'failed')).error).to.deep.equal({ code: 'ERR_DIVERGED', message: 'the loss is not finite' })
  })

  it('refuses what cannot be trained before it waits for its turn', async () => {
    await open(waiting)
    await expect(queue.add(request({ preset: 'none' }))).to.eventually.be.rejectedWith(/quick/).with.property('code', 'ERR_CONFIG')
    await expect(queue.add({ ...request(), account: 'nobody' })).to.eventually.be.rejectedWith(/nobody/)
    await expect(queue.cancel('none')).to.eventually.be.rejected.with.property('code', 'ERR_NOT_FOUND')
    expect(() => queue.get('none')).to.throw().with.property('code', 'ERR_NOT_FOUND')
    expect(queue.list()).to.be.empty()
  })
})
