import { consensus, contradictionAmong, quorum, signersOf, totalStake } from '../../src/consensus/index.ts'
import { CHAIN } from './constants.ts'
import { emptyDisk, losePower } from './disk.ts'
import { boot, crash, notePause, step } from './driver.ts'
import { genesisOf } from './eras.ts'
import { fakeBls, fakeSigner, fakeValidators } from './fake-bls.ts'
import { partition } from './network.ts'
import { queue } from './queue.ts'
import { random } from './random.ts'
import type { Crypto, FinalEntry, Report, Scenario, SimNode, Villain, World } from './interface.ts'
import type { Header } from '../../src/interface/index.ts'

const ZERO = new Uint8Array(32)

const genesis: Omit<Header, 'stateRoot' | 'validatorsHash'> = {
  type: 'header',
  version: 1,
  chain: CHAIN,
  era: 0,
  height: 0,
  view: 0,
  parent: ZERO,
  proposer: ZERO,
  bodyRoot: ZERO,
  outcomesRoot: ZERO
}

/** Test-only: a quick checksum over the fields that the simulator varies, in place of `headerHash`; `more` of them where sets change. */
const checksum = ({ height, view, parent, proposer, stateRoot, bodyRoot, era, validatorsHash }: Header, hasEras: boolean): Uint8Array => {
  const bytes = new Uint8Array(32)
  const out = new DataView(bytes.buffer)
  const more = hasEras ? [era, ...stateRoot.subarray(4, 12), ...validatorsHash] : []

  for (let word = 0; word < 4; word++) {
    let hash = 0x811c9dc5 ^ Math.imul(word + 1, 0x9e3779b1)

    for (const part of [height, view, proposer[0], bodyRoot[0], ...stateRoot.subarray(0, 4), stateRoot[31], ...parent.subarray(0, 16), ...more]) {
      hash = Math.imul(hash ^ part, 0x01000193)
      hash ^= hash >>> 13
    }

    out.setUint32(word * 4, hash >>> 0)
  }

  return bytes
}

/** Signatures that cost nothing, and whose forgery does not either. */
export const fakeCrypto = (stakes: bigint[], hasEras = false): Crypto => ({
  validators: fakeValidators(stakes),
  bls: fakeBls,
  signers: stakes.map((_, index) => fakeSigner(index)),
  hash: header => checksum(header, hasEras)
})

const populate = ({ stakes, villains, followers = 0 }: Scenario, first: FinalEntry): SimNode[] => {
  const nodes: SimNode[] = []
  const add = (index: number | null, villain: Villain | null): void => {
    nodes.push({
      id: nodes.length,
      index,
      era: 0,
      set: [],
      place: null,
      villain,
      disk: emptyDisk(first),
      memory: new Map(),
      core: null,
      life: 0,
      crashAfterEffects: null,
      writeFault: null
    })
  }

  stakes.forEach((_, index) => {
    const villain = villains[index] ?? null

    add(index, villain)

    if (villain === 'twin') {
      add(index, villain)
    }
  })

  for (let i = 0; i < followers; i++) {
    add(null, null)
  }

  return nodes
}

/** Something happens to a disk, at the worst of times for its machine. */
const disturbDisk = (world: World): void => {
  const { random, nodes, scenario: { frail = [] } } = world
  const cut = (node: SimNode): void => {
    losePower(node.disk, random.below(12))
    crash(world, node)
  }
  const fault = random.pick(['power', 'blackout', 'torn', 'full', 'flip'] as const)
  const weak = nodes.filter(({ index }) => index !== null && frail.includes(index))

  if (fault === 'blackout') {
    nodes.forEach(cut)
  } else if (fault === 'power') {
    cut(random.pick(nodes))
  } else if (fault !== 'flip') {
    random.pick(nodes).writeFault = fault
  } else if (weak.length > 0) {
    const node = random.pick(weak)

    node.disk.damaged = true
    crash(world, node)
  }
}

/** The weather: partitions come and go, machines stop while they work, disks fail. */
const disturb = (world: World): void => {
  const { queue, random, scenario: { chaosMs, partitions = true, crashes = true, diskFaults = false }, nodes } = world

  if (queue.nowMs >= chaosMs) {
    return
  }

  if (partitions && random.chance(500)) {
    partition(world)
  }

  if (crashes && random.chance(300)) {
    random.pick(nodes).crashAfterEffects = random.below(6)
  }

  if (diskFaults && random.chance(300)) {
    disturbDisk(world)
  }

  queue.at(queue.nowMs + random.between(500, 6_000), () => { disturb(world) })
}

/**
 * Runs one scenario from its seed: the same seed, the same run, to the last message.
 * Promises that are checked: agreement, no holes, valid blocks, certificates that show what they
 * are said to show, no contradiction and no unwritten vote of an honest validator, no accusation of
 * one; and, once the network is well, progress of everybody at a bounded number of messages.
 */
export const simulate = (given: Scenario): Report => {
  const scenario: Scenario = { ...given, machine: given.machine ?? consensus }
  const crypto = scenario.crypto ?? fakeCrypto(scenario.stakes, scenario.eras !== undefined)
  const header = { ...genesis, ...genesisOf(scenario, crypto.validators) }
  const nodes = populate(scenario, { hash: crypto.hash(header), header, certificate: null })
  const world: World = {
    scenario,
    crypto,
    random: random(scenario.seed),
    queue: queue(),
    nodes,
    groupOf: nodes.map(() => 0),
    sets: new Map(),
    calm: scenario.chaosMs === 0,
    violations: [],
    finalHashes: new Map(),
    voted: new Map(),
    convicted: new Set(),
    certificates: [],
    messages: 0,
    steps: 0,
    newestFinalMs: 0,
    longestPauseMs: 0
  }
  const honest = nodes.filter(({ villain }) => villain === null)
  const heights = (): number[] => honest.map(({ disk }) => disk.chain.length - 1)

  for (const node of nodes) {
    world.queue.at((node.index === null ? scenario.followersStartMs ?? 0 : 0) + world.random.below(1000), () => { boot(world, node) })
  }

  disturb(world)
  world.queue.runUntil(scenario.chaosMs)
  world.calm = true
  world.newestFinalMs = scenario.chaosMs
  nodes.forEach(node => {
    node.crashAfterEffects = null
    node.writeFault = null
  })
  const heightsBeforeCalm = heights()

  nodes.forEach(node => { step(world, node, { type: 'pending', transactions: true }) })
  const messagesBefore = world.messages
  const heightBefore = Math.max(...heightsBeforeCalm)

  for (let ms = 1000; ms <= scenario.calmMs; ms += 1000) {
    world.queue.runUntil(scenario.chaosMs + ms)

    if (scenario.untilHealed === true && livenessViolations({ heights: heights(), heightsBeforeCalm }, blocksToHeal(scenario)).length === 0) {
      break
    }
  }

  // a pause that lasts to the end is one too
  notePause(world)

  const blocks = Math.max(...heights()) - heightBefore

  return {
    seed: scenario.seed,
    violations: world.violations,
    heights: heights(),
    heightsBeforeCalm,
    convicted: [...world.convicted].sort((a, b) => a - b),
    culprits: world.violations.some(violation => violation.includes('FORK')) ? culpritsOf(world) : [],
    messages: world.messages,
    steps: world.steps,
    era: Math.max(...honest.map(({ disk }) => disk.chain[disk.chain.length - 1].header.era)),
    calmMessagesPerBlock: blocks === 0 ? Infinity : (world.messages - messagesBefore) / blocks,
    longestPauseMs: world.longestPauseMs
  }
}

/** As a node does that sees a fork: of each view, all certificates that anybody honest keeps. Of one era. */
const culpritsOf = ({ certificates, crypto: { validators } }: World): number[] => {
  const both = new Set<number>()

  for (const view of new Set(certificates.map(({ view }) => view))) {
    const [some, others] = (contradictionAmong(certificates.filter(certificate => certificate.view === view)) ?? [])
      .map(({ signers }) => signersOf(signers, validators.length) ?? [])

    some?.filter(signer => others.includes(signer)).forEach(signer => both.add(signer))
  }

  return [...both].sort((a, b) => a - b)
}

/** Blocks in the calm after which a network counts as well; where sets change, beyond two changes. */
const blocksToHeal = ({ eras }: Scenario): number => eras === undefined ? 3 : 2 * eras.epochBlocks + 1

/** What a well network must have brought: everybody higher than anybody was, and nobody far behind. */
export const livenessViolations = ({ heights, heightsBeforeCalm }: Pick<Report, 'heights' | 'heightsBeforeCalm'>, blocksMin = 3): string[] => {
  const before = Math.max(...heightsBeforeCalm)
  const top = Math.max(...heights)

  return heights.flatMap((height, node) => {
    if (height < before + blocksMin) {
      return [`honest node ${node} is at height ${height}, ${before} was final before the calm: no progress`]
    }

    return height < top - 3 ? [`honest node ${node} is at height ${height}, others at ${top}: left behind`] : []
  })
}

const VILLAINS: Villain[] = ['silent', 'nuller', 'equivocator', 'withholder', 'garbler', 'rewinder', 'spoiler', 'twin', 'lazy', 'colluder', 'staller', 'spammer']

/** A scenario drawn from its seed: 4 to 7 validators, equal or unequal stakes, villains and bad disks below a third of the stake. */
export const drawScenario = (seed: number): Scenario => {
  const dice = random(seed ^ 0x5eed)
  const n = dice.between(4, 7)
  const stakes = Array.from({ length: n }, () => dice.chance(300) ? BigInt(dice.between(1, 3)) : 1n)
  const villains: Scenario['villains'] = {}
  const set = stakes.map(stake => ({ stake }))
  const spare = totalStake(set) - quorum(set)
  let bad = 0n

  for (const index of dice.shuffle(stakes.map((_, i) => i))) {
    if (bad + stakes[index] <= spare && dice.chance(800)) {
      bad += stakes[index]
      villains[index] = dice.pick(VILLAINS)
    }
  }

  const frail = stakes.flatMap((stake, index) => villains[index] === undefined && bad + stake <= spare ? [index] : []).slice(0, 1)

  return {
    seed,
    stakes,
    villains,
    frail,
    diskFaults: dice.chance(600),
    followers: dice.below(2),
    chaosMs: dice.between(10, 40) * 1000,
    dropPermille: dice.pick([0, 50, 200, 350]),
    duplicatePermille: dice.pick([0, 50, 200]),
    delayMaxMs: dice.pick([50, 300, 1500]),
    calmMs: 120_000,
    untilHealed: true
  }
}

/** The same with sets of validators that change every few blocks: 6 to 9 who may validate, of which each set has 3 and more. */
export const drawEras = (seed: number): Scenario => {
  const dice = random(seed ^ 0xe2a5)
  const drawn = drawScenario(seed)
  const stakes = new Array<bigint>(dice.between(6, 9)).fill(1n)
  const [first, second, third] = dice.shuffle(stakes.map((_, who) => who))
  const villains = [first, second].filter(() => dice.chance(700))

  return {
    ...drawn,
    stakes,
    villains: Object.fromEntries(villains.map(who => [who, dice.pick([...VILLAINS, 'overrunner'] as const)])),
    frail: dice.chance(500) ? [third] : [],
    eras: { epochBlocks: dice.between(2, 6) }
  }
}

/** All that is wrong with one seed, with the seed in front; empty if nothing is. */
export const trySeed = (seed: number, change: Partial<Scenario> = {}): string[] => tryScenario({ ...drawScenario(seed), ...change })

/** The same of a run in which the set of validators changes. */
export const tryEras = (seed: number, change: Partial<Scenario> = {}): string[] => tryScenario({ ...drawEras(seed), ...change })

const tryScenario = (scenario: Scenario): string[] => {
  const report = simulate(scenario)
  const wrong = [...report.violations, ...livenessViolations(report, blocksToHeal(scenario))]

  return wrong.length === 0 ? [] : [`seed ${scenario.seed} (${scenario.stakes.length} validators, villains ${JSON.stringify(scenario.villains)}):`, ...wrong]
}
