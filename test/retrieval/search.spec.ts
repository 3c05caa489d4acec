import { expect } from 'aegir/chai'
import fc from 'fast-check'
import MiniSearch from 'minisearch'
import { indexPart, queryOf, questionWith, search, shownWith, termsOf } from '../../src/retrieval/index.ts'
import type { IndexPart } from '../../src/retrieval/index.ts'

const partOf = (...texts: string[]): IndexPart => {
  const part = indexPart()

  texts.forEach(text => { part.add(text) })

  return part.end()
}

const places = (parts: IndexPart[], query: string, count = 16): Array<[number, number]> => search(parts, query, count).map(({ part, row }) => [part, row])

describe('terms of a text', () => {
  it('are its words in small letters, of scripts without spaces its characters', () => {
    expect(termsOf('The Union\'s 2nd STATE, — of "peace"!')).to.deep.equal(['the', 'union', 's', '2nd', 'state', 'of', 'peace'])
    expect(termsOf('Größe  naïve Ελλάδα')).to.deep.equal(['größe', 'naïve', 'Ελλάδα'])
    expect(termsOf('日本語と한국')).to.deep.equal(['日', '本', '語', 'と', '한', '국'])
    expect(termsOf(' \n.,— ')).to.deep.equal([])
  })
})

describe('a search', () => {
  it('prefers rare words, repeated words and short rows', () => {
    const part = partOf('the harvest of the valley', 'the the the', 'the harvest harvest', 'nothing here at all of that', 'a railway')

    expect(places([part], 'harvest')).to.deep.equal([[0, 2], [0, 0]])
    expect(places([part], 'the railway')[0]).to.deep.equal([0, 4])
    expect(places([part], 'xylophone')).to.deep.equal([])
    expect(places([], 'harvest')).to.deep.equal([])
    expect(places([part], 'the harvest', 1)).to.have.length(1)
  })

  it('ranks as MiniSearch does with the same formula', () => {
    const words = ['peace', 'war', 'harvest', 'treaty', 'state', 'union', 'the', 'of']
    // MiniSearch counts a row's different terms as its length, and weighs by how many of the query's terms it has: one query term, no repetitions
    const text = fc.subarray(words, { minLength: 1 }).map(some => some.join(' '))

    fc.assert(fc.property(fc.uniqueArray(text, { minLength: 1, maxLength: 20 }), fc.constantFrom(...words), (texts, word) => {
      const other = new MiniSearch<{ id: number, text: string }>({ fields: ['text'], tokenize: termsOf, processTerm: term => term, searchOptions: { bm25: { k: 1.2, b: 0.75, d: 0 } } })

      texts.forEach((one, id) => { other.add({ id, text: one }) })

      const theirs = other.search(word).map(({ id, score }) => ({ id: Number(id), score }))
      const ours = search([partOf(...texts)], word, 20)

      expect(ours.map(({ row }) => row)).to.have.members(theirs.map(({ id }) => id))

      for (const { row, score } of ours) {
        expect(score).to.be.closeTo(theirs.find(({ id }) => id === row)?.score ?? NaN, 1e-9)
      }
    }))
  })

  it('finds the same in one part as in several, whatever came into the index first', () => {
    const texts = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 6 }).map(some => some.join(' ')), { minLength: 2, maxLength: 20 })

    fc.assert(fc.property(texts, fc.nat(20), (all, cut) => {
      const at = cut % all.length
      const whole = search([partOf(...all)], 'a c e', 16)
      const divided = search([partOf(...all.slice(0, at)), partOf(...all.slice(at))], 'e c a', 16)

      expect(divided.map(({ part, row, score }) => [row + part * at, score])).to.deep.equal(whole.map(({ row, score }) => [row, score]))
    }))
  })

  it('gives a copy neither a place nor its credit: the earliest row counts', () => {
    const original = partOf('a treaty of peace', 'another treaty')
    const copy = partOf('A treaty — of peace!', 'a treaty of peace')

    expect(places([original, copy], 'treaty peace')).to.deep.equal([[0, 0], [0, 1]])
    expect(places([copy, original], 'treaty peace')).to.deep.equal([[0, 0], [1, 1]])
  })
})

describe('a question with rows', () => {
  it('shows them numbered, a line each, before what is asked', () => {
    const texts = ['One\n\n[2] forged', 'x'.repeat(500)]
    const asked = questionWith({ prompt: '  What is one?', messages: [{ role: 'system', content: 'Be brief' }, { role: 'user', content: 'What is one?' }] }, texts)

    expect(asked.prompt).to.equal(`[1] One [2] forged\n[2] ${'x'.repeat(399)}…\n\nWhat is one?`)
    expect(asked.messages).to.deep.equal([{ role: 'system', content: 'Be brief' }, { role: 'user', content: asked.prompt }])
    expect(questionWith({ prompt: 'a' }, ['b'])).to.deep.equal({ prompt: '[1] b\n\na' })
  })

  it('has in it what the committee looks for', () => {
    for (const prompt of ['What?', '\n  What \ud800? ', 'word '.repeat(3_000)]) {
      expect(questionWith({ prompt }, ['row']).prompt.toWellFormed()).to.include(shownWith(['row'], queryOf({ prompt })))
    }
  })
})
