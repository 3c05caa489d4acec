import { expect } from 'aegir/chai'
import { deriveSeed, ed25519Signer, signPayload, signRecord } from '../../src/identity/index.ts'
import { channelId, executeBlock, genesisState, readAccount, readChain, readOwner, readTask, readValidators, totalHoldings } from '../../src/ledger/index.ts'
import { assessmentCommit, chainTrace, resultStep, scoreTree, taskId, traceTree } from '../../src/scoring/index.ts'
import { cidOf, compareBytes, domains, equalBytes, hash, transactionCodec, utf8, voucherCodec } from '../../src/wire/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type {
  Genesis, Hash, LedgerEvent, NetworkParams, SeatState, Signed, TaskState, Transaction, TransactionBody, TransactionResult, Voucher
} from '../../src/interface/index.ts'
import type { LedgerState } from '../../src/ledger/index.ts'
import type { CID } from 'multiformats/cid'

export const CHAIN = 'test-1'
export const OPEN = 10n ** 18n

export const PARAMS: NetworkParams = {
  feeSplit: { platform: 1000, developers: 2000, validators: 2000, data: 5000 },
  epochBlocks: 4,
  commitBlocks: 3,
  revealBlocks: 3,
  openBlocks: 3,
  verdictBlocks: 3,
  challengeBlocks: 2,
  seats: 7,
  traceOpenings: 3,
  redrawsMax: 1,
  contributionDeposit: OPEN,
  adapterDeposit: 2n * OPEN,
  datanetDeposit: 3n * OPEN,
  assessorStakeMin: 100n * OPEN,
  slashWrong: 50n * OPEN,
  slashSilent: 10n * OPEN,
  challengeBond: 20n * OPEN,
  plantsPerEpoch: 0,
  plantReward: OPEN,
  votingDelayBlocks: 1,
  votingPeriodBlocks: 3,
  timelockBlocks: 2,
  quorumBp: 1000,
  proposalThreshold: 10n * OPEN,
  feePerByte: 0n,
  feeProposerBp: 5_000,
  validatorsMax: 128,
  validatorStakeMin: 1n,
  unbondEpochs: 3
}

export function signer (name: string): Signer {
  return ed25519Signer(deriveSeed('test', name))
}

export function cid (name: string): CID {
  return cidOf(utf8(name))
}

export function sorted (cids: CID[]): CID[] {
  return [...cids].sort((a, b) => compareBytes(a.bytes, b.bytes))
}

export const validators = ['v0', 'v1', 'v2', 'v3'].map(signer)
export const assessors = ['s0', 's1', 's2', 's3', 's4', 's5', 's6'].map(signer)
export const [alice, bob, carol, curator, developer, baseDeveloper, payer, gateway, treasury] =
  ['alice', 'bob', 'carol', 'curator', 'developer', 'base', 'payer', 'gateway', 'treasury'].map(signer)
export const base = cid('base')

export function genesis (params: Partial<NetworkParams> = {}): Genesis {
  const holders = [...assessors, alice, bob, carol, curator, developer, payer, gateway]

  return {
    type: 'genesis',
    version: 1,
    chain: CHAIN,
    validators: validators.map(({ account }, i) => ({
      account,
      blsPublicKey: new Uint8Array(96).fill(i + 1),
      possession: new Uint8Array(96).fill(i + 1),
      stake: 1000n * OPEN
    })),
    balances: holders.map(({ account }) => ({ account, amount: 10_000n * OPEN })).sort((a, b) => compareBytes(a.account, b.account)),
    params: { ...PARAMS, ...params },
    treasury: treasury.account,
    bases: [{ base, developer: baseDeveloper.account }]
  }
}

/** A verdict on the entry of a subject that is on the ledger now. */
export function attestBody (state: LedgerState, subject: CID, verdict: 'admit' | 'reject' = 'admit', attestation = cid('attestation')): TransactionBody {
  return { kind: 'attest', subject, owner: readOwner(state, subject) ?? NOBODY, verdict, attestation }
}

const NOBODY = signer('nobody').account

export type Request = [who: Signer, body: TransactionBody]

/** Stands for the hash of the header before; there are no headers here. */
export const parentOf = (height: number): Hash => new Uint8Array(32).fill(height - 1)

/** A chain of one process: executes blocks and checks after each that no OPEN came or went. */
export class Network {
  state: LedgerState
  readonly events: LedgerEvent[] = []

  constructor (params: Partial<NetworkParams> = {}) {
    this.state = genesisState(genesis(params))
  }

  sign (who: Signer, body: TransactionBody, nonce?: number, fee = 0n): Signed<Transaction> {
    const payload: Transaction = { type: 'transaction', version: 1, chain: CHAIN, nonce: nonce ?? readAccount(this.state, who.account).nonce, fee, body }

    return signRecord(domains.transaction, transactionCodec, payload, who)
  }

  /** Executes one block of signed transactions. Its proposer adds `mark` to the beacon. */
  execute (transactions: Array<Signed<Transaction>>, mark = this.state.height + 1): TransactionResult[] {
    const height = this.state.height + 1
    const set = readValidators(this.state)
    const { state, results, events } = executeBlock(this.state, {
      height,
      parent: parentOf(height),
      proposer: set[height % set.length].account,
      beaconSignature: new Uint8Array(96).fill(mark),
      transactions
    })

    this.state = state
    this.events.push(...events)
    const holdings = totalHoldings(state)

    expect(holdings.total).to.equal(holdings.supply)

    return results
  }

  /** One block with these requests; accounts may ask several times. */
  block (...requests: Request[]): TransactionResult[] {
    const nonces = new Map<Signer, number>()

    return this.execute(requests.map(([who, body]) => {
      const nonce = nonces.get(who) ?? readAccount(this.state, who.account).nonce

      nonces.set(who, nonce + 1)

      return this.sign(who, body, nonce)
    }))
  }

  /** As `block`, but every request must succeed. */
  must (...requests: Request[]): void {
    expect(this.block(...requests).map(({ code }) => code)).to.deep.equal(requests.map(() => undefined))
  }

  /** The code of the error of a single request, or 'ok'. */
  try (who: Signer, body: TransactionBody): string {
    const [{ ok, code }] = this.block([who, body])

    return ok ? 'ok' : code ?? 'no code'
  }

  until (done: () => boolean): void {
    for (let i = 0; !done(); i++) {
      expect(i).to.be.below(200)
      this.block()
    }
  }

  balance (who: Signer): bigint {
    return readAccount(this.state, who.account).balance
  }

  staked (who: Signer): bigint {
    return readAccount(this.state, who.account).staked
  }

  task (id: Hash): TaskState {
    const task = readTask(this.state, id)

    expect(task).to.not.equal(undefined)

    return task ?? expect.fail()
  }

  seat (id: Hash, who: Signer): SeatState {
    return this.task(id).seats.find(({ assessor }) => equalBytes(assessor, who.account)) ?? expect.fail('not seated')
  }
}

export const datanet = cid('datanet')
export const contributions = sorted(['a', 'b', 'c'].map(cid))
export const contributors = [alice, bob, carol]
export const adapter = cid('adapter')

/** A Datanet, three admitted contributions, an admitted adapter and staked assessors. */
export function admitAdapter (network: Network): void {
  network.must(...assessors.map((who): Request => [who, { kind: 'stake', amount: 500n * OPEN }]))
  network.must([curator, { kind: 'create-datanet', datanet, name: 'speeches' }])
  network.must(...contributions.map((contribution, i): Request => [contributors[i], { kind: 'contribute', datanet, contribution, rows: 10, bytes: 1000, shards: 1 }]))
  network.must(...validators.slice(0, 3).flatMap(who => contributions.map((subject): Request => [who, attestBody(network.state, subject)])))
  network.must([developer, { kind: 'publish-adapter', adapter, base, snapshot: cid('snapshot'), contributions }])
  network.must(...validators.slice(0, 3).map((who): Request => [who, attestBody(network.state, adapter)]))
}

export function openChannel (network: Network, amount = 100n * OPEN): Hash {
  const channel = channelId(CHAIN, payer.account, readAccount(network.state, payer.account).nonce)

  network.must([payer, { kind: 'open-channel', gateway: gateway.account, amount, expiresAtHeight: 10_000 }])

  return channel
}

export function redeemBody (channel: Hash, cumulative: bigint, fees = cumulative): Extract<TransactionBody, { kind: 'redeem' }> {
  const voucher: Voucher = { type: 'voucher', version: 1, chain: CHAIN, channel, cumulative }

  return {
    kind: 'redeem',
    channel,
    cumulative,
    voucherSignature: signPayload(domains.voucher, voucherCodec, voucher, payer),
    batches: [{ adapter, receiptsRoot: hash('receipts'), receipts: 1, fees }]
  }
}

/** An adapter, a channel, a redemption and the cutoff: the task with its committee. */
export function startTask (network: Network, fees = 7_000_000_000_000_000_003n): Hash {
  const channel = openChannel(network)
  const id = taskId(CHAIN, readChain(network.state).epoch, adapter)

  // a redemption in the last block of an epoch still belongs to it
  network.must([gateway, redeemBody(channel, fees)])
  network.until(() => network.task(id).phase !== 'collecting')

  return id
}

/** What an assessor computed; honest by default. */
export interface Work {
  scores?: bigint[]
  steps?: Hash[]
}

export const SCORES = [5n, 0n, 9n]
export const STEPS = Array.from({ length: 12 }, (_, i) => hash('step', Uint8Array.of(i)))

export class Assessor {
  readonly who: Signer
  readonly tree: ReturnType<typeof scoreTree>
  readonly trace: ReturnType<typeof traceTree>
  readonly salt: Hash
  readonly steps: Hash[]

  constructor (who: Signer, { scores = SCORES, steps = STEPS }: Work = {}) {
    const entries = contributions.map((contribution, i) => ({ contribution, score: scores[i] }))

    this.who = who
    this.tree = scoreTree({ type: 'scores', version: 1, adapter, method: 'trajectory', engine: 'datanet-engine/1', entries })
    this.steps = steps
    this.trace = traceTree(who.account, chainTrace(steps))
    this.salt = hash('salt', who.account)
  }

  commit (network: Network, task: Hash): Request {
    const commit = assessmentCommit({
      chain: CHAIN,
      epoch: network.task(task).epoch,
      task,
      scoreRoot: this.tree.root,
      total: this.tree.total,
      traceRoot: this.trace.root,
      traceLength: this.trace.length,
      salt: this.salt,
      assessor: this.who.account
    })

    return [this.who, { kind: 'commit', task, fees: network.task(task).fees, commit }]
  }

  reveal (task: Hash): Request {
    const { tree: { root: scoreRoot, total }, trace: { root: traceRoot, length: traceLength }, salt } = this

    return [this.who, { kind: 'reveal', task, scoreRoot, total, traceRoot, traceLength, salt }]
  }

  open (network: Network, task: Hash): Request {
    return [this.who, { kind: 'open', task, openings: network.task(task).openings.map(index => this.trace.open(index)) }]
  }

  /** A validator's computation of the one step in dispute. */
  judge (network: Network, who: Signer, task: Hash): Request {
    return [who, { kind: 'judge-step', task, step: this.steps[network.task(task).dispute?.agreed ?? 0] ?? resultStep(this.tree.root, this.tree.total) }]
  }

  verdict (who: Signer, task: Hash): Request {
    return [who, { kind: 'verdict', task, scoreRoot: this.tree.root, total: this.tree.total }]
  }

  claim (task: Hash, indices = [0, 1, 2]): TransactionBody {
    return { kind: 'claim', task, claims: indices.map(i => this.tree.claim(i)) }
  }
}

export const honest = assessors.map(who => new Assessor(who))
