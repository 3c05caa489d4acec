import { certificateValid } from '../../src/consensus/index.ts'
import { toHex } from '../../src/wire/index.ts'
import { CHAIN, SPOILT } from './constants.ts'
import { losePower, replaceDisk, writeFinal, writeRecord } from './disk.ts'
import { enterEra, executes, isLast, placeOf, stateAfter, whoIs } from './eras.ts'
import { send } from './network.ts'
import { act } from './villains.ts'
import type { Disk, FinalEntry, SimNode, World } from './interface.ts'
import type { Act } from './villains.ts'
import type { ConsensusEffect, ConsensusInput } from '../../src/consensus/index.ts'
import type { Header } from '../../src/interface/index.ts'

type Effect<T extends ConsensusEffect['type']> = Extract<ConsensusEffect, { type: T }>

const violate = (world: World, node: SimNode, what: string): void => {
  if (world.violations.length < 20) {
    world.violations.push(`${world.queue.nowMs} ms, node ${node.id} (validator ${node.index}): ${what}`)
  }
}

/** Starts a machine from its disk. */
export const boot = (world: World, node: SimNode): void => {
  if (world.scenario.machine === undefined || node.villain === 'silent' || node.core !== null) {
    return
  }

  if (node.disk.damaged) {
    replaceDisk(node.disk, world.scenario.histories !== false)
  }

  node.life++
  startMachine(world, node)

  if (world.calm) {
    step(world, node, { type: 'pending', transactions: true })
  }
}

/** A machine for the era that follows the last final block, with all that is here. */
const startMachine = (world: World, node: SimNode): void => {
  const { scenario: { machine, timeouts, eras }, crypto } = world
  const { disk: { chain, blocks, records, signedUpTo }, memory } = node
  const final = chain[chain.length - 1]

  enterEra(world, node)

  if (machine === undefined) {
    return
  }

  node.core = machine({
    chain: CHAIN,
    era: node.era,
    validators: node.set,
    validatorsHash: eras === undefined ? undefined : final.header.validatorsHash,
    self: node.place,
    bls: crypto.bls,
    signer: node.index === null || node.place === null ? undefined : crypto.signers[node.index],
    timeouts,
    signedUpTo: signedUpTo ?? undefined
  })
  step(world, node, {
    type: 'start',
    final: { hash: final.hash, height: final.header.height, view: final.header.view, certificate: final.certificate },
    records,
    blocks: [...new Map([...blocks, ...memory]).values()].filter(({ header }) => header.view > final.header.view)
  })
}

/** Feeds one input to a node that runs, and carries out the effects. */
export const step = (world: World, node: SimNode, input: ConsensusInput): void => {
  const { queue, random } = world

  if (node.core === null) {
    return
  }

  world.steps++
  const effects = node.core.step(input, queue.nowMs)
  const judged = effects.find(effect => effect.type === 'judge')

  if (judged?.type === 'judge' && judged.verdict === 'reject' && !hasVillain(world)) {
    violate(world, node, `rejected a message of honest nodes: ${judged.reason}`)
  }

  const { core } = node
  const until = node.crashAfterEffects ?? effects.length

  for (const effect of effects.slice(0, until)) {
    if (effect.type === 'persist' && node.writeFault !== null) {
      // nothing behind the write that failed is done
      losePower(node.disk, node.writeFault === 'torn' ? random.below(8) : 0)
      crash(world, node)
      return
    }

    for (const one of act(world, node, effect)) {
      perform(world, node, one)
    }
  }

  if (node.crashAfterEffects !== null && effects.length > 0) {
    crash(world, node)
    return
  }

  // what was done may have replaced it already
  if (node.core === core) {
    changeEra(world, node)
  }

  schedule(world, node)
}

/** After the last block of an era: its successor's validators go on, if this machine lives to see it. */
const changeEra = (world: World, node: SimNode): void => {
  const { chain } = node.disk
  const { header } = chain[chain.length - 1]

  if (node.core === null || header.era !== node.era || !isLast(chain, chain.length - 1)) {
    return
  }

  if (!world.calm && world.scenario.crashes !== false && world.random.chance(200)) {
    crash(world, node)
    return
  }

  startMachine(world, node)

  if (world.calm) {
    step(world, node, { type: 'pending', transactions: true })
  }
}

/** Votes and blocks of a later era than ours: unless we are about to enter it, we missed something. */
const heardOf = (world: World, node: SimNode, era: number): void => {
  const { life } = node

  if (era <= node.era || catchingUp.get(node) === life) {
    return
  }

  catchingUp.set(node, life)
  later(world, node, CATCH_UP_DELAY_MS, () => {
    catchingUp.delete(node)

    if (era > node.era) {
      sync(world, node, Infinity)
    }
  })
}

/** The life in which a node is about to fetch what it missed. */
const catchingUp = new WeakMap<SimNode, number>()

/** As in src/settlement. */
const CATCH_UP_DELAY_MS = 1_000

const hasVillain = ({ nodes }: World): boolean => nodes.some(({ villain }) => villain !== null)

/** Stops a machine; it starts again after a while. */
export const crash = (world: World, node: SimNode): void => {
  const { queue, random } = world

  node.core = null
  node.memory.clear()
  node.life++
  node.crashAfterEffects = null
  node.writeFault = null
  // a quick one may find the view that it left
  queue.at(queue.nowMs + (random.chance(300) ? random.between(1, 200) : random.between(1, 12_000)), () => { boot(world, node) })
}

/** Wakes the node when it asked to be woken. */
const schedule = (world: World, node: SimNode): void => {
  const { core, life } = node
  const dueMs = core?.deadlineMs() ?? Infinity

  if (dueMs === Infinity || dueMs >= (nextTick.get(node) ?? Infinity)) {
    return
  }

  nextTick.set(node, dueMs)
  world.queue.at(dueMs, () => {
    if (nextTick.get(node) === dueMs) {
      nextTick.delete(node)
    }

    if (node.life === life) {
      step(world, node, { type: 'tick' })
    } else {
      schedule(world, node)
    }
  })
}

const nextTick = new WeakMap<SimNode, number>()

/** Does something for this life of the node a little later. */
const later = (world: World, node: SimNode, delayMs: number, run: () => void): void => {
  const { life } = node

  world.queue.at(world.queue.nowMs + delayMs, () => {
    if (node.life === life && node.core !== null) {
      run()
    }
  })
}

const perform = (world: World, node: SimNode, { effect, to }: Act): void => {
  const { random, scenario: { workMsMax = 40, onBlock } } = world

  switch (effect.type) {
    case 'persist':
      persist(world, node, effect)
      break
    case 'propose':
      later(world, node, random.between(1, workMsMax), () => { build(world, node, effect) })
      break
    case 'verify':
      later(world, node, random.between(1, workMsMax), () => {
        const block = blockOf(node, effect.hash)

        step(world, node, { type: 'verified', hash: effect.hash, valid: block !== undefined && (node.villain === 'lazy' || executes(world, headerOf(node, block.header.parent), block.header)) })
      })
      break
    case 'broadcastBlock':
      onBlock?.('proposed', toHex(effect.hash), world.queue.nowMs)
      broadcast(world, node, other => to?.(other) ?? true, { type: 'proposal', hash: effect.hash, proposal: effect.proposal })
      break
    case 'sendVote':
      checkVote(world, node, effect)
      broadcast(world, node, other => placeOf(world, node, other.index) !== null && (to?.(other) ?? true), { type: 'vote', from: effect.vote.validator, vote: effect.vote })
      break
    case 'broadcastCertificate':
      broadcast(world, node, other => to?.(other) ?? true, { type: 'certificate', certificate: effect.certificate })
      break
    case 'finalise':
      finalise(world, node, effect)
      break
    case 'requestBlock':
      ask(world, node, effect.peers[0] ?? null, peer => answerBlock(peer, effect.hash))
      break
    case 'requestCertificates':
      ask(world, node, effect.peer, ({ core }) => (core?.certificates(effect.fromView) ?? []).map(certificate => ({ type: 'certificate', certificate })))
      break
    case 'sync':
      sync(world, node, effect.height)
      break
    case 'evidence':
      accuse(world, node, effect)
      break
    case 'penalise':
      if (!guilty(world, whoIs(world, node, effect.validator))) {
        violate(world, node, `punished honest validator ${effect.validator}: ${effect.reason}`)
      }

      break
    default:
      // `judge` was looked at when the input was given
  }
}

const broadcast = (world: World, node: SimNode, to: (other: SimNode) => boolean, input: ConsensusInput): void => {
  for (const other of world.nodes) {
    if (other !== node && (other.index === null || other.index !== node.index) && to(other)) {
      sendTo(world, node, other, input)
    }
  }
}

const sendTo = (world: World, node: SimNode, other: SimNode, input: ConsensusInput): void => {
  const { censor } = world.scenario

  if (censor !== undefined && ((input.type === 'vote' && censor(input.vote)) || (input.type === 'certificate' && censor(input.certificate)))) {
    return
  }

  const arrived = world.crypto.transmit?.(input) ?? input

  send(world, node, other, () => {
    if (arrived.type === 'proposal') {
      remember(other, arrived.hash, arrived.proposal.header)
    } else if (arrived.type === 'block') {
      remember(other, arrived.hash, arrived.header)
    }

    deliver(world, node, other, arrived)
  })
}

/** Who sent a vote is known by the connection; a node has a place for it if it is in the set of its own era. */
const deliver = (world: World, from: SimNode, node: SimNode, input: ConsensusInput): void => {
  if (input.type === 'vote' || input.type === 'proposal') {
    heardOf(world, node, input.type === 'vote' ? input.vote.era : input.proposal.vote.era)
  } else if (input.type === 'certificate') {
    heardOf(world, node, input.certificate.era)
  }

  if (input.type !== 'vote') {
    step(world, node, input)
    return
  }

  const place = placeOf(world, node, from.index)

  if (place !== null) {
    step(world, node, { ...input, from: place })
  }
}

/** Blocks are in memory until a vote or a certificate makes them worth keeping. */
const remember = (node: SimNode, hash: Uint8Array, header: Header): void => {
  if (node.core !== null) {
    node.memory.set(toHex(hash), { hash, header })
  }
}

const blockOf = ({ memory, disk }: SimNode, hash: Uint8Array): { hash: Uint8Array, header: Header } | undefined =>
  memory.get(toHex(hash)) ?? disk.blocks.get(toHex(hash))

const headerOf = (node: SimNode, hash: Uint8Array): Header | undefined =>
  blockOf(node, hash)?.header ?? node.disk.chain.findLast(entry => toHex(entry.hash) === toHex(hash))?.header

/** Writes a record, with its block if it is a vote for one. */
const persist = ({ scenario: { lyingDisks }, certificates }: World, node: SimNode, { record }: Effect<'persist'>): void => {
  if (record.type === 'certificate' && node.villain === null) {
    certificates.push(record.certificate)
  }

  writeRecord(node.disk, record, record.type === 'vote' && record.vote.kind === 'notarize' ? blockOf(node, record.vote.blockHash) : undefined, lyingDisks)
}

const build = (world: World, node: SimNode, { view, height, parent }: Effect<'propose'>): void => {
  const { crypto: { validators, hash }, random } = world
  const before = headerOf(node, parent)

  if (before === undefined || node.index === null) {
    // a block of another era was asked for
    return
  }

  const { stateRoot, validatorsHash } = stateAfter(world, before, random.below(0xffffffff))

  stateRoot[31] = node.villain === 'spoiler' ? SPOILT : 0

  const header: Header = {
    type: 'header',
    version: 1,
    chain: CHAIN,
    era: node.era,
    height,
    view,
    parent,
    proposer: validators[node.index].account,
    bodyRoot: new Uint8Array(32),
    outcomesRoot: new Uint8Array(32),
    stateRoot,
    validatorsHash
  }
  const name = hash(header)

  remember(node, name, header)
  step(world, node, random.chance(20) ? { type: 'declined', view } : { type: 'proposed', view, hash: name, header })
}

/** A request to one peer and its answers; a peer that has nothing, is down or a withholder says nothing. */
const ask = (world: World, node: SimNode, validator: number | null, answer: (peer: SimNode) => ConsensusInput[]): void => {
  const others = world.nodes.filter(other => other !== node && other.index !== node.index)
  const named = validator === null ? [] : others.filter(({ index }) => index === whoIs(world, node, validator))
  const peer = world.random.pick(validator === null || named.length === 0 ? others : named)

  send(world, node, peer, () => {
    if (peer.core !== null && peer.villain !== 'withholder') {
      for (const input of answer(peer)) {
        sendTo(world, peer, node, input)
      }
    }
  })
}

const answerBlock = (node: SimNode, hash: Uint8Array): ConsensusInput[] => {
  const block = blockOf(node, hash)

  return block === undefined ? [] : [{ type: 'block', hash, header: block.header }]
}

/** The driver's range sync: another node's chain up to the certified block, or as far as that node is. */
const sync = (world: World, node: SimNode, height: number): void => {
  const certified = (other: SimNode): FinalEntry | undefined => other.disk.chain.findLast(entry => entry.certificate !== null && entry.header.height <= height)
  const peer = world.random.pick(world.nodes.filter(other => other !== node && (certified(other)?.header.height ?? 0) >= node.disk.chain.length))

  if (peer === undefined) {
    return
  }

  send(world, node, peer, () => {
    send(world, peer, node, () => {
      const top = certified(peer)

      if (node.core === null || top === undefined || top.certificate === null || top.header.height < node.disk.chain.length) {
        return
      }

      for (const entry of peer.disk.chain.slice(node.disk.chain.length, top.header.height + 1)) {
        append(world, node, entry.hash, entry.header, entry.certificate)
        changeEra(world, node)

        // what starts a machine may stop it, or bring it further
        if (node.core === null || node.disk.chain.length !== entry.header.height + 1) {
          return
        }
      }

      step(world, node, { type: 'synced', hash: top.hash, height: top.header.height, view: top.header.view, certificate: top.certificate })
    })
  })
}

const finalise = (world: World, node: SimNode, { hash, height, certificate, direct }: Effect<'finalise'>): void => {
  const block = blockOf(node, hash)

  if (block === undefined) {
    violate(world, node, `finalised height ${height} without its block`)
    return
  }

  if (direct !== (toHex(certificate.blockHash) === toHex(hash)) || certificate.kind !== 'finalize' || certificate.era !== node.era || !certificateValid(certificate, node.set, world.crypto.bls, CHAIN)) {
    violate(world, node, `finalised height ${height} with a certificate that does not show it`)
  }

  append(world, node, hash, block.header, direct ? certificate : null)

  if (!direct && isLast(node.disk.chain, height)) {
    violate(world, node, `ended era ${node.era} with a block that has no finalization of its own`)
  }
}

/** Measures how long there was nothing new. */
export const notePause = (world: World): void => {
  const { queue: { nowMs }, calm, newestFinalMs, scenario: { pausesFromMs = 0 } } = world

  if (calm && nowMs >= pausesFromMs) {
    world.longestPauseMs = Math.max(world.longestPauseMs, nowMs - Math.max(newestFinalMs, pausesFromMs))
  }

  world.newestFinalMs = nowMs
}

/** The promise of consensus: one chain, without holes, of blocks that execute. */
const append = (world: World, node: SimNode, hash: Uint8Array, header: Header, certificate: Disk['chain'][number]['certificate']): void => {
  const { chain } = node.disk
  const agreed = world.finalHashes.get(header.height)

  if (header.height !== chain.length || toHex(header.parent) !== toHex(chain[chain.length - 1].hash)) {
    violate(world, node, `finalised height ${header.height} after ${chain.length - 1}, or on another parent`)
  }

  if (node.villain === null && !executes(world, chain[chain.length - 1].header, header)) {
    violate(world, node, `finalised a block that does not execute at height ${header.height}`)
  }

  if (node.villain === null) {
    if (agreed === undefined) {
      world.finalHashes.set(header.height, toHex(hash))
      notePause(world)
    } else if (agreed !== toHex(hash)) {
      violate(world, node, `FORK at height ${header.height}`)
    }
  }

  world.scenario.onBlock?.('final', toHex(hash), world.queue.nowMs)
  writeFinal(node.disk, { hash, header, certificate })
}

/** An honest validator contradicts itself never, not even over a crash, and writes before it sends. */
const checkVote = (world: World, node: SimNode, { vote }: Effect<'sendVote'>): void => {
  if (node.villain !== null) {
    return
  }

  const { kind, era, view } = vote
  const said = `${node.index}/${era}/${view}`
  const key = `${said}/${kind}`
  const value = toHex(vote.blockHash)
  const opposite = kind === 'nullify' ? 'finalize' : 'nullify'

  if ((world.voted.get(key) ?? value) !== value || (kind !== 'notarize' && world.voted.has(`${said}/${opposite}`))) {
    violate(world, node, `contradicted itself in view ${view} (${kind})`)
  }

  world.voted.set(key, value)

  if (!node.disk.records.some(record => record.type === 'vote' && record.vote.kind === kind && record.vote.era === era && record.vote.view === view)) {
    violate(world, node, `sent a vote that is not on disk (${kind} in view ${view})`)
  }
}

const guilty = (world: World, validator: number): boolean => world.nodes.some(({ index, villain }) => index === validator && villain !== null)

const accuse = (world: World, node: SimNode, { evidence }: Effect<'evidence'>): void => {
  if (evidence.type === 'conflicting-votes') {
    const accused = whoIs(world, node, evidence.validator)

    world.convicted.add(accused)

    if (!guilty(world, accused)) {
      violate(world, node, `accused honest validator ${accused}`)
    }
  }
}
