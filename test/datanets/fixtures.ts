import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TypedEventEmitter } from 'main-event'
import { datanets } from '../../src/datanets/index.ts'
import { network } from '../../src/gossip/index.ts'
import { signRecord } from '../../src/identity/index.ts'
import { executeBlock, genesisState, readAccount } from '../../src/ledger/index.ts'
import { storage } from '../../src/storage/index.ts'
import { domains, headerHash, transactionCodec } from '../../src/wire/index.ts'
import { CHAIN, genesis, validators } from '../ledger/network.ts'
import type { Datanets, DatanetsChain, DatanetsEvents, DatanetsInit, NewDatanet } from '../../src/datanets/index.ts'
import type { Network } from '../../src/gossip/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { AbortOptions, FinalisedBlock, Header, Row, Signed, Transaction, TransactionBody, TransactionResult } from '../../src/interface/index.ts'
import type { LedgerState } from '../../src/ledger/index.ts'
import type { SettlementEvents } from '../../src/settlement/index.ts'
import type { Storage, StorageInit } from '../../src/storage/index.ts'

/** A chain of one process on the real ledger: each transaction is a block, final at once. */
export class LedgerChain extends TypedEventEmitter<SettlementEvents> implements DatanetsChain {
  readonly id = CHAIN
  readonly sent: TransactionBody[] = []
  /** what happens is told to nobody until `leap` */
  passedOver = false
  #state: LedgerState = genesisState(genesis())

  state (): LedgerState {
    return this.#state
  }

  async send (body: TransactionBody, signer: Signer): Promise<TransactionResult> {
    const payload: Transaction = { type: 'transaction', version: 1, chain: CHAIN, nonce: readAccount(this.#state, signer.account).nonce, fee: 0n, body }
    this.sent.push(body)
    const [result] = this.block([signRecord(domains.transaction, transactionCodec, payload, signer)])
    return result
  }

  async waitFor<T> (predicate: (state: LedgerState, height: number) => T | undefined | false | null, options?: AbortOptions): Promise<T> {
    for (;;) {
      const found = predicate(this.#state, this.#state.height)
      if (found !== undefined && found !== false && found !== null) {
        return found
      }
      await once(this, 'block', { signal: options?.signal })
    }
  }

  block (transactions: Array<Signed<Transaction>>): TransactionResult[] {
    const height = this.#state.height + 1
    const proposer = validators[height % 4].account
    const beaconSignature = new Uint8Array(96).fill(height)
    const { state, results, events } = executeBlock(this.#state, { height, parent: new Uint8Array(32), proposer, beaconSignature, transactions })
    this.#state = state
    const none = new Uint8Array(32)
    const header: Header = {
      type: 'header', version: 1, chain: CHAIN, era: 0, height, view: height, parent: none, proposer, bodyRoot: none, outcomesRoot: none, stateRoot: none, validatorsHash: none
    }
    const detail: FinalisedBlock = {
      block: { header, beaconSignature, transactions },
      hash: headerHash(header),
      certificate: { kind: 'finalize', era: 0, view: height, blockHash: none, signers: Uint8Array.of(15), signature: new Uint8Array(96) },
      results,
      events
    }
    if (!this.passedOver) {
      this.safeDispatchEvent('block', { detail })
    }
    return results
  }

  /** As of a node that went on from a snapshot: the blocks before were never there. */
  leap (): void {
    this.passedOver = false
    this.safeDispatchEvent('leap', { detail: this.#state.height })
  }
}

export interface TestNode {
  network: Network
  store: Storage
  nets: Datanets
}

/** Nodes on loopback that share a chain; `end` stops them all. */
export class Swarm {
  readonly chain = new LedgerChain()
  readonly #cleanups: Array<() => Promise<unknown>> = []
  #first?: TestNode

  async node (init: DatanetsInit = {}, storageInit: StorageInit = {}): Promise<TestNode> {
    const net = network({ bootstrap: this.#first?.network.addresses().map(String) ?? [] })({})
    await net.start()
    this.onEnd(async () => net.stop())
    const store = storage(storageInit)({ network: net })
    await store.start()
    this.onEnd(async () => store.stop())
    const nets = datanets(init)({ storage: store, chain: this.chain, network: net })
    await nets.start()
    this.onEnd(async () => nets.stop())
    const node = { network: net, store, nets }
    if (this.#first !== undefined) {
      await net.connect(String(this.#first.network.addresses()[0]))
    }
    this.#first ??= node
    return node
  }

  async folder (): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'datanet-datanets-'))
    this.onEnd(async () => rm(path, { recursive: true, force: true }))
    return path
  }

  onEnd (cleanup: () => Promise<unknown>): void {
    this.#cleanups.push(cleanup)
  }

  async end (): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) {
      await cleanup()
    }
  }
}

/** The next event of a kind for which the test holds. */
export const nextEvent = async <K extends keyof DatanetsEvents> (nets: Datanets, type: K, test: (detail: DatanetsEvents[K]['detail']) => boolean = () => true): Promise<DatanetsEvents[K]['detail']> =>
  new Promise(resolve => {
    const listener = (event: DatanetsEvents[K]): void => {
      if (test(event.detail)) {
        nets.removeEventListener(type, listener as EventListener)
        resolve(event.detail)
      }
    }
    nets.addEventListener(type, listener as EventListener)
  })

export const speeches: NewDatanet = {
  name: 'speeches',
  title: 'Speeches',
  description: 'What presidents said.',
  licence: 'CC0-1.0',
  fields: [
    { name: 'text', type: 'string', required: true },
    { name: 'year', type: 'integer', required: false }
  ],
  textField: 'text',
  admission: { rowsMin: 1, rowsMax: 10_000, duplicatesPermilleMax: 200, piiPermilleMax: 0, qualityPermilleMin: 500 }
}

const NOUNS = 'harvest treaty commerce senate navy railway frontier election treasury senator border tariff railroad winter harbour canal colony people law peace'.split(' ')
const VERBS = 'strengthens requires delays promises threatens rewards follows divides supports crosses'.split(' ')

/** Prose-like rows that differ by their seed. */
export const prose = (count: number, seed: number): Row[] => Array.from({ length: count }, (_, index) => {
  let x = seed * 7919 + index * 104729 + 1
  const pick = (list: string[]): string => {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0
    return list[(x >>> 8) % list.length]
  }
  const sentence = (): string => `The ${pick(NOUNS)} of the ${pick(NOUNS)} ${pick(VERBS)} every ${pick(NOUNS)} while our ${pick(NOUNS)} ${pick(VERBS)} the ${pick(NOUNS)}.`
  return { text: [sentence(), sentence(), sentence(), sentence()].join(' '), year: 1790 + (seed % 200) }
})
