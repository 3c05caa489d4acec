import { stateRoot } from '../../src/ledger/index.ts'
import { genesisCodec, signedTransactionCodec, toHex } from '../../src/wire/index.ts'
import { admitAdapter, alice, Assessor, assessors, bob, genesis, gateway, honest, Network, OPEN, openChannel, parentOf, payer, redeemBody, startTask, validators } from './network.ts'
import type { Signed, Transaction, TransactionResult } from '../../src/interface/index.ts'

export interface ConformanceBlock {
  parent: string
  proposer: string
  beaconSignature: string
  transactions: string[]
  /** `ok` or the code, one per transaction */
  results: string[]
  stateRoot: string
}

export interface ConformanceVector {
  genesis: string
  genesisStateRoot: string
  blocks: ConformanceBlock[]
}

/** Writes down each block that it executes. */
class RecordingNetwork extends Network {
  readonly blocks: ConformanceBlock[] = []

  override execute (transactions: Array<Signed<Transaction>>): TransactionResult[] {
    const results = super.execute(transactions)
    const { height } = this.state

    this.blocks.push({
      parent: toHex(parentOf(height)),
      proposer: toHex(validators[height % 4].account),
      beaconSignature: toHex(new Uint8Array(96).fill(height)),
      transactions: transactions.map(one => toHex(signedTransactionCodec.encode(one))),
      results: results.map(({ ok, code }) => ok ? 'ok' : code ?? ''),
      stateRoot: toHex(stateRoot(this.state))
    })

    return results
  }
}

/** One way of an answer with a liar, a silent seat, refused transactions and a vote, block by block. */
export function conformanceVector (): ConformanceVector {
  const network = new RecordingNetwork()
  const genesisStateRoot = toHex(stateRoot(network.state))

  admitAdapter(network)
  const task = startTask(network)
  const team = [new Assessor(assessors[0], { scores: [1n, 2n, 3n] }), ...honest.slice(1, 6)]

  network.block(...team.map(one => one.commit(network, task)), honest[0].reveal(task))
  network.until(() => network.task(task).phase === 'reveal')
  network.block(...team.map(one => one.reveal(task)))
  network.block(...team.map(one => one.open(network, task)))
  network.block(...validators.map(who => honest[1].judge(network, who, task)))
  network.block(...validators.map(who => honest[1].verdict(who, task)))
  network.block(...team.map(one => one.open(network, task)))
  network.until(() => network.task(task).phase === 'settled')
  network.block([bob, honest[0].claim(task)], [bob, honest[0].claim(task)])
  network.block([alice, { kind: 'wrap', amount: 50n * OPEN }], [alice, { kind: 'delegate', to: alice.account }])
  network.block([alice, { kind: 'propose', title: 'More for data', actions: [{ kind: 'set-params', params: { feeSplit: { platform: 500, developers: 2000, validators: 2000, data: 5500 } } }] }])
  network.block()
  network.block([alice, { kind: 'vote', proposal: 0, support: 'for' }])
  network.block()
  network.block()
  network.block([alice, { kind: 'queue', proposal: 0 }])
  network.block([bob, { kind: 'execute', proposal: 0 }])
  network.block([bob, { kind: 'execute', proposal: 0 }])
  const channel = openChannel(network)

  network.block([gateway, redeemBody(channel, OPEN)], [gateway, redeemBody(channel, OPEN)], [payer, { kind: 'close-channel', channel }], [gateway, { kind: 'close-channel', channel }])
  network.block([alice, { kind: 'unwrap', amount: OPEN }], [assessors[6], { kind: 'unstake', amount: OPEN }])

  return { genesis: toHex(genesisCodec.encode(genesis())), genesisStateRoot, blocks: network.blocks }
}
