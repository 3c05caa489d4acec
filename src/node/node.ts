import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { assessor } from '../assessment/index.ts'
import { columns, validator } from '../attestation/index.ts'
import { datanets } from '../datanets/index.ts'
import { network } from '../gossip/index.ts'
import { readContribution } from '../ledger/index.ts'
import { gateway, modelLibrary, payer, reclaiming } from '../serving/index.ts'
import { chain, reporting } from '../settlement/index.ts'
import { storage } from '../storage/index.ts'
import { training } from '../training/index.ts'
import { genesisCodec } from '../wire/index.ts'
import { adapterIndex } from './adapters-index.ts'
import { answers } from './answers.ts'
import { importBase, shippedBase } from './base-model.ts'
import { citations } from './citations.ts'
import { readConfig } from './config.ts'
import { GENESIS_BYTES_MAX } from './constants.ts'
import { dataset } from './dataset.ts'
import { DataDirError } from './errors.ts'
import { nodeEvents } from './events.ts'
import { forkReports, serveForkReports } from './fork-reports.ts'
import { founderStake } from './founder-stake.ts'
import { openKeychain } from './keychain.ts'
import { retrieval } from './retrieval.ts'
import { signingFile } from './signing-file.ts'
import { trainings } from './trainings.ts'
import type { AdapterIndex } from './adapters-index.ts'
import type { Answers } from './answers.ts'
import type { Citations } from './citations.ts'
import type { NodeConfig } from './config.ts'
import type { NodeEvents } from './events.ts'
import type { ForkReports } from './fork-reports.ts'
import type { Keychain } from './keychain.ts'
import type { Retrieval } from './retrieval.ts'
import type { Trainings } from './trainings.ts'
import type { Assessor } from '../assessment/index.ts'
import type { Columns } from '../attestation/index.ts'
import type { Datanets } from '../datanets/index.ts'
import type { Network } from '../gossip/index.ts'
import type { Genesis, Role, Startable } from '../interface/index.ts'
import type { Gateway, ModelLibrary, Payer } from '../serving/index.ts'
import type { Chain } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Training } from '../training/index.ts'

/** Everything that runs in one node, wired together. */
export interface DatanetNode extends Startable {
  readonly config: NodeConfig
  readonly genesis: Genesis
  readonly keychain: Keychain
  readonly network: Network
  readonly storage: Storage
  readonly chain: Chain
  readonly datanets: Datanets
  readonly training: Training
  readonly trainings: Trainings
  readonly library: ModelLibrary
  /** what is published, by what people look for */
  readonly adapters: AdapterIndex
  readonly payer: Payer
  readonly answers: Answers
  readonly citations: Citations
  readonly retrieval: Retrieval
  /** of adapters' influence Jacobians, as the swarm computes them */
  readonly columns: Columns
  /** only with the role "assessor" */
  readonly assessor?: Assessor
  /** only with the role "gateway" */
  readonly gateway?: Gateway
  readonly events: NodeEvents
  /** light clients' evidence, over HTTP and streams */
  readonly forks: ForkReports
  /** the node's state on disk; open between `start` and `stop` */
  readonly db: Level
}

export interface NodeInit {
  dataDir: string
  /** multiaddrs to join by beside those of the configuration */
  bootstrap?: string[]
  /** epochs whose blocks are kept, instead of what the configuration says */
  keepEpochs?: number
}

/**
 * Composes the node that a data directory describes. Nothing runs before `start()`.
 *
 * @example
 * ```ts
 * const node = await openNode({ dataDir: '/var/lib/datanet' })
 * await node.start()
 * ```
 */
export async function openNode ({ dataDir, bootstrap = [], keepEpochs }: NodeInit): Promise<DatanetNode> {
  const written = await readConfig(dataDir)
  const config = { ...written, bootstrap: [...written.bootstrap, ...bootstrap], keepEpochs: keepEpochs ?? written.keepEpochs }
  const keychain = await openKeychain(dataDir)
  const genesis = await readGenesis(dataDir)
  const db = new Level(join(dataDir, 'state'))

  return compose({ config, keychain, genesis, db, dataDir })
}

/** The genesis that a data directory was initialised with. */
export async function readGenesis (dataDir: string): Promise<Genesis> {
  const path = join(dataDir, 'genesis.cbor')
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new DataDirError(`expected the genesis of a chain in ${path}`, { cause, hint: 'run `datanet init`, with --genesis to join a network that exists' })
  })

  if (bytes.byteLength > GENESIS_BYTES_MAX) {
    throw new DataDirError(`${path} should have at most ${GENESIS_BYTES_MAX} bytes but has ${bytes.byteLength}`)
  }

  return genesisCodec.decode(new Uint8Array(bytes))
}

interface Parts {
  config: NodeConfig
  keychain: Keychain
  genesis: Genesis
  db: Level
  dataDir: string
}

function compose (parts: Parts): DatanetNode {
  const { config, keychain, genesis, db, dataDir } = parts
  const has = (role: Role): boolean => config.roles.includes(role)
  const signer = keychain.signer(config.account)

  const net = network({ privateKeySeed: keychain.secret('peer'), listen: config.listen, bootstrap: config.bootstrap })({})
  const store = storage({ dataDir: join(dataDir, 'blocks') })({ network: net })
  const ledger = chain({ genesis, keepEpochs: config.keepEpochs, ...(has('validator') ? { blsSecretKey: keychain.bls(), signer } : {}) })({ network: net, db })
  const nets = datanets({ follow: 'all' })({ storage: store, chain: ledger, network: net })
  const jobs = training({ threads: config.threads })({ storage: store, dataset: dataset(nets), commitmentOf: cid => readContribution(ledger.state(), cid) })
  const library = modelLibrary()({ storage: store })
  const events = nodeEvents({ chain: ledger, network: net })
  const shop = has('gateway') ? gateway({ signer, secret: keychain.secret('receipts'), onError: error => { events.tell({ type: 'log', level: 'warn', message: error.message }) } })({ network: net, chain: ledger, library, db }) : undefined

  const seat = has('assessor') ? assessor({ signer, onEvent: events.assessor })({ network: net, chain: ledger, storage: store, training: jobs, gateway: shop, db }) : undefined

  const shared = columns({ columnsMax: config.columnsPerAdapter })({ chain: ledger, network: net, storage: store, db, ...(has('validator') || has('assessor') ? { compute: jobs, signer } : {}) })

  const optional: Array<Startable | undefined> = [
    has('validator') ? events.watch(validator()({ storage: store, datanets: nets, chain: ledger, signer, adapterCheck: jobs })) : undefined,
    seat,
    seat == null ? undefined : founderStake({ genesis, signer })({ chain: ledger, events }),
    shop
  ]
  const queue = trainings({ signer: name => keychain.signer(name), onChange: events.training })({ training: jobs, datanets: nets, storage: store, chain: ledger, db })

  const wallet = payer({ network: net, chain: ledger, library, db, gateway: shop })
  const refunds = reclaiming({
    signers: () => keychain.names().map(name => keychain.signer(name)),
    onError: error => { events.tell({ type: 'log', level: 'warn', message: error.message }) }
  })({ chain: ledger, payer: wallet })

  const forks = forkReports({ chain: ledger, signer })
  const reports = reporting({ signer, onError: error => { events.tell({ type: 'log', level: 'warn', message: `could not report a validator that signed twice: ${error.message}` }) } })({ chain: ledger })

  const quotes = citations({ db, storage: store, datanets: nets, chain: ledger, network: net })
  const published = adapterIndex({ chain: ledger, storage: store })
  const services: Startable[] = [net, store, baseModel(store), ...(has('validator') ? [signingFile(dataDir)({ chain: ledger })] : []), ledger, nets, jobs, events.watchColumns(shared), ...optional.filter(service => service != null), refunds, reports, queue, published, events]

  return {
    config,
    genesis,
    keychain,
    network: net,
    storage: store,
    chain: ledger,
    datanets: nets,
    training: jobs,
    trainings: queue,
    library,
    adapters: published,
    payer: wallet,
    answers: answers(db),
    retrieval: retrieval({ datanets: nets, chain: ledger }),
    citations: quotes,
    columns: shared,
    assessor: seat,
    gateway: shop,
    events,
    forks,
    db,
    ...lifecycle(services, db, once(() => {
      ledger.serveQueries()
      quotes.serve()
      serveForkReports(net, ledger.id, forks)
    }))
  }
}

/** A network has no way back from a registration. */
function once (work: () => void): () => void {
  let done = false

  return () => {
    if (!done) {
      done = true
      work()
    }
  }
}

/** Starts services in order and stops them in the reverse one; what was started is stopped if a later one fails. */
function lifecycle (services: Startable[], db: Level, onStarted: () => void): Startable {
  let started: Startable[] = []

  const stop: Startable['stop'] = async options => {
    const failures: unknown[] = []

    for (const service of started.reverse()) {
      await service.stop(options).catch((err: unknown) => { failures.push(err) })
    }

    started = []
    await db.close()

    if (failures.length > 0) {
      throw new AggregateError(failures, 'not every service stopped')
    }
  }

  return {
    stop,
    async start (options) {
      if (started.length > 0) {
        return
      }

      await db.open().catch((cause: unknown) => {
        throw new DataDirError('the data directory is in use by another process, or damaged', { cause, hint: 'stop the other node first' })
      })

      try {
        for (const service of services) {
          options?.signal?.throwIfAborted()
          await service.start(options)
          started.push(service)
        }
      } catch (err) {
        await stop().catch(() => {})
        throw err
      }

      onStarted()
    }
  }
}

/** Has the shipped base model in the store before anything asks for it. */
function baseModel (store: Storage): Startable {
  return {
    async start () {
      await importBase(store, await shippedBase())
    },
    async stop () {}
  }
}
