import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { executeBlock, listChannels, listTasks, readAccount, readChain, stateRoot } from '../../src/ledger/index.ts'
import { hash } from '../../src/wire/index.ts'
import {
  adapter, admitAdapter, alice, assessors, Assessor, base, bob, carol, cid, contributions, datanet, gateway, honest, Network, OPEN, payer, redeemBody, sorted, treasury, validators
} from './network.ts'
import type { Request } from './network.ts'
import type { BlockInput } from '../../src/ledger/index.ts'
import type { Hash, TransactionBody } from '../../src/interface/index.ts'

const everyone = [alice, bob, carol, payer, gateway, ...assessors, ...validators]
const liars = assessors.map(who => new Assessor(who, { scores: [1n, 1n, 1n] }))
const AMOUNTS = [0n, 1n, OPEN, 90n * OPEN, 9_900n * OPEN, 20_000n * OPEN]

/** One wish: what to ask for, who asks, and two small numbers that mean what the wish makes of them. */
type Wish = [kind: number, who: number, a: number, b: number]

const wishes = fc.array(fc.array(fc.tuple(fc.nat(22), fc.nat(15), fc.nat(5), fc.nat(6)), { maxLength: 8 }), { minLength: 5, maxLength: 30 })

function requestOf (network: Network, [kind, whoIndex, a, b]: Wish): Request {
  const who = everyone[whoIndex]
  const amount = AMOUNTS[a]
  const tasks = [...listTasks(network.state)]
  const task: Hash = tasks[b % Math.max(1, tasks.length)]?.task ?? hash('none')
  const channel: Hash = [...listChannels(network.state)].at(-1)?.channel ?? hash('none')
  const assessor = (a === 0 ? liars : honest)[b]
  const bodies: Array<() => Request> = [
    () => [who, { kind: 'transfer', to: everyone[b].account, amount }],
    () => [who, { kind: 'stake', amount }],
    () => [who, { kind: 'unstake', amount }],
    () => [who, { kind: 'create-datanet', datanet: cid(`d${b}`), name: 'd' }],
    () => [who, { kind: 'contribute', datanet, contribution: cid(`c${b}`), rows: 1, bytes: 1, shards: 1 }],
    () => [who, { kind: 'publish-adapter', adapter: cid(`m${b}`), base: a === 0 ? cid('none') : base, snapshot: base, contributions: a < 3 ? contributions : sorted([cid(`c${b}`)]) }],
    () => [validators[a % 4], { kind: 'attest', subject: cid(`${a % 2 === 0 ? 'c' : 'm'}${b}`), verdict: b === 0 ? 'reject' : 'admit', attestation: base }],
    () => [payer, { kind: 'open-channel', gateway: gateway.account, amount, expiresAtHeight: network.state.height + b }],
    () => [a < 3 ? gateway : payer, { kind: 'close-channel', channel }],
    () => [gateway, redeemBody(channel, (readRedeemed(network, channel) + BigInt(a + 1)) * 1n, BigInt(a + 1))],
    () => task.length === 32 && tasks.length > 0 ? assessor.commit(network, task) : [who, { kind: 'report-unavailable', task }],
    () => assessor.reveal(task),
    () => tasks.length > 0 ? assessor.open(network, task) : [who, { kind: 'open', task, openings: [] }],
    () => assessor.verdict(validators[a % 4], task),
    () => [assessors[b], { kind: 'report-unavailable', task }],
    () => [who, honest[0].claim(task, [a % 3])],
    () => [who, { kind: 'wrap', amount }],
    () => [who, { kind: 'unwrap', amount }],
    () => [who, { kind: 'delegate', to: everyone[b].account }],
    () => [who, { kind: 'propose', title: 'p', actions: a < 3 ? [{ kind: 'treasury-transfer', to: alice.account, amount: 1n }] : [{ kind: 'set-params', params: { epochBlocks: b + 1, seats: a } }] }],
    () => [who, { kind: 'vote', proposal: readChain(network.state).proposals - 1 < 0 ? 0 : readChain(network.state).proposals - 1, support: a === 0 ? 'against' : 'for' }],
    () => [who, { kind: 'queue', proposal: b }],
    () => [who, { kind: 'execute', proposal: b }]
  ]

  return bodies[kind]()
}

function readRedeemed (network: Network, channel: Hash): bigint {
  return [...listChannels(network.state)].find(one => one.channel.join() === channel.join())?.state.redeemed ?? 0n
}

/** The same value with all keys in the opposite order. */
function reversed<T> (value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || 'multihash' in value) {
    return value
  }

  const copy: object = Array.isArray(value) ? value.map(reversed) : Object.fromEntries(Object.entries(value).reverse().map(([key, one]) => [key, reversed(one)]))

  // a copy with the same fields
  return copy as T
}

describe('any sequence of transactions', () => {
  it('neither makes nor loses OPEN, never throws, and gives one root whatever the order of keys', () => {
    let succeeded = 0

    fc.assert(fc.property(wishes, blocks => {
      const network = new Network({ seats: 3, votingPeriodBlocks: 1, proposalThreshold: 1n, datanetDeposit: OPEN })

      admitAdapter(network)
      network.must([payer, { kind: 'open-channel', gateway: gateway.account, amount: 50n * OPEN, expiresAtHeight: 1000 }], [alice, { kind: 'transfer', to: treasury.account, amount: OPEN }])

      for (const wishes of blocks) {
        const nonces = new Map<Uint8Array, number>()
        const transactions = wishes.map(wish => {
          const [who, body]: [typeof alice, TransactionBody] = requestOf(network, wish)
          const nonce = nonces.get(who.account) ?? readAccount(network.state, who.account).nonce

          nonces.set(who.account, nonce + 1)

          return network.sign(who, body, nonce)
        })
        const height = network.state.height + 1
        const block: BlockInput = { height, proposer: validators[height % 4].account, beaconSignature: new Uint8Array(96).fill(height), transactions }
        const root = stateRoot(executeBlock(network.state, reversed(block)).state)

        succeeded += network.execute(transactions).filter(({ ok }) => ok).length
        expect(stateRoot(network.state)).to.deep.equal(root)
      }
    }), { numRuns: 40 })

    // else the property would say nothing
    expect(succeeded).to.be.above(500)
  })

  it('takes the whole way of an answer with any set of villains below a third', () => {
    const fees = 1_000_000_007n

    fc.assert(fc.property(fc.array(fc.constantFrom('honest', 'liar', 'copier', 'silent', 'late'), { minLength: 2, maxLength: 2 }), villains => {
      const network = new Network()

      admitAdapter(network)
      const id = startedTask(network, fees)
      const team = assessors.map((who, i) => villains[i] === 'liar' ? liars[i] : villains[i] === 'copier' ? new Assessor(who, { steps: [hash('none'), ...Array.from({ length: 11 }, (_, j) => hash('x', Uint8Array.of(j)))] }) : honest[i])
      const acts = (i: number, phase: string): boolean => villains[i] !== 'silent' && !(villains[i] === 'late' && phase !== 'commit')

      for (let i = 0; network.task(id).phase !== 'settled'; i++) {
        const { phase } = network.task(id)
        const acting = team.filter((_, i) => acts(i, phase)).filter(one => network.seat(id, one.who).fault === null)

        expect(i).to.be.below(40)

        switch (phase) {
          case 'commit': network.block(...acting.map(one => one.commit(network, id))); break
          case 'reveal': network.block(...acting.map(one => one.reveal(id))); break
          case 'open': network.block(...acting.map(one => one.open(network, id))); break
          case 'verdict': network.block(...validators.map(who => honest[6].verdict(who, id))); break
          default: network.block()
        }
      }

      network.must([bob, honest[0].claim(id)])
      expect(network.task(id).paid).to.equal([5n, 0n, 9n].reduce((sum, score) => sum + network.task(id).dataPool * score / 14n, 0n))
      expect(network.task(id).redraws).to.equal(0)
      expect(network.task(id).adapter.equals(adapter)).to.equal(true)
    }), { numRuns: 25 })
  })
})

function startedTask (network: Network, fees: bigint): Hash {
  network.must([payer, { kind: 'open-channel', gateway: gateway.account, amount: fees, expiresAtHeight: 1000 }])
  const [{ channel }] = listChannels(network.state)

  network.must([gateway, redeemBody(channel, fees)])
  const [{ task }] = listTasks(network.state)

  network.until(() => network.task(task).phase !== 'collecting')

  return task
}
