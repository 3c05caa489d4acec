import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { network } from '../../src/gossip/index.ts'
import { bls, blsSecretKey, deriveSeed, ed25519Signer, signRecord } from '../../src/identity/index.ts'
import { chain } from '../../src/settlement/index.ts'
import { domains, transactionCodec } from '../../src/wire/index.ts'
import type { Network, NetworkInit } from '../../src/gossip/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Genesis, Signed, Transaction, TransactionBody } from '../../src/interface/index.ts'
import type { Chain, ChainInit } from '../../src/settlement/index.ts'

export const CHAIN = 'test-1'

const seed = (path: string): Uint8Array => deriveSeed(new TextEncoder().encode('settlement tests'), path)

export const validatorSigner = (index: number): Signer => ed25519Signer(seed(`validator/${index}`))
export const validatorBls = (index: number): Uint8Array => blsSecretKey(seed(`bls/${index}`))

export const alice = ed25519Signer(seed('alice'))
export const bob = ed25519Signer(seed('bob'))
export const carol = ed25519Signer(seed('carol'))

/** Validators of equal stake; alice, bob and carol have 1,000 each. */
export const genesisOf = (validators: number): Genesis => ({
  type: 'genesis',
  version: 1,
  chain: CHAIN,
  validators: Array.from({ length: validators }, (_, index) => index).map(index => ({
    account: validatorSigner(index).account,
    blsPublicKey: bls.publicKeyOf(validatorBls(index)),
    possession: bls.possess(validatorBls(index)),
    stake: 100n
  })),
  balances: [alice, bob, carol].map(({ account }) => ({ account, amount: 1_000n })),
  params: {
    feeSplit: { platform: 1_000, developers: 2_000, validators: 2_000, data: 5_000 },
    epochBlocks: 10,
    commitBlocks: 10,
    revealBlocks: 10,
    openBlocks: 10,
    verdictBlocks: 10,
    challengeBlocks: 2,
    seats: 3,
    traceOpenings: 2,
    redrawsMax: 2,
    contributionDeposit: 10n,
    adapterDeposit: 10n,
    datanetDeposit: 10n,
    assessorStakeMin: 10n,
    slashWrong: 5n,
    slashSilent: 1n,
    challengeBond: 1n,
    plantsPerEpoch: 1,
    plantReward: 1n,
    votingDelayBlocks: 1,
    votingPeriodBlocks: 5,
    timelockBlocks: 2,
    quorumBp: 400,
    proposalThreshold: 1n,
    feePerByte: 0n,
    feeProposerBp: 5_000,
    validatorsMax: 128,
    validatorStakeMin: 1n,
    unbondEpochs: 3
  },
  treasury: ed25519Signer(seed('treasury')).account,
  bases: []
})

export const genesis = genesisOf(4)

export const sign = (body: TransactionBody, nonce: number, signer: Signer, chainId = CHAIN, fee = 0n): Signed<Transaction> => {
  return signRecord(domains.transaction, transactionCodec, { type: 'transaction', version: 1, chain: chainId, nonce, fee, body }, signer)
}

export interface TestNode {
  net: Network
  chain: Chain
  db: Level
  folder: string
  stop (): Promise<void>
}

export interface TestSwarm {
  /** a validator if an index is given, on the data of an earlier node if a folder is given */
  node (options?: { validator?: number, folder?: string, seed?: number, net?: Pick<NetworkInit, 'listen' | 'exchange'>, init?: Partial<ChainInit>, history?: unknown }): Promise<TestNode>
  clean (): Promise<void>
}

/** Nodes on loopback that find each other through the first one that runs. */
export function swarm (): TestSwarm {
  const running = new Set<TestNode>()
  const folders = new Set<string>()

  return {
    node: async ({ validator, folder: given, seed: keySeed, net: netInit, init, history } = {}) => {
      const folder = given ?? await mkdtemp(join(tmpdir(), 'datanet-chain-'))
      folders.add(folder)
      const [first] = running
      const db = new Level(folder)
      await db.open()
      const net = network({
        ...netInit,
        privateKeySeed: keySeed === undefined ? undefined : new Uint8Array(32).fill(keySeed),
        bootstrap: first === undefined ? [] : first.net.addresses().map(String)
      })()
      const keys = validator === undefined ? {} : { blsSecretKey: validatorBls(validator), signer: validatorSigner(validator) }
      const ledger = chain({ genesis, ...keys, times: { blockIntervalMsMin: 50, idleIntervalMs: 200, leaderTimeoutMs: 1_500, certificationTimeoutMs: 2_500, silentTimeoutMs: 500 }, ...init })({ network: net, db })
      ledger.serveQueries()
      if (history !== undefined) {
        await ledger.importSigningHistory(history)
      }
      await net.start()
      await ledger.start().catch(async (error: unknown) => {
        await ledger.stop()
        await net.stop()
        await db.close()
        throw error
      })
      const node: TestNode = {
        net,
        chain: ledger,
        db,
        folder,
        stop: async () => {
          if (running.delete(node)) {
            await ledger.stop()
            await net.stop()
            await db.close()
          }
        }
      }
      running.add(node)
      return node
    },
    clean: async () => {
      await Promise.all([...running].map(async node => node.stop()))
      await Promise.all([...folders].map(async folder => rm(folder, { recursive: true, force: true })))
      folders.clear()
    }
  }
}
