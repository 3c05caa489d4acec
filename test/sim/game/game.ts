import { bls, blsSecretKey, deriveSeed } from '../../../src/identity/index.ts'
import { readAccount, readUnbonding, readValidators } from '../../../src/ledger/index.ts'
import { equalBytes, toHex } from '../../../src/wire/index.ts'
import { random } from '../random.ts'
import { checkBlock, checkEnd } from './rules.ts'
import { play, tableOf, tasksIn, truthOf } from './seats.ts'
import { delegator, gateway, joiner, meddler, nextBlock, OPEN, PARAMS, populate, redeemBody, setUp, sign, watcher } from './setup.ts'
import type { Actor, Board, Character, Game, Played, ValidatorCharacter } from './interface.ts'
import type { Signer } from '../../../src/identity/index.ts'
import type { Signed, Transaction, TransactionBody } from '../../../src/interface/index.ts'
import type { LedgerState } from '../../../src/ledger/index.ts'

const FEES = 3n * OPEN + 1n

/** Blocks after the weather by which every task has ended: each phase of each committee, twice over. */
const CALM_BLOCKS = 2 * 3 * (PARAMS.commitBlocks + PARAMS.revealBlocks + 4 * PARAMS.openBlocks + PARAMS.verdictBlocks + PARAMS.challengeBlocks)

const head = ({ states }: Board): LedgerState => states[states.length - 1]

const submit = ({ pending, random, game, isCalm, states }: Board, sender: Actor | null, who: Signer, nonce: number, body: TransactionBody): void => {
  const isRough = game.isFoul && !isCalm && sender !== null
  const height = states[states.length - 1].height + 1
  const signed = sign(who, nonce, body)

  if (isRough && random.chance(200)) {
    return
  }

  for (let copies = isRough && random.chance(100) ? 2 : 1; copies > 0; copies--) {
    pending.push({ signed, sender, fromHeight: Math.max(height + (isRough ? random.below(3) : 0), sender?.cutUntil ?? 0) })
  }
}

/** Everybody looks at the ledger, as far as it is known there, and sends what is due. */
const lookAround = (board: Board): void => {
  const { actors, states, random, game, isCalm } = board

  for (const actor of actors) {
    const { height } = head(board)

    if (height < actor.awayUntil) {
      continue
    }

    const slowness = game.isFoul && !isCalm ? random.below(2) : 0
    const lag = height < actor.cutUntil ? actor.cutUntil - height : slowness
    const view = states[Math.max(0, states.length - 1 - lag)]
    let { nonce } = readAccount(view, actor.who.account)

    for (const task of tasksIn(view)) {
      for (const body of play(board, actor, task, view)) {
        submit(board, actor, actor.who, nonce++, body)
      }
    }
  }
}

/** Who recomputes results and challenges what is false; and who challenges what is true. */
const watch = (board: Board): void => {
  const view = head(board)

  for (const { task: id, state } of tasksIn(view)) {
    const { phase, scoreRoot, challenge, verdicts } = state

    if (phase !== 'challenge' || scoreRoot === null || challenge !== null || verdicts.length > 0) {
      continue
    }

    const truth = truthOf(board, id, state)

    if (truth.receipts === 'fine' && !equalBytes(tableOf(truth).root, scoreRoot)) {
      if (board.game.isWatched !== false) {
        submit(board, null, watcher, readAccount(view, watcher.account).nonce, { kind: 'challenge', task: id })
      }
    } else if (board.random.chance(20)) {
      submit(board, null, meddler, readAccount(view, meddler.account).nonce, { kind: 'challenge', task: id })
    }
  }
}

/** The gateway redeems twice an epoch. */
const redeem = (board: Board): void => {
  const { random, report, game } = board
  const view = head(board)
  const adapters = random.between(1, 2)
  const beacon = `${game.seed} ${view.height}`

  report.asked += FEES * BigInt(adapters)
  submit(board, null, gateway, readAccount(view, gateway.account).nonce, redeemBody(report.asked, FEES, adapters, beacon))
}

/** Validators come and go: a new one with delegated stake, and stake that moves between old ones. */
const moveStake = (board: Board): void => {
  const { random } = board
  const view = head(board)
  const { height } = view
  const honest = board.actors.filter(({ validator }) => validator === 'honest')
  const send = (who: Signer, body: TransactionBody): void => { submit(board, null, who, readAccount(view, who.account).nonce, body) }

  if (height === 8) {
    const secretKey = blsSecretKey(deriveSeed('game', 'joiner'))

    send(joiner, { kind: 'register-validator', blsPublicKey: bls.publicKeyOf(secretKey), possession: bls.possess(secretKey, joiner.account), amount: 300n * OPEN })
  } else if (height > 9 && random.chance(250)) {
    send(delegator, { kind: 'bond', validator: random.pick(honest).who.account, amount: BigInt(random.between(1, 400)) * OPEN })
  } else if (height > 9 && random.chance(150)) {
    send(delegator, readUnbonding(view, delegator.account).length > 0 && random.chance(500)
      ? { kind: 'withdraw' }
      : { kind: 'unbond', validator: random.pick(honest).who.account, amount: BigInt(random.between(1, 400)) * OPEN })
  } else if (random.chance(100)) {
    // a villain tries to get its stake out of reach
    const { who } = random.pick(board.actors.filter(({ character }) => character !== 'silent'))

    send(who, { kind: 'unstake', amount: BigInt(random.between(1, 5_000)) * OPEN })
  }
}

/** Machines stop, lose what they knew, and are out of reach. */
const disturb = ({ actors, random, states }: Board): void => {
  const { height } = states[states.length - 1]

  for (const actor of actors) {
    if (random.chance(40)) {
      actor.awayUntil = height + random.between(1, 5)
    } else if (random.chance(30)) {
      actor.cutUntil = height + random.between(1, 6)
    } else if (random.chance(4)) {
      actor.journal.clear()
    }
  }
}

/** Picks a block: a censor leaves out most of what others sent; order is anybody's. */
const fill = (board: Board): Array<Signed<Transaction>> => {
  const { random, actors } = board
  const state = head(board)
  const height = state.height + 1
  const validators = readValidators(state)
  const proposer = actors.find(({ who }) => equalBytes(who.account, validators[height % validators.length].account))
  const nonces = new Map<string, number>()
  const chosen: Array<Signed<Transaction>> = []
  const isStale = ({ signed }: Board['pending'][number]): boolean => signed.payload.nonce < readAccount(state, signed.signer).nonce

  board.pending = board.pending.filter(one => !isStale(one) && one.fromHeight > height - 6)

  const ready = random.shuffle(board.pending.filter(({ fromHeight }) => fromHeight <= height))

  for (const { signed, sender } of ready.toSorted((a, b) => a.signed.payload.nonce - b.signed.payload.nonce)) {
    const account = toHex(signed.signer)
    const nonce = nonces.get(account) ?? readAccount(state, signed.signer).nonce
    const isCensored = proposer?.validator === 'censor' && sender !== null && random.chance(800)

    if (signed.payload.nonce === nonce && !isCensored) {
      nonces.set(account, nonce + 1)
      chosen.push(signed)
    }
  }

  return chosen
}

const advance = (board: Board): void => {
  const before = head(board)
  const { state, events } = nextBlock(before, fill(board))

  board.states.push(state)
  board.report.blocks++
  checkBlock(board, before, state, events)
}

/**
 * Plays one game from its seed: several epochs of paid answers, whose tasks are recomputed by
 * committees of honest and false assessors and judged by validators that come and go. The rules are
 * the ledger's own; what to do when is the assessor's own `dutyOf`; the computation is a stand-in.
 */
export const playGame = (game: Game): Played => {
  const dice = random(game.seed)
  const report: Played = { seed: game.seed, violations: [], blocks: 0, settled: 0, unavailable: 0, disputes: 0, challenges: 0, slashed: {}, eras: 0, asked: 0n }
  const board: Board = { game, random: dice, actors: populate(game), states: [setUp(game, String(game.seed))], report, pending: [], truths: new Map(), isCalm: false }
  const lastHeight = head(board).height + game.epochs * PARAMS.epochBlocks

  for (let calm = 0; calm < CALM_BLOCKS;) {
    const { height } = head(board)

    board.isCalm = height >= lastHeight

    if (board.isCalm) {
      calm++
      board.actors.forEach(actor => { actor.awayUntil = 0 })
      board.actors.forEach(actor => { actor.cutUntil = Math.min(actor.cutUntil, height) })
    } else {
      if ([1, 3].includes(height % PARAMS.epochBlocks)) {
        redeem(board)
      }

      moveStake(board)

      if (game.isFoul) {
        disturb(board)
      }
    }

    watch(board)
    lookAround(board)

    if (board.isCalm && isOver(board)) {
      break
    }

    advance(board)
  }

  checkEnd(board)

  return report
}

/** All tasks have ended, and nobody had anything to send. */
const isOver = (board: Board): boolean =>
  board.pending.length === 0 && tasksIn(head(board)).every(({ state: { phase } }) => phase === 'settled' || phase === 'unavailable')

const ASSESSORS: Character[] = ['liar', 'colluder', 'colluder', 'lazy', 'copier', 'parrot', 'silent', 'withholder', 'denier', 'slanderer']
const VALIDATORS: ValidatorCharacter[] = ['liar', 'echo', 'mute', 'censor']

/** A game drawn from its seed: villains below a third of the assessors and, whoever leaves, of the validators' stake. */
export const drawGame = (seed: number): Game => {
  const dice = random(seed ^ 0x9a3e)
  const n = dice.between(7, 10)
  const bad = dice.below(Math.ceil(n / 3))
  const v = dice.between(4, 7)
  const badValidators = dice.below(Math.ceil(v / 3))

  return {
    seed,
    assessors: dice.shuffle(Array.from({ length: n }, (_, i) => i < bad ? dice.pick(ASSESSORS) : 'honest')),
    validators: dice.shuffle(Array.from({ length: v }, (_, i) => i < badValidators ? dice.pick(VALIDATORS) : 'honest')),
    seats: dice.between(4, n),
    epochs: dice.between(2, 4),
    isFoul: dice.chance(500)
  }
}

/** All that is wrong with one seed, with the seed in front; empty if nothing is. */
export const tryGame = (seed: number, change: Partial<Game> = {}): string[] => {
  const game = { ...drawGame(seed), ...change }
  const { violations } = playGame(game)

  return violations.length === 0
    ? []
    : [`game ${seed} (${game.isFoul ? 'foul' : 'fair'}, ${game.seats} seats, assessors ${game.assessors.join(' ')}, validators ${game.validators.join(' ')}):`, ...violations]
}
