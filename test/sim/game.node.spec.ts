import assert from 'node:assert/strict'
import { playGame, tryGame } from './game/game.ts'
import type { Character, Game, Played, ValidatorCharacter } from './game/interface.ts'

const HONEST: Character[] = ['honest', 'honest', 'honest', 'honest', 'honest', 'honest', 'honest']
const VALIDATORS: ValidatorCharacter[] = ['honest', 'honest', 'honest', 'honest']

/** Seven seats, of which the first are taken by these. */
const gameOf = (seed: number, villains: Character[], change: Partial<Game> = {}): Game => ({
  seed,
  assessors: [...villains, ...HONEST.slice(villains.length)],
  validators: VALIDATORS,
  seats: 7,
  epochs: 2,
  isFoul: false,
  ...change
})

const play = (seed: number, villains: Character[], change: Partial<Game> = {}): Played => {
  const played = playGame(gameOf(seed, villains, change))

  assert.ok(played.settled > 0)

  return played
}

describe('the game about scores', () => {
  it('keeps its promises whatever villains, faults and changes of the validator set do', () => {
    for (let seed = 1; seed <= 3; seed++) {
      assert.deepEqual(tryGame(seed), [])
    }
  })

  it('is the same again for the same seed', () => {
    const game = gameOf(3, ['liar', 'copier'], { isFoul: true })

    assert.deepEqual(playGame(game), playGame(game))
  })

  it('lets the validator set change while tasks are judged', () => {
    const { violations, eras } = play(2, ['liar', 'colluder'], { epochs: 4 })

    assert.deepEqual(violations, [])
    assert.ok(eras > 0)
  })

  for (const [villain, fault] of [
    ['liar', /wrong-(step|score)/], ['colluder', /wrong-(step|score)/], ['lazy', /wrong-(step|score)/], ['copier', /withheld/], ['parrot', /bad-trace/],
    ['silent', /silent/], ['withholder', /withheld/], ['slanderer', /wrong-report/]
  ] as const) {
    it(`makes a ${villain} pay, and nobody else`, () => {
      const { violations, slashed } = play(1, [villain, villain])

      assert.deepEqual(violations, [])
      assert.match(Object.keys(slashed).join(), fault)
    })
  }

  it('overturns what a committee of colluders agreed on, because somebody looks', () => {
    const all = new Array<Character>(7).fill('colluder')
    const { violations, challenges, slashed } = play(1, all)

    assert.deepEqual(violations, [])
    assert.ok(challenges > 0)
    assert.ok(slashed['wrong-score'] >= 7)
  })

  describe('notices', () => {
    const broken = (change: Partial<Game>, villains: Character[]): string => play(1, villains, change).violations.join()

    it('that nobody looks at what colluders agreed on', () => {
      assert.match(broken({ isWatched: false }, new Array<Character>(7).fill('colluder')), /settled by false scores/)
    })

    it('that more than two thirds of the validators\' stake lies', () => {
      assert.match(broken({ validators: ['liar', 'liar', 'liar', 'liar', 'liar', 'honest', 'honest'] }, ['colluder', 'colluder']), /honest seat was slashed: wrong-step/)
    })
  })
})
