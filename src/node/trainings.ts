import { randomUUID } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { enterSubject } from '../datanets/index.ts'
import { signRecord } from '../identity/index.ts'
import { readAdapter, readChain, readContribution } from '../ledger/index.ts'
import { RECORD_BYTES_MAX, adapterCodec, baseModelCodec, cidOf, domains, signedCodec, snapshotCodec } from '../wire/index.ts'
import { TRAININGS_KEPT_MAX, TRAININGS_QUEUED_MAX } from './constants.ts'
import { ConfigError, NotFoundError } from './errors.ts'
import { estimateView, recipeOfRequest, stepsOf } from './training-recipe.ts'
import type { Datanets } from '../datanets/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Adapter, Price, Recipe, Startable, TrainingEstimateView, TrainingRequest, TrainingView } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Training, TrainingEvent, ResumePoint } from '../training/index.ts'
import type { Level } from 'level'

export interface TrainingsComponents {
  training: Pick<Training, 'train' | 'estimate'>
  datanets: Pick<Datanets, 'snapshot'>
  storage: Pick<Storage, 'put' | 'get'>
  chain: SettlementBackend
  db: Level
}

export interface TrainingsInit {
  /** the developer's account of a job by its name in the keychain */
  signer (name: string): Signer
  onChange? (view: TrainingView): void
}

/** What is on disk of a job: enough to go on with it after a crash. */
interface Job {
  view: TrainingView
  /** place in the queue: counts the jobs that were ever added */
  place: number
  request: TrainingRequest
  account: string
  pricePerThousandTokens: string
  promptPricePerThousandTokens?: string
  /** CID of the snapshot that the job was given when it began */
  snapshot?: string
  resume?: { checkpoints: string[], lossMicro: number[], columns?: string[] }
}

export interface StartTraining extends Price {
  request: TrainingRequest
  /** name in the keychain */
  account: string
}

/** Fine-tuning jobs of this node: one at a time, durable, resumable to the same bytes. */
export interface Trainings extends Startable {
  add (training: StartTraining): Promise<TrainingView>
  /** Work, time, memory and disk of a training that is not added. */
  estimate (request: TrainingRequest, options?: AbortOptions): Promise<TrainingEstimateView>
  list (): TrainingView[]
  /** @throws {NotFoundError} */
  get (id: string): TrainingView
  cancel (id: string): Promise<TrainingView>
}

const unfinished = new Set<TrainingView['state']>(['queued', 'training', 'influence', 'publishing', 'attesting'])

export function trainings (init: TrainingsInit): (components: TrainingsComponents) => Trainings {
  return components => new TrainingsService(init, components)
}

class TrainingsService implements Trainings {
  private readonly init: TrainingsInit
  private readonly components: TrainingsComponents
  private readonly store
  private readonly jobs = new Map<string, Job>()
  private readonly controllers = new Map<string, AbortController>()
  private running: Promise<void> | undefined
  private writes = Promise.resolve()
  private stopping = new AbortController()
  private started = false

  constructor (init: TrainingsInit, components: TrainingsComponents) {
    this.init = init
    this.components = components
    this.store = components.db.sublevel<string, Job>('trainings', { valueEncoding: 'json' })
  }

  async start (): Promise<void> {
    if (this.started) {
      return
    }

    this.started = true
    this.stopping = new AbortController()

    for (const job of (await this.store.values().all()).sort((a, b) => a.place - b.place)) {
      this.jobs.set(job.view.id, job)
    }

    this.next()
  }

  async stop (): Promise<void> {
    this.started = false
    this.stopping.abort()
    await this.running
    await this.writes
  }

  async add ({ request, account, pricePerThousandTokens, promptPricePerThousandTokens }: StartTraining): Promise<TrainingView> {
    const steps = stepsOf(request)

    if ([...this.jobs.values()].filter(({ view }) => unfinished.has(view.state)).length >= TRAININGS_QUEUED_MAX) {
      throw new ConfigError(`${TRAININGS_QUEUED_MAX} trainings wait already`, { hint: 'cancel one, or wait for the first to end' })
    }

    // fails now rather than in an hour
    this.init.signer(account)
    request.datanets.forEach(datanet => CID.parse(datanet))

    const id = randomUUID()
    const view: TrainingView = { id, name: request.name, state: 'queued', step: 0, steps, losses: [], progress: 0 }

    const place = 1 + Math.max(0, ...[...this.jobs.values()].map(job => job.place))

    await this.save({ view, place, request, account, pricePerThousandTokens: pricePerThousandTokens.toString(), promptPricePerThousandTokens: promptPricePerThousandTokens?.toString() })
    this.next()

    return view
  }

  async estimate (request: TrainingRequest, options: AbortOptions = {}): Promise<TrainingEstimateView> {
    stepsOf(request)

    const { chain, datanets, training } = this.components
    const { cid, snapshot } = await datanets.snapshot(request.datanets.map(datanet => CID.parse(datanet)), options)
    const recipe = await this.recipe(request, cid, options)
    const state = chain.state()
    const rows = snapshot.contributions.reduce((sum, contribution) => sum + (readContribution(state, contribution)?.rows ?? 0), 0)

    return estimateView(recipe, await training.estimate(recipe, { ...options, calibrate: true, method: request.method, rows }))
  }

  list (): TrainingView[] {
    return [...this.jobs.values()].map(job => job.view)
  }

  get (id: string): TrainingView {
    return this.job(id).view
  }

  async cancel (id: string): Promise<TrainingView> {
    const job = this.job(id)

    if (unfinished.has(job.view.state)) {
      await this.update(job, { state: 'cancelled' })
      this.controllers.get(id)?.abort()
    }

    return job.view
  }

  private job (id: string): Job {
    const job = this.jobs.get(id)

    if (job == null) {
      throw new NotFoundError('training', id)
    }

    return job
  }

  private next (): void {
    if (!this.started || this.running != null) {
      return
    }

    const job = [...this.jobs.values()].find(({ view }) => unfinished.has(view.state))

    if (job != null) {
      this.running = this.run(job).finally(() => {
        this.running = undefined
        this.next()
      })
    }
  }

  private async run (job: Job): Promise<void> {
    const controller = new AbortController()
    const signal = AbortSignal.any([controller.signal, this.stopping.signal])

    this.controllers.set(job.view.id, controller)

    try {
      const adapter = await this.train(job, signal)
      const cid = await this.publish(job, adapter, signal)

      await this.update(job, { state: 'done', progress: 1, adapter: cid.toString(), secondsLeft: 0 })
    } catch (err) {
      // stopped or cancelled: it goes on at the next start, or not at all
      if (!signal.aborted) {
        const { code = 'ERR_TRAINING', message } = err as Error & { code?: string }
        await this.update(job, { state: 'failed', error: { code, message } })
      }
    } finally {
      this.controllers.delete(job.view.id)
    }
  }

  private async recipe (request: TrainingRequest, snapshot: CID, { signal }: AbortOptions): Promise<Recipe> {
    const { config } = baseModelCodec.decode(await this.components.storage.get(CID.parse(request.base), { signal, bytesMax: RECORD_BYTES_MAX }))

    return recipeOfRequest(request, snapshot, config)
  }

  private async train (job: Job, signal: AbortSignal): Promise<Adapter> {
    const { datanets, training } = this.components
    const { request } = job

    if (job.snapshot == null) {
      const { cid } = await datanets.snapshot(request.datanets.map(datanet => CID.parse(datanet)), { signal })
      job.snapshot = cid.toString()
    }

    const recipe = await this.recipe(request, CID.parse(job.snapshot), { signal })

    await this.update(job, { state: 'training', losses: (job.resume?.lossMicro ?? []).map(loss => loss / 1e6) })

    const resume: ResumePoint | undefined = job.resume == null
      ? undefined
      : {
          checkpoints: job.resume.checkpoints.map(cid => CID.parse(cid)),
          lossMicro: job.resume.lossMicro,
          ...(job.resume.columns == null ? {} : { columns: job.resume.columns.map(cid => CID.parse(cid)) })
        }

    const { adapter } = await training.train({
      name: request.name,
      recipe,
      developer: this.init.signer(job.account).account,
      method: request.method,
      pricePerThousandTokens: BigInt(job.pricePerThousandTokens),
      ...(job.promptPricePerThousandTokens == null ? {} : { promptPricePerThousandTokens: BigInt(job.promptPricePerThousandTokens) }),
      commitBlocks: readChain(this.components.chain.state()).params.commitBlocks,
      resume
    }, { signal, onProgress: event => { this.progress(job, event) } })

    return adapter
  }

  private async publish (job: Job, adapter: Adapter, signal: AbortSignal): Promise<CID> {
    const { chain, storage } = this.components
    const signer = this.init.signer(job.account)
    const bytes = signedCodec(adapterCodec).encode(signRecord(domains.adapter, adapterCodec, adapter, signer))
    const cid = cidOf(bytes)

    await this.update(job, { state: 'publishing', progress: 0 })
    await storage.put(bytes, { pin: true, signal })

    const { contributions } = snapshotCodec.decode(await storage.get(adapter.snapshot, { signal }))
    const { ok, code, message } = await enterSubject(chain, { kind: 'publish-adapter', adapter: cid, base: adapter.base, snapshot: adapter.snapshot, contributions }, signer, { signal })

    if (!ok) {
      throw new ConfigError(`the ledger refused the adapter: ${message ?? code ?? 'without a reason'}`)
    }

    await this.update(job, { state: 'attesting', progress: 0 })

    const status = await chain.waitFor(state => {
      const found = readAdapter(state, cid)?.status

      return found === 'pending' ? undefined : found
    }, { signal })

    if (status !== 'admitted') {
      throw new ConfigError('validators rejected the adapter: their spot check came to other bytes', { hint: 'train it again with the engine version that the network runs' })
    }

    return cid
  }

  private progress (job: Job, event: TrainingEvent): void {
    const { view } = job

    if (event.type === 'training:prepare') {
      this.updateLater(job, { secondsLeft: event.estimate.seconds, tokensPerSecond: event.estimate.tokensPerSecond })
    } else if (event.type === 'training:step') {
      view.losses = [...view.losses.slice(0, event.step - 1), event.loss]
      this.updateLater(job, { state: 'training', step: event.step, steps: event.steps, progress: event.step / event.steps, secondsLeft: event.secondsLeft, tokensPerSecond: event.tokensPerSecond })
    } else if (event.type === 'training:influence:progress') {
      this.updateLater(job, { state: 'influence', progress: event.done / event.total, secondsLeft: event.secondsLeft })
    } else if (event.type === 'training:checkpoint') {
      const { checkpoints, lossMicro, columns } = event.resume

      job.resume = { checkpoints: checkpoints.map(String), lossMicro, ...(columns == null ? {} : { columns: columns.map(String) }) }
      this.updateLater(job, {})
    }
  }

  private async update (job: Job, change: Partial<TrainingView>): Promise<void> {
    // a cancelled job stays cancelled whatever its last events say
    if (job.view.state === 'cancelled') {
      return
    }

    job.view = { ...job.view, ...change }
    await this.save(job)
  }

  /** For progress, which nobody waits for: what cannot be written now is written with the next change. */
  private updateLater (job: Job, change: Partial<TrainingView>): void {
    this.update(job, change).catch(() => {})
  }

  private async save (job: Job): Promise<void> {
    this.jobs.set(job.view.id, job)
    this.init.onChange?.(job.view)
    // one write after the other, so that a job's last state is the one on disk
    await this.write(async () => this.store.put(job.view.id, job))

    const finished = [...this.jobs.values()].filter(({ view }) => !unfinished.has(view.state))

    for (const { view } of finished.slice(0, Math.max(0, finished.length - TRAININGS_KEPT_MAX))) {
      this.jobs.delete(view.id)
      await this.write(async () => this.store.del(view.id))
    }
  }

  private async write (work: () => Promise<void>): Promise<void> {
    const done = this.writes.then(work)

    this.writes = done.catch(() => {})

    return done
  }
}
