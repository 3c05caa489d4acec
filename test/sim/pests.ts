import { leaderOf, signVote } from '../../src/consensus/index.ts'
import { CHAIN } from './constants.ts'
import type { SimNode, World } from './interface.ts'
import type { Act } from './villains.ts'
import type { ConsensusEffect } from '../../src/consensus/index.ts'

/** Costs everybody a whole time-out at each of its turns: it votes, and neither proposes nor gives its turn up. */
export const staller = (_: World, node: SimNode, effect: ConsensusEffect): Act[] => {
  const ownTurn = effect.type === 'sendVote' && leaderOf(effect.vote.view, node.set.length) === node.place

  return effect.type === 'broadcastBlock' || ownTurn ? [] : [{ effect }]
}

/** Says everything three times, and signs for blocks that do not exist in views near and far. */
export const spammer = ({ crypto, random }: World, node: SimNode, effect: ConsensusEffect): Act[] => {
  if (effect.type === 'broadcastCertificate') {
    return [{ effect }, { effect: { ...effect, again: true } }, { effect: { ...effect, again: true } }]
  }

  if (effect.type !== 'sendVote') {
    return [{ effect }]
  }

  const noise = Array.from({ length: 3 }, (): Act => {
    const view = Math.max(1, effect.vote.view + random.between(-3, 30))
    const blockHash = new Uint8Array(32).fill(random.below(256))
    const kind = random.pick(['notarize', 'finalize'] as const)

    return { effect: { type: 'sendVote', vote: signVote(CHAIN, node.place ?? 0, { kind, era: node.era, view, blockHash }, crypto.signers[node.index ?? 0]) } }
  })

  return [{ effect }, ...noise, { effect }, { effect }]
}
