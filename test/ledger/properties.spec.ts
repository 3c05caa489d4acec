import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { decodeSnapshot, encodeSnapshot, executeBlock, listChannels, listTasks, listWaiting, readAccount, readChain, stateRoot } from '../../src/ledger/index.ts'
import { plantCommit } from '../../src/scoring/index.ts'
import { hash } from '../../src/wire/index.ts'
import {
  adapter, admitAdapter, alice, assessors, Assessor, base, bob, carol, CHAIN, cid, contributions, datanet, gateway, honest, Network, OPEN, openChannel, parentOf, payer, redeemBody, sorted, STEPS, treasury, validators, attestBody
} from './network.ts'
import type { Request } from './network.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Hash, TransactionBody } from '../../src/interface/index.ts'
import type { BlockInput } from '../../src/ledger/index.ts'

const everyone = [alice, bob, carol, payer, gateway, ...assessors, ...validators]
const liars = assessors.map(who => new Assessor(who, { scores: [1n, 1n, 1n] }))
const FALSE_STEPS = STEPS.map(step => hash('false', step))
const copiers = assessors.map(who => new Assessor(who, { steps: FALSE_STEPS }))
const AMOUNTS = [0n, 1n, OPEN, 90n * OPEN, 9_900n * OPEN, 20_000n * OPEN]

/** One wish: what to ask for, who asks, and two small numbers that mean what the wish makes of them. */
type Wish = [kind: number, who: number, a: number, b: number]

const wishes = fc.array(fc.array(fc.tuple(fc.nat(28), fc.nat(15), fc.nat(5), fc.nat(6)), { maxLength: 8 }), { minLength: 5, maxLength: 30 })

function requestsOf (network: Network, [kind, whoIndex, a, b]: Wish): Request[] {
  const who = everyone[whoIndex]
  const amount = AMOUNTS[a]
  const tasks = [...listTasks(network.state)]
  const task: Hash = tasks[b % Math.max(1, tasks.length)]?.task ?? hash('none')
  const channel: Hash = [...listChannels(network.state)].at(-1)?.channel ?? hash('none')
  const proposal = Math.max(0, readChain(network.state).proposals - 1)
  const one = (body: TransactionBody, by = who): Request[] => [[by, body]]
  const bodies: Array<() => Request[]> = [
    () => one({ kind: 'transfer', to: everyone[b].account, amount }),
    () => one({ kind: 'stake', amount }),
    () => one({ kind: 'unstake', amount }),
    () => one({ kind: 'create-datanet', datanet: cid(`d${b}`), name: 'd' }),
    () => one({ kind: 'contribute', datanet, contribution: cid(`c${b}`), rows: 1, bytes: 1, shards: 1 }),
    () => one({ kind: 'publish-adapter', adapter: cid(`m${b}`), base: a === 0 ? cid('none') : base, snapshot: base, contributions: a < 3 ? contributions : sorted([cid(`c${b}`)]) }),
    () => validators.slice(a % 3).flatMap(by => one(attestBody(network.state, cid(`${a % 2 === 0 ? 'c' : 'm'}${b}`), b === 0 ? 'reject' : 'admit'), by)),
    () => one({ kind: 'open-channel', gateway: gateway.account, amount, expiresAtHeight: network.state.height + b }, payer),
    () => one({ kind: 'close-channel', channel: b === 0 ? channel : hash('none') }, a < 3 ? gateway : payer),
    () => one(redeemBody(channel, readRedeemed(network, channel) + BigInt(a + 1), BigInt(a + 1)), gateway),
    () => act(network, task, a, b),
    () => act(network, task, 1, 7),
    () => act(network, task, 1, 7),
    () => [(a === 0 ? liars : honest)[b].verdict(validators[a % 4], task)],
    () => one({ kind: 'report-receipts', task, fault: a < 3 ? 'missing' : 'false', source: a % 2 }, assessors[b]),
    () => [...assessors.flatMap(by => one({ kind: 'report-receipts', task, fault: a < 3 ? 'missing' : 'false', source: 0 }, by)), ...validators.flatMap(by => one({ kind: 'judge-receipts', task, source: a < 4 ? 0 : null }, by))],
    () => [(a === 0 ? liars : honest)[b].judge(network, validators[a % 4], task)],
    () => one({ kind: 'challenge', task }),
    () => validators.flatMap(by => one({ kind: 'plant', commit: plantOf(task, by, a) }, by)),
    () => validators.flatMap(by => [...one({ kind: 'expose', epoch: b, task, scoreRoot: honest[0].tree.root, total: a === 0 ? 1n : 14n, salt: hash('salt') }, by), ...(a === 5 ? one({ kind: 'withdraw-plant', epoch: b }, by) : [])]),
    () => one(honest[0].claim(task, [a % 3])),
    () => one({ kind: 'wrap', amount }),
    () => one({ kind: 'unwrap', amount }),
    () => one({ kind: 'delegate', to: everyone[b].account }),
    () => one({ kind: 'propose', title: 'p', actions: a < 3 ? [{ kind: 'treasury-transfer', to: alice.account, amount: 1n }] : [{ kind: 'set-params', params: { epochBlocks: b + 1, seats: a } }] }),
    () => one({ kind: 'vote', proposal, support: a === 0 ? 'against' : 'for' }),
    () => one({ kind: 'queue', proposal }),
    () => one({ kind: 'execute', proposal }),
    () => many(network, BigInt(a + 1), b + 14)
  ]

  return bodies[kind]()
}

/** Redemptions one after the other, of which a task takes 16, each of `fees` more than the one before. */
function many (network: Network, fees: bigint, count: number): Request[] {
  const [{ channel, state }] = [...listChannels(network.state)].sort((a, b) => Number(a.state.closed) - Number(b.state.closed) || Number(b.state.deposit - a.state.deposit))
  let cumulative = state.redeemed

  return Array.from({ length: count }, (_, i): Request => {
    const added = fees * BigInt(i + 1)
    const body = redeemBody(channel, cumulative += added, added)

    return [gateway, { ...body, batches: [{ ...body.batches[0], receipts: 512 }] }]
  })
}

/** What the first `count` assessors do in the task's phase, one of them lying if `a` is 0. */
function act (network: Network, task: Hash, a: number, count: number): Request[] {
  const team = [...(a === 0 ? liars.slice(0, 1) : honest.slice(0, 1)), ...honest.slice(1, count)]

  switch ([...listTasks(network.state)].find(one => one.task.join() === task.join())?.state.phase) {
    case undefined: return [honest[0].reveal(task)]
    case 'commit': return team.map(one => one.commit(network, task))
    case 'reveal': return team.map(one => one.reveal(task))
    case 'open':
    case 'dispute': return team.map(one => one.open(network, task))
    case 'step': return validators.map(who => honest[0].judge(network, who, task))
    default: return validators.map(who => honest[0].verdict(who, task))
  }
}

function plantOf (task: Hash, by: Signer, a: number): Hash {
  return plantCommit({ chain: CHAIN, task, scoreRoot: honest[0].tree.root, total: a === 0 ? 1n : 14n, salt: hash('salt'), planter: by.account })
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
  it('neither makes nor loses OPEN, never throws, and gives one root whatever the order of keys, from a snapshot too', () => {
    let succeeded = 0
    let went = 0

    fc.assert(fc.property(wishes, blocks => {
      const network = new Network({ seats: 7, plantsPerEpoch: 1, votingPeriodBlocks: 1, proposalThreshold: 1n, datanetDeposit: OPEN })

      admitAdapter(network)
      network.must(
        [payer, { kind: 'open-channel', gateway: gateway.account, amount: 50n * OPEN, expiresAtHeight: 1000 }],
        [alice, { kind: 'transfer', to: treasury.account, amount: OPEN }],
        ...everyone.slice(0, 4).flatMap((who): Request[] => [[who, { kind: 'wrap', amount: OPEN }], [who, { kind: 'delegate', to: who.account }]])
      )
      startedTask(network, 1000n)
      network.must(...many(network, 1n, 20))
      expect([...listWaiting(network.state)]).to.have.length(4)

      for (const wishes of blocks) {
        const nonces = new Map<Uint8Array, number>()
        const transactions = wishes.flatMap(wish => requestsOf(network, wish)).map(([who, body]) => {
          const nonce = nonces.get(who.account) ?? readAccount(network.state, who.account).nonce

          nonces.set(who.account, nonce + 1)

          return network.sign(who, body, nonce)
        })
        const height = network.state.height + 1
        const block: BlockInput = { height, parent: parentOf(height), proposer: validators[height % 4].account, beaconSignature: new Uint8Array(96).fill(height), transactions }
        // of a node that came by a snapshot, and has the block in another order of keys
        const map = decodeSnapshot(encodeSnapshot(network.state.map), stateRoot(network.state))
        const root = stateRoot(executeBlock({ ...network.state, map }, reversed(block)).state)
        const before = [...listWaiting(network.state)].length

        succeeded += network.execute(transactions).filter(({ ok }) => ok).length
        expect(stateRoot(network.state)).to.deep.equal(root)
        went += Math.max(0, before - [...listWaiting(network.state)].length)
      }
    }), { numRuns: 15 })

    // else the property would say nothing
    expect(succeeded).to.be.above(150)
    // four wait in each run, and an epoch ends in most of them
    expect(went).to.be.above(15)
  })

  it('takes the whole way of an answer with any set of villains below a third', () => {
    const fees = 1_000_000_007n

    fc.assert(fc.property(fc.array(fc.constantFrom('honest', 'liar', 'copier', 'silent', 'late'), { minLength: 2, maxLength: 2 }), villains => {
      const network = new Network()

      admitAdapter(network)
      const id = startedTask(network, fees)
      const team = assessors.map((_, i) => villains[i] === 'liar' ? liars[i] : honest[i]).map((one, i) => villains[i] === 'copier' ? copiers[i] : one)
      const acts = (i: number, phase: string): boolean => villains[i] !== 'silent' && !(villains[i] === 'late' && phase !== 'commit')

      for (let i = 0; network.task(id).phase !== 'settled'; i++) {
        const { phase } = network.task(id)
        const acting = team.filter((_, i) => acts(i, phase)).filter(one => network.seat(id, one.who).fault === null)

        expect(i).to.be.below(40)

        switch (phase) {
          case 'commit': network.block(...acting.map(one => one.commit(network, id))); break
          case 'reveal': network.block(...acting.map(one => one.reveal(id))); break
          case 'open':
          case 'dispute': network.block(...acting.map(one => one.open(network, id))); break
          case 'step': network.block(...validators.map(who => honest[6].judge(network, who, id))); break
          case 'verdict': network.block(...validators.map(who => honest[6].verdict(who, id))); break
          default: network.block()
        }
      }

      network.must([bob, honest[0].claim(id)])
      expect(network.task(id).paid).to.equal([5n, 0n, 9n].reduce((sum, score) => sum + network.task(id).dataPool * score / 14n, 0n))
      expect(network.task(id).redraws).to.equal(0)
      expect(network.task(id).adapter.equals(adapter)).to.equal(true)
    }), { numRuns: 12 })
  })
})

function startedTask (network: Network, fees: bigint): Hash {
  const channel = openChannel(network, fees)

  network.must([gateway, redeemBody(channel, fees)])
  const [{ task }] = listTasks(network.state)

  network.until(() => network.task(task).phase !== 'collecting')

  return task
}
