import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { huggingFaceTokenizer } from '../../src/models/index.ts'
import type { Tokenizer } from '../../src/models/index.ts'

const SPECIAL = { bos: 1, eos: 2, stop: [] }
const WORDS: Array<[text: string, score: number]> = [
  ['▁', -2.5], ['▁the', -1.25], ['▁cat', -4.5], ['the', -3], ['t', -5], ['h', -5.25], ['e', -4.75], ['c', -6], ['a', -5.5], ['at', -4], ['cat', -5], ['he', -3.75], ['in', -4], ['i', -6], ['n', -6.5], ['é', -7]
]
const BYTES = Array.from({ length: 256 }, (_, byte): [string, number] => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 0])
const SPACES = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }

/** A file as SentencePiece's converter writes it: unknown, begin and end first. */
function file (bytes: boolean, change: object = {}, model: object = {}): Uint8Array {
  const json = {
    version: '1.0',
    added_tokens: ['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    normalizer: null,
    pre_tokenizer: SPACES,
    post_processor: null,
    decoder: bytes ? { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, SPACES] } : SPACES,
    model: { type: 'Unigram', unk_id: 0, byte_fallback: bytes, vocab: [['<unk>', 0], ['<s>', 0], ['</s>', 0], ...bytes ? BYTES : [], ...WORDS], ...model },
    ...change
  }

  return new TextEncoder().encode(JSON.stringify(json))
}

const read = (bytes: Uint8Array): Tokenizer => huggingFaceTokenizer(bytes, SPECIAL, 300)

/** The best sum of scores of all ways to cut a word, by trying them. */
function best (word: string): number {
  const scores = new Map(WORDS)

  return word === '' ? 0 : Math.max(...Array.from(word, (_, i) => (scores.get(word.slice(0, i + 1)) ?? -Infinity) + best(word.slice(i + 1))))
}

describe('a Unigram vocabulary in tokenizer.json', () => {
  it('cuts each word so that the scores of its pieces have the largest sum', () => {
    const tokenizer = read(file(false))

    fc.assert(fc.property(fc.array(fc.constantFrom('t', 'h', 'e', 'c', 'a', 'the', 'cat', 'in'), { minLength: 1, maxLength: 6 }), parts => {
      const word = parts.join('')
      const sum = [...tokenizer.encode(word)].reduce((total, id) => total + WORDS[id - 3][1], 0)

      expect(sum).to.be.closeTo(best(`▁${word}`), 1e-9)
    }))
    expect([...tokenizer.encode('the cat')].map(id => WORDS[id - 3][0])).to.deep.equal(['▁the', '▁cat'])
  })

  it('gives back any text, characters without a piece by their bytes, the first space apart', () => {
    const tokenizer = read(file(true))

    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom('the', ' ', '  ', 'cat', '😀', 'é', '\n', '<0x41>', '<s>', '<unk>'))), drawn => {
      const text = (typeof drawn === 'string' ? drawn : drawn.join('')).toWellFormed()

      // what Metaspace writes for a space cannot be told from one, nor a first space from the one that it puts first
      expect(tokenizer.decode([1, ...tokenizer.encode(text)])).to.equal(text.replaceAll('▁', ' ').replace(/^ /, ''))
    }), { numRuns: 100 })
  })

  it('makes one unknown token of characters in a row that have neither piece nor bytes', () => {
    const tokenizer = read(file(false))

    expect([...tokenizer.encode('the 東京 cat')].filter(id => id === 0)).to.have.length(1)
    expect(tokenizer.encode('東').at(-1)).to.equal(0)
  })

  it('never makes a special, an unknown or a byte token of its name', () => {
    const tokenizer = read(file(true))

    for (const text of ['<s>', '</s>', '<unk>', '<0x41>']) {
      const ids = [...tokenizer.encode(text)]

      expect(ids.length, text).to.be.greaterThan(1)
      expect(tokenizer.decode([1, ...ids])).to.equal(text)
    }
  })

  it('cuts a text without a space in time', () => {
    expect(tokenizerOfLines().encode('the'.repeat(20_000)).length).to.equal(20_000)
  })

  it('cuts texts as long as a row may be in parts, before spaces, else between characters', () => {
    const tokenizer = tokenizerOfLines()
    const decoded = (text: string): string => tokenizer.decode([1, ...tokenizer.encode(text)])
    const [words, letters, pairs] = ['the cat '.repeat(9_000), 'the'.repeat(22_000), `a${'😀'.repeat(33_000)}`]

    expect(decoded(words)).to.equal(words)
    // each part begins as a text does
    expect(decoded(letters).split(' ').join('')).to.equal(letters)
    expect(decoded(pairs).split(' ').join('')).to.equal(pairs)
  })

  const tokenizerOfLines = (): Tokenizer => read(file(true))
  const hostile: Array<[string, Uint8Array]> = [
    ['scores that are none', file(false, {}, { vocab: [['<unk>', 0], ['a', 'x']] })],
    ['a text twice', file(false, {}, { vocab: [['<unk>', 0], ['a', 0], ['a', 1]] })],
    ['a vocabulary by text', file(false, {}, { vocab: { a: 0 } })],
    ['an unknown token out of range', file(false, {}, { unk_id: 1000 })],
    ['neither unknown token nor bytes', file(false, {}, { unk_id: null })],
    ['a compiled normalizer', file(false, { normalizer: { type: 'Sequence', normalizers: [{ type: 'Precompiled', precompiled_charsmap: 'AA==' }] } })]
  ]
  for (const [what, bytes] of hostile) {
    it(`refuses ${what}`, () => {
      expect(() => read(bytes)).to.throw().with.property('code', 'ERR_TOKENIZER_INVALID')
    })
  }
})
