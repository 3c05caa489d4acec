import { quorum, totalStake } from '../../src/consensus/index.ts'
import { toHex } from '../../src/wire/index.ts'
import { SPOILT } from './constants.ts'
import { random } from './random.ts'
import type { FinalEntry, Scenario, SimNode, World } from './interface.ts'
import type { Header, ValidatorInfo } from '../../src/interface/index.ts'

/**
 * Sets of validators change as the ledger changes them. The last block of an epoch decides who
 * validates in the epoch after the next one, and its header names, in `validatorsHash`, the set of the
 * next. All that a real ledger would know stands in the state root: at 0 what this block drew, at 4
 * the draw of the set after this block, at 8 that of the set of the next epoch.
 */
const DRAWN = 0
const NOW = 4
const NEXT = 8

export interface ValidatorSet {
  validators: ValidatorInfo[]
  /** stands for `validatorsHash`: the stake of everybody, so that equal sets have equal ones */
  hash: Uint8Array
}

const word = (bytes: Uint8Array, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)

const bytesOf = (...words: number[]): Uint8Array => {
  const bytes = new Uint8Array(32)
  words.forEach((value, i) => { new DataView(bytes.buffer).setUint32(i * 4, value) })

  return bytes
}

/** The set of one draw: 3 to 6 sound validators, and of the others as many as stay below a third of the stake. */
export const drawSet = ({ seed, villains, frail = [] }: Scenario, people: ValidatorInfo[], draw: number): ValidatorSet => {
  const dice = random(seed ^ draw ^ 0xe7a5)
  const isSound = (who: number): boolean => villains[who] === undefined && !frail.includes(who)
  const order = dice.shuffle(people.map((_, who) => who))
  const stakes = new Map<number, bigint>()

  order.filter(isSound).slice(0, dice.between(3, 6)).forEach(who => stakes.set(who, BigInt(dice.between(1, 3))))

  for (const who of order.filter(who => !isSound(who) && dice.chance(800))) {
    stakes.set(who, BigInt(dice.between(1, 2)))
    const set = [...stakes.values()].map(stake => ({ stake }))
    const bad = [...stakes].reduce((sum, [one, stake]) => isSound(one) ? sum : sum + stake, 0n)

    if (bad > totalStake(set) - quorum(set)) {
      stakes.delete(who)
    }
  }

  const validators = people.flatMap((person, who) => stakes.has(who) ? [{ ...person, stake: stakes.get(who) ?? 0n }] : [])
  const hash = new Uint8Array(32)
  stakes.forEach((stake, who) => { hash[who] = Number(stake) })

  return { validators, hash }
}

const setOf = (world: World, draw: number): ValidatorSet => {
  const set = world.sets.get(draw) ?? drawSet(world.scenario, world.crypto.validators, draw)
  world.sets.set(draw, set)

  return set
}

/** What a block of this height on this parent has to say about the state and the next set. */
export const stateAfter = (world: World, parent: Header, drawn: number): Pick<Header, 'stateRoot' | 'validatorsHash'> => {
  const { eras } = world.scenario

  if (eras === undefined) {
    return { stateRoot: bytesOf(drawn), validatorsHash: new Uint8Array(32) }
  }

  const [now, next] = [word(parent.stateRoot, NOW), word(parent.stateRoot, NEXT)]
  const isCutoff = (parent.height + 1) % eras.epochBlocks === 0
  const after = isCutoff ? [next, drawn] : [now, next]

  return { stateRoot: bytesOf(drawn, ...after), validatorsHash: setOf(world, after[0]).hash }
}

/** Whether a block executes on its parent, if that is known. */
export const executes = (world: World, parent: Header | undefined, header: Header): boolean => {
  if (header.stateRoot[31] === SPOILT || world.scenario.eras === undefined) {
    return header.stateRoot[31] !== SPOILT
  }

  const expected = parent === undefined ? undefined : stateAfter(world, parent, word(header.stateRoot, DRAWN))

  return expected !== undefined && toHex(expected.stateRoot) === toHex(header.stateRoot) && toHex(expected.validatorsHash) === toHex(header.validatorsHash)
}

/** Whether a final block is the last of its era. */
export const isLast = (chain: FinalEntry[], height: number): boolean =>
  height > 0 && toHex(chain[height].header.validatorsHash) !== toHex(chain[height - 1].header.validatorsHash)

/** The era that follows a node's last final block, and its own place in it. */
export const enterEra = (world: World, node: SimNode): void => {
  const { chain } = node.disk
  const { header } = chain[chain.length - 1]

  node.era = header.era + (isLast(chain, chain.length - 1) ? 1 : 0)
  node.set = world.scenario.eras === undefined ? world.crypto.validators : setOf(world, word(header.stateRoot, NOW)).validators
  node.place = placeOf(world, node, node.index)
}

/** Where somebody stands in the set of a node's era; null for who is not in it. */
export const placeOf = ({ crypto }: World, { set }: SimNode, index: number | null): number | null => {
  const place = index === null ? -1 : set.findIndex(({ account }) => account === crypto.validators[index].account)

  return place < 0 ? null : place
}

/** Who stands at a place of a node's era. */
export const whoIs = ({ crypto }: World, { set }: SimNode, place: number): number =>
  crypto.validators.findIndex(({ account }) => account === set[place].account)

/** Validators of the genesis, and what the genesis header says of them. */
export const genesisOf = (scenario: Scenario, people: ValidatorInfo[]): Pick<Header, 'stateRoot' | 'validatorsHash'> => ({
  stateRoot: new Uint8Array(32),
  validatorsHash: scenario.eras === undefined ? new Uint8Array(32) : drawSet(scenario, people, 0).hash
})
