import { signVote } from '../../src/consensus/index.ts'
import { toHex } from '../../src/wire/index.ts'
import { CHAIN } from './constants.ts'
import { stateAfter } from './eras.ts'
import { spammer, staller } from './pests.ts'
import type { SimNode, World } from './interface.ts'
import type { ConsensusEffect, Vote } from '../../src/consensus/index.ts'

/** An effect, and to whom it goes if not to everybody. */
export interface Act {
  effect: ConsensusEffect
  to? (node: SimNode): boolean
}

/** What a leader proposes in place of its machine's block, by its node and then view. */
const secondBlocks = new WeakMap<SimNode, Map<number, Uint8Array>>()

/** Both blocks of an equivocating leader, by its node, or by the world where they collude, and then view. */
const doubles = new WeakMap<SimNode | World, Map<number, { first: Uint8Array, second: Uint8Array }>>()

/** What a node really does where its state machine wants an effect. Honest nodes obey. */
export const act = (world: World, node: SimNode, effect: ConsensusEffect): Act[] => {
  switch (node.villain) {
    case 'nuller':
      return nuller(world, node, effect)
    case 'equivocator':
      return equivocator(world, node, effect, node)
    case 'colluder':
      return equivocator(world, node, effect, world)
    case 'staller':
      return staller(world, node, effect)
    case 'spammer':
      return spammer(world, node, effect)
    case 'withholder':
      return [{ effect, to: () => world.random.chance(400) }]
    case 'garbler':
      return garbler(world, effect)
    case 'overrunner':
      return overrunner(world, node, effect)
    case 'rewinder':
      return rewinder(world, node, effect)
    default:
      return [{ effect }]
  }
}

const speak = ({ crypto }: World, node: SimNode, kind: Vote['kind'], view: number, blockHash: Uint8Array): Vote => {
  return signVote(CHAIN, node.place ?? 0, { kind, era: node.era, view, blockHash }, crypto.signers[node.index ?? 0])
}

const nuller = (world: World, node: SimNode, effect: ConsensusEffect): Act[] => {
  if (effect.type !== 'sendVote') {
    return [{ effect }]
  }

  const { view, blockHash } = effect.vote
  const acts: Act[] = [{ effect }, { effect: { type: 'sendVote', vote: speak(world, node, 'nullify', view, new Uint8Array(0)) } }]

  if (blockHash.length > 0) {
    acts.push({ effect: { type: 'sendVote', vote: speak(world, node, 'finalize', view, blockHash) } })
  }

  return acts
}

const equivocator = (world: World, node: SimNode, effect: ConsensusEffect, whose: SimNode | World): Act[] => {
  const pairs = doubles.get(whose) ?? new Map<number, { first: Uint8Array, second: Uint8Array }>()
  doubles.set(whose, pairs)

  if (effect.type === 'broadcastBlock') {
    const { header, vote, justification } = effect.proposal
    const other = { ...header, bodyRoot: new Uint8Array(32).fill(7) }
    const hash = world.crypto.hash(other)

    node.memory.set(toHex(hash), { hash, header: other })
    pairs.set(vote.view, { first: vote.blockHash, second: hash })

    const proposal = { header: other, vote: speak(world, node, 'notarize', vote.view, hash), justification }

    return [
      { effect, to: ({ id }) => (id + vote.view) % 2 === 0 },
      { effect: { ...effect, hash, proposal }, to: ({ id }) => (id + vote.view) % 2 === 1 }
    ]
  }

  if (effect.type === 'sendVote') {
    const { kind, view } = effect.vote
    const pair = kind === 'nullify' ? undefined : pairs.get(view)
    const half = (side: number, block: Uint8Array): Act => ({ effect: { type: 'sendVote', vote: speak(world, node, kind, view, block) }, to: ({ id }) => (id + view) % 2 === side })

    return [
      ...(pair === undefined ? [{ effect }] : [half(0, pair.first), half(1, pair.second)]),
      // who works alone confuses, who does not wants both blocks to win
      ...(whose === world ? [] : [{ effect: { type: 'sendVote' as const, vote: speak(world, node, 'nullify', view, new Uint8Array(0)) }, to: ({ id }: SimNode) => (id + view) % 3 === 0 }])
    ]
  }

  return [{ effect }]
}

const rewinder = (world: World, node: SimNode, effect: ConsensusEffect): Act[] => {
  const seconds = secondBlocks.get(node) ?? new Map<number, Uint8Array>()
  secondBlocks.set(node, seconds)

  if (effect.type === 'broadcastBlock') {
    const { header, vote, justification } = effect.proposal
    const known = [...node.memory.values(), ...node.disk.blocks.values(), node.disk.chain[0]]
    const wrong = known.filter(block => block.header.view < header.view && toHex(block.hash) !== toHex(header.parent))
      .sort((a, b) => b.header.view - a.header.view).slice(0, 3)

    if (wrong.length > 0 && !seconds.has(vote.view)) {
      const parent = world.random.pick(wrong)
      const other = { ...header, parent: parent.hash, height: parent.header.height + 1 }
      const hash = world.crypto.hash(other)

      node.memory.set(toHex(hash), { hash, header: other })
      seconds.set(vote.view, hash)

      return [{ effect: { ...effect, hash, proposal: { header: other, vote: speak(world, node, 'notarize', vote.view, hash), justification } } }]
    }
  }

  return [{ effect: voteForSecond(world, node, effect, seconds) }]
}

const overrunner = (world: World, node: SimNode, effect: ConsensusEffect): Act[] => {
  const seconds = secondBlocks.get(node) ?? new Map<number, Uint8Array>()
  secondBlocks.set(node, seconds)

  if (effect.type === 'broadcastBlock' && effect.proposal.vote.view > effect.proposal.header.view) {
    const { header: last, vote: { view }, justification } = effect.proposal
    const header = { ...last, ...stateAfter(world, last, 7), height: last.height + 1, view, parent: effect.hash, proposer: node.set[node.place ?? 0].account }
    const hash = world.crypto.hash(header)

    node.memory.set(toHex(hash), { hash, header })
    seconds.set(view, hash)

    return [{ effect: { ...effect, hash, proposal: { header, vote: speak(world, node, 'notarize', view, hash), justification } } }]
  }

  return [{ effect: voteForSecond(world, node, effect, seconds) }]
}

/** A leader that votes for its first block too would be found out at once. */
const voteForSecond = (world: World, node: SimNode, effect: ConsensusEffect, seconds: Map<number, Uint8Array>): ConsensusEffect => {
  const second = effect.type === 'sendVote' && effect.vote.kind === 'notarize' ? seconds.get(effect.vote.view) : undefined

  return second === undefined || effect.type !== 'sendVote' ? effect : { type: 'sendVote', vote: speak(world, node, 'notarize', effect.vote.view, second) }
}

const garbler = ({ random }: World, effect: ConsensusEffect): Act[] => {
  const garble = (signature: Uint8Array): Uint8Array => {
    const garbled = new Uint8Array(signature)
    garbled[1] ^= 0x40

    return garbled
  }

  if (effect.type === 'sendVote' && random.chance(500)) {
    return [{ effect: { type: 'sendVote', vote: { ...effect.vote, signature: garble(effect.vote.signature) } } }]
  }

  if (effect.type === 'broadcastCertificate') {
    return [{ effect }, { effect: { ...effect, certificate: { ...effect.certificate, signature: garble(effect.certificate.signature) } } }]
  }

  return [{ effect }]
}
