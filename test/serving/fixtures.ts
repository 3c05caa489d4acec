import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { network } from '../../src/gossip/index.ts'
import { bls, blsSecretKey, deriveSeed, ed25519Signer, signRecord } from '../../src/identity/index.ts'
import { gateway, modelLibrary, payer } from '../../src/serving/index.ts'
import { chain } from '../../src/settlement/index.ts'
import { training } from '../../src/training/index.ts'
import { adapterCodec, cidOf, compareBytes, domains, signedCodec } from '../../src/wire/index.ts'
import { world } from '../training/fixtures.ts'
import type { Network } from '../../src/gossip/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Adapter, Genesis, NetworkParams, TransactionBody } from '../../src/interface/index.ts'
import type { AskOptions, Gateway, ModelLibrary, Payer } from '../../src/serving/index.ts'
import type { Chain, FinalisedTransaction } from '../../src/settlement/index.ts'
import type { World } from '../training/fixtures.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

export const OPEN = 10n ** 18n
export const PRICE = 10n ** 15n
export const SAMPLER = { temperatureMilli: 0, topK: 0, seed: 0 }

export const signer = (name: string): Signer => ed25519Signer(deriveSeed('serving tests', name))
export const signal = (ms = 30_000): AbortSignal => AbortSignal.timeout(ms)

export const validator = signer('validator')
export const [alice, bob, carol, developer, baseDeveloper, treasury, shopkeeper, poor] =
  ['alice', 'bob', 'carol', 'developer', 'base', 'treasury', 'gateway', 'poor'].map(signer)
/** accounts with some OPEN; each test takes fresh ones, so that no channel is left over from another */
export const people = Array.from({ length: 40 }, (_, i) => signer(`person/${i}`))
export const assessors = Array.from({ length: 7 }, (_, i) => signer(`assessor/${i}`))

/** A node's network, store and peers, as far as paid answers go. */
export interface Peer {
  net: Network
  db: Level
  folder: string
  stop (): Promise<void>
}

export interface Market {
  here: World
  genesis: Genesis
  chain: Chain
  library: ModelLibrary
  adapter: CID
  record: Adapter
  /** executes a transaction that must succeed */
  must (body: TransactionBody, who: Signer): Promise<FinalisedTransaction>
  /** trains, signs, publishes and has admitted another adapter */
  admit (overrides: Partial<Adapter>): Promise<CID>
  /** on the store of an earlier one if a folder is given; connected to nobody; `before` its network starts, and ends what it returns */
  peer (options?: { folder?: string, seed?: number }, before?: (net: Network, db: Level) => Promise<() => Promise<void>>): Promise<Peer>
  /** a gateway that serves on a peer of its own, by default with everybody's library */
  shop (options?: { folder?: string, seed?: number, who?: Signer, idleBlocks?: number, library?: ModelLibrary }): Promise<Peer & { gateway: Gateway }>
  /** a payer on a peer of its own, acquainted with these gateways */
  customer (gateways: Peer[], options?: { folder?: string }): Promise<Peer & { payer: Payer }>
  clean (): Promise<void>
}

const params: NetworkParams = {
  feeSplit: { platform: 1_000, developers: 2_000, validators: 2_000, data: 5_000 },
  epochBlocks: 10_000,
  commitBlocks: 200,
  revealBlocks: 100,
  openBlocks: 100,
  verdictBlocks: 100,
  challengeBlocks: 1,
  seats: 7,
  traceOpenings: 2,
  redrawsMax: 2,
  contributionDeposit: OPEN,
  adapterDeposit: OPEN,
  datanetDeposit: OPEN,
  assessorStakeMin: 100n * OPEN,
  slashWrong: 50n * OPEN,
  slashSilent: 5n * OPEN,
  challengeBond: 20n * OPEN,
  plantsPerEpoch: 1,
  plantReward: OPEN,
  votingDelayBlocks: 1,
  votingPeriodBlocks: 5,
  timelockBlocks: 2,
  quorumBp: 400,
  proposalThreshold: OPEN,
  feePerByte: 0n,
  feeProposerBp: 5_000,
  validatorsMax: 128,
  validatorStakeMin: 1n,
  unbondEpochs: 3
}

function genesisOf (base: CID, changed: Partial<NetworkParams>): Genesis {
  const secret = blsSecretKey(deriveSeed('serving tests', 'bls'))
  const holders = [validator, alice, bob, carol, developer, treasury, shopkeeper, ...people, ...assessors]

  return {
    type: 'genesis',
    version: 1,
    chain: 'market-1',
    validators: [{ account: validator.account, blsPublicKey: bls.publicKeyOf(secret), possession: bls.possess(secret), stake: 1_000n * OPEN }],
    balances: [...holders.map(({ account }) => ({ account, amount: 1_000n * OPEN })), { account: poor.account, amount: OPEN / 100n }]
      .toSorted((a, b) => compareBytes(a.account, b.account)),
    params: { ...params, ...changed },
    treasury: treasury.account,
    bases: [{ base, developer: baseDeveloper.account }]
  }
}

/** Connects one network to another and waits until each knows what the other speaks. */
export async function acquaint (net: Network, peer: Network): Promise<PeerId> {
  const { promise, resolve } = Promise.withResolvers<PeerId>()
  const onIdentify = ({ detail }: CustomEvent<{ peerId: PeerId }>): void => {
    if (detail.peerId.equals(peer.peerId)) {
      resolve(detail.peerId)
    }
  }

  net.libp2p.addEventListener('peer:identify', onIdentify)
  await net.connect(peer.addresses()[0].toString(), { signal: signal() })
  await promise.finally(() => { net.libp2p.removeEventListener('peer:identify', onIdentify) })

  return peer.peerId
}

/**
 * A chain of one validator with a Datanet of three contributions and an adapter that was really
 * trained on them. Peers share the chain and the model store: what is tested is what they say to
 * each other.
 */
export async function market (changed: Partial<NetworkParams> = {}): Promise<Market> {
  const here = await world()
  const genesis = genesisOf(here.recipe.base, changed)
  const cleanups: Array<() => Promise<void>> = []
  const folders = new Set<string>()
  const library = modelLibrary()({ storage: here.storage })

  const peer = async ({ folder: given, seed }: { folder?: string, seed?: number } = {}, before?: (net: Network, db: Level) => Promise<() => Promise<void>>): Promise<Peer> => {
    const folder = given ?? await mkdtemp(join(tmpdir(), 'datanet-market-'))
    const db = new Level(folder)
    const net = network({ privateKeySeed: seed == null ? undefined : new Uint8Array(32).fill(seed), exchange: false })()
    let stopped: Promise<void> | undefined

    folders.add(folder)
    await db.open()

    const end = await before?.(net, db)
    const stop = async (): Promise<void> => {
      stopped ??= (async () => {
        await end?.()
        await net.stop()
        await db.close()
      })()

      return stopped
    }

    await net.start()
    cleanups.unshift(stop)

    return { net, db, folder, stop }
  }

  const home = await peer()
  const ledger = chain({
    genesis, blsSecretKey: blsSecretKey(deriveSeed('serving tests', 'bls')), signer: validator, times: { blockIntervalMsMin: 10, idleIntervalMs: 60 }
  })({ network: home.net, db: home.db })

  await ledger.start()
  cleanups.unshift(async () => ledger.stop())

  const must = async (body: TransactionBody, who: Signer): Promise<FinalisedTransaction> => {
    const result = await ledger.send(body, who, { signal: signal() })

    if (!result.ok) {
      throw new RangeError(`${body.kind} was refused: ${result.code ?? ''} ${result.message ?? ''}`)
    }

    return result
  }

  const [datanet] = here.snapshot.datanets
  const jobs = training({ threads: 1 })(here.components)
  const { adapter: trained } = await jobs.train({ name: 'tiny', recipe: here.recipe, developer: developer.account, pricePerThousandTokens: PRICE, influence: 'reverse' })

  const admit = async (overrides: Partial<Adapter>): Promise<CID> => {
    const signed = signRecord(domains.adapter, adapterCodec, { ...trained, ...overrides }, developer)
    const adapter = await here.storage.put(signedCodec(adapterCodec).encode(signed))

    await must({ kind: 'publish-adapter', adapter, base: trained.base, snapshot: trained.snapshot, contributions: here.snapshot.contributions }, developer)
    await must({ kind: 'attest', subject: adapter, owner: developer.account, verdict: 'admit', attestation: cidOf(Uint8Array.of(1)) }, validator)

    return adapter
  }

  await must({ kind: 'create-datanet', datanet, name: 'tiny' }, alice)
  await Promise.all(here.snapshot.contributions.map(async (contribution, i) => {
    const contributor = [alice, bob, carol][i]

    await must({ kind: 'contribute', datanet, contribution, rows: 6, bytes: 400, shards: 1 }, contributor)
    await must({ kind: 'attest', subject: contribution, owner: contributor.account, verdict: 'admit', attestation: cidOf(Uint8Array.of(1)) }, validator)
  }))

  return {
    here,
    genesis,
    chain: ledger,
    library,
    record: trained,
    adapter: await admit({}),
    must,
    admit,
    peer,
    async shop ({ who = shopkeeper, idleBlocks, library: served = library, ...options } = {}) {
      let service: Gateway | undefined
      const made = await peer(options, async (net, db) => {
        service = gateway({ signer: who, idleBlocks, secret: new Uint8Array(32).fill(9) })({ network: net, chain: ledger, library: served, db })
        await service.start()

        return async () => service?.stop()
      })

      return { ...made, gateway: service as Gateway }
    },
    async customer (gateways, options) {
      const made = await peer(options)

      for (const { net } of gateways) {
        await acquaint(made.net, net)
      }

      return { ...made, payer: payer({ network: made.net, chain: ledger, library, db: made.db }) }
    },
    async clean () {
      for (const cleanup of cleanups) {
        await cleanup()
      }

      await Promise.all([...folders].map(async folder => rm(folder, { recursive: true, force: true })))
    }
  }
}

export const question = (adapter: CID, prompt = 'the state of', maxTokens = 6): AskOptions => ({ adapter, prompt, maxTokens, sampler: SAMPLER })
