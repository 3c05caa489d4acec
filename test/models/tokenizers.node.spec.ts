import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { huggingFaceTokenizer, llama2cPieces, parseSentencePiece, parseTokenizer, sentencePieceTokenizer, writeSentencePiece } from '../../src/models/index.ts'
import { smallPieces } from './fixtures.ts'

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../../${path}`, import.meta.url)))
const LLAMA = { bos: 1, eos: 2, stop: [] }

describe('tokenizer.json through the library', () => {
  const bytes = read('models/base/tokenizer.json')
  const ours = parseTokenizer(bytes)
  const theirs = huggingFaceTokenizer(bytes, { bos: 0, eos: 1, stop: [] }, ours.size)

  it('agrees with our own code on our own base', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' }), fc.lorem({ maxCount: 12 })), text => {
      expect([...theirs.encode(text)]).to.deep.equal([...ours.encode(text)])
      expect(theirs.decode(theirs.encode(text))).to.equal(text.toWellFormed())
    }), { numRuns: 300 })
  })

  it('never makes a special token of text, and gives none to read', () => {
    for (const text of ['<|bos|>', 'a<|eos|>b', '<|bos|><|eos|>']) {
      const ids = [...theirs.encode(text)]
      expect(ids).to.not.include.members([0])
      expect(ids).to.not.include.members([1])
      expect(theirs.decode(ids)).to.equal(text)
    }
    expect(theirs.decode([0, 1])).to.equal('')
    expect([...theirs.special]).to.deep.equal([['<|bos|>', 0], ['<|eos|>', 1]])
  })

  it('gives nothing for ids that pad the vocabulary', () => {
    const padded = huggingFaceTokenizer(bytes, { bos: 0, eos: 1, stop: [] }, ours.size + 64)
    expect(padded.tokenBytes(ours.size + 63)).to.have.length(0)
    expect(() => padded.tokenBytes(ours.size + 64)).to.throw().with.property('code', 'ERR_TOKENIZER_INVALID')
  })

  const json = JSON.parse(new TextDecoder().decode(bytes))
  const hostile: Array<[string, unknown]> = [
    ['a list', []],
    ['another kind of model', { ...json, model: { ...json.model, type: 'WordPiece' } }],
    ['a decoder that is none of bytes', { ...json, decoder: { type: 'WordPiece' } }],
    ['an id out of range', { ...json, model: { ...json.model, vocab: { ...json.model.vocab, x: 1e9 } } }],
    ['an added token without a text', { ...json, added_tokens: [{ id: 5 }] }],
    ['merges that are no list', { ...json, model: { ...json.model, merges: 5 } }],
    ['an endless pattern', { ...json, pre_tokenizer: { type: 'Split', pattern: { Regex: 'a'.repeat(10_000) } } }],
    ['a pre-tokenizer of lists in lists', JSON.parse(JSON.stringify(json).replace(/"pre_tokenizer":\{/, `$&"x":${'['.repeat(100)}${']'.repeat(100)},`))],
    ['a pattern that is none', { ...json, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated', invert: false } }]
  ]
  for (const [what, value] of hostile) {
    it(`refuses ${what}`, () => {
      expect(() => huggingFaceTokenizer(new TextEncoder().encode(JSON.stringify(value)), { bos: 0, eos: 1, stop: [] }, ours.size))
        .to.throw().with.property('code', 'ERR_TOKENIZER_INVALID')
    })
  }
})

describe('SentencePiece', () => {
  const model = smallPieces()
  const tokenizer = sentencePieceTokenizer(model, LLAMA)

  it('leaves out spaces that a model does not want, in a row of a million of them as soon as anywhere', () => {
    const tidy = sentencePieceTokenizer({ ...model, removeExtraWhitespaces: true }, LLAMA)
    expect([...tidy.encode('  the   cat ')]).to.deep.equal([...tokenizer.encode('the cat')])
    // a look at the rest of the run from each of its spaces would take an hour
    expect([...tidy.encode(`the${' '.repeat(1_000_000)}cat`)]).to.deep.equal([...tokenizer.encode('the cat')])
    expect([...tidy.encode('   ')]).to.deep.equal([])
  })

  it('gives back any text, the space that it puts first apart', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => {
      expect(tokenizer.decode([1, ...tokenizer.encode(text)])).to.equal(text.toWellFormed())
    }), { numRuns: 300 })
  })

  it('merges what scores highest first, and the same whether words are merged alone or together', () => {
    // a piece that reaches over the end of a word, and that no text here has
    const together = sentencePieceTokenizer({ ...model, pieces: [...model.pieces, { text: 'q▁q', score: -99, type: 1 }] }, LLAMA)
    fc.assert(fc.property(fc.array(fc.constantFrom('the', 'cat', ' ', '  ', 'There', 'mat', 'on', 'é', 'in', 'ere')), parts => {
      const text = parts.join('')
      expect([...together.encode(text)]).to.deep.equal([...tokenizer.encode(text)])
    }))
    expect([...tokenizer.encode('the cat')].map(id => model.pieces[id].text)).to.deep.equal(['▁the', '▁cat'])
  })

  it('merges a long text without a space in time', () => {
    expect(tokenizer.encode('the'.repeat(30_000)).length).to.be.greaterThan(30_000)
  })

  it('reads the tokenizer.model that it wrote, and refuses what is cut or another kind', () => {
    const bytes = writeSentencePiece(model)
    const back = parseSentencePiece(bytes)
    expect(back).to.deep.equal({ ...model, pieces: model.pieces.map(piece => ({ ...piece, score: Math.fround(piece.score) })) })
    fc.assert(fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const damaged = bytes.slice()
      damaged[at] = value
      for (const file of [damaged, bytes.subarray(0, at)]) {
        try {
          sentencePieceTokenizer(parseSentencePiece(file), LLAMA)
        } catch (err) {
          expect(err).to.have.property('code', 'ERR_TOKENIZER_INVALID')
        }
      }
    }), { numRuns: 300 })
  })

  const shared = new URL('../../../shared/models/', import.meta.url)
  const real = existsSync(new URL('tok512.model', shared)) ? it : it.skip
  real('has the same pieces from tokenizer.model and from llama2.c\'s tokenizer.bin (needs ../shared/models)', () => {
    const one = parseSentencePiece(new Uint8Array(readFileSync(new URL('tok512.model', shared))))
    const other = llama2cPieces(new Uint8Array(readFileSync(new URL('tok512.bin', shared))), 512)
    expect(other.pieces.slice(3)).to.deep.equal(one.pieces.slice(3))
    const text = 'Once upon a time, there was a little girl named Lily.'
    expect([...sentencePieceTokenizer(one, LLAMA).encode(text)]).to.deep.equal([...sentencePieceTokenizer(other, LLAMA).encode(text)])
  })
})
