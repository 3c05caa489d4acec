import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { huggingFaceTokenizer, llama2cPieces, parseSentencePiece, parseTokenizer, sentencePieceTokenizer, writeSentencePiece } from '../../src/models/index.ts'
import { smallPieces } from './fixtures.ts'

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../../${path}`, import.meta.url)))
/** The letter that byte-level tokenizers have for each byte: what prints is itself. */
const BYTES = ((): string[] => {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode((byte > 32 && byte < 127) || (byte > 160 && byte !== 173) ? byte : next++))
})()
const LLAMA = { bos: 1, eos: 2, stop: [] }

describe('tokenizer.json through the library', () => {
  const bytes = read('models/base/tokenizer.json')
  const json = JSON.parse(new TextDecoder().decode(bytes))
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

  it('takes for special what ends a text, and what looks like a turn of a chat, whatever the file calls it', () => {
    const names = ['<|im_start|>', '<｜User｜>', '<tool_call>', '[over]']
    const file = JSON.parse(new TextDecoder().decode(bytes))
    file.added_tokens.push(...names.map((content, i) => ({ id: ours.size + i, content, special: false, normalized: false })))
    file.model.vocab['</over>'] = ours.size + 4
    const own = huggingFaceTokenizer(new TextEncoder().encode(JSON.stringify(file)), { bos: 0, eos: ours.size + 4, stop: [ours.size + 3] }, ours.size + 5)
    expect([...own.special.keys()]).to.have.members(['<|bos|>', '<|eos|>', '<|im_start|>', '<｜User｜>', '[over]', '</over>'])
    const ids = [...own.encode('a<|im_start|><｜User｜><tool_call>[over]</over>')]
    expect(ids.filter(id => id >= ours.size)).to.deep.equal([ours.size + 2])
    expect(own.decode(ids)).to.equal('a<|im_start|><｜User｜><tool_call>[over]</over>')
  })

  /** By the pre-tokenizer that a text goes through. */
  const cutBy = (preTokenizer: unknown): (text: string) => number[] => {
    const file = JSON.parse(new TextDecoder().decode(bytes))
    const token = (left: string, right: string): string => {
      file.model.vocab[left + right] ??= Object.keys(file.model.vocab).length
      file.model.merges.push(`${left} ${right}`)
      return left + right
    }
    // a token for each of these, and one for two of them, which a pre-tokenizer may or may not leave together
    for (const text of [' ', '٣', '²', '\ufeff', '\u0085']) {
      const one = [...new TextEncoder().encode(text)].map(byte => BYTES[byte]).reduce(token)
      token(one, one)
    }
    const own = huggingFaceTokenizer(new TextEncoder().encode(JSON.stringify({ ...file, pre_tokenizer: preTokenizer })), { bos: 0, eos: 1, stop: [] }, ours.size + 32)
    return text => [...own.encode(text)].map(id => own.tokenBytes(id).length)
  }
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }

  it('cuts at white space and numbers as Unicode has them', () => {
    const gpt2 = cutBy(byteLevel)
    // U+0085 is white space, U+FEFF is not: the last of a run of white space goes with what follows
    expect(gpt2('\u0085\u0085!')).to.deep.equal([2, 2, 1])
    expect(gpt2('\ufeff\ufeff!')).to.deep.equal([6, 1])
    const digits = cutBy({ type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel] })
    expect(gpt2('٣٣')).to.deep.equal([4])
    for (const [text, lengths] of [['٣٣', [2, 2]], ['²²', [2, 2]], ['  ٣', [2, 2]]] as const) {
      expect(digits(text), text).to.deep.equal(lengths)
    }
    expect(cutBy({ type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: false }, byteLevel] })('  ٣٣')).to.deep.equal([2, 4])
  })

  it('refuses patterns that may not end', () => {
    for (const Regex of ['(a+)+$', '(?:a|a)*b', '((a{1,3}))+', '(?i:[)]|x)+', '(\\p{L}|(b))*', '(?<w>a?){2,}', '[]a](a*)*', '[^]a](a*)*']) {
      expect(() => cutBy({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }), Regex).to.throw('it may not end').with.property('code', 'ERR_TOKENIZER_INVALID')
    }
    const normalizer = { type: 'Sequence', normalizers: [{ type: 'Replace', pattern: { Regex: '(.*)*x' }, content: '' }] }
    expect(() => huggingFaceTokenizer(new TextEncoder().encode(JSON.stringify({ ...json, normalizer })), { bos: 0, eos: 1, stop: [] }, ours.size)).to.throw('it may not end')
  })

  it('takes the patterns of published tokenizers', () => {
    for (const Regex of [
      '(?i:\'s|\'t|\'re|\'ve|\'m|\'ll|\'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
      '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:\'s|\'t|\'re|\'ve|\'m|\'ll|\'d)?|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s+',
      '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s+'
    ]) {
      const cut = cutBy({ type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }, { ...byteLevel, use_regex: false }] })
      expect(cut('a cat\'s 12 (mats)').reduce((sum, length) => sum + length, 0)).to.equal(17)
    }
  })

  it('refuses pre-tokenizers that the library only imitates, by name', () => {
    for (const [name, preTokenizer] of Object.entries({
      Whitespace: { type: 'Whitespace' },
      Punctuation: { type: 'Sequence', pretokenizers: [{ type: 'Punctuation' }, byteLevel] },
      MergedWithNext: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithNext', invert: false }
    })) {
      expect(() => cutBy(preTokenizer)).to.throw(name).with.property('code', 'ERR_TOKENIZER_INVALID')
    }
  })

  it('gives nothing for ids that pad the vocabulary', () => {
    const padded = huggingFaceTokenizer(bytes, { bos: 0, eos: 1, stop: [] }, ours.size + 64)
    expect(padded.tokenBytes(ours.size + 63)).to.have.length(0)
    expect(() => padded.tokenBytes(ours.size + 64)).to.throw().with.property('code', 'ERR_TOKENIZER_INVALID')
  })

  const hostile: Array<[string, unknown]> = [
    ['a list', []],
    ['another kind of model', { ...json, model: { ...json.model, type: 'WordPiece' } }],
    ['a decoder that is none of bytes', { ...json, decoder: { type: 'WordPiece' } }],
    ['an id out of range', { ...json, model: { ...json.model, vocab: { ...json.model.vocab, x: 1e9 } } }],
    ['an added token without a text', { ...json, added_tokens: [{ id: 5 }] }],
    ['no token for a byte', { ...json, model: { ...json.model, vocab: Object.fromEntries(Object.entries(json.model.vocab).filter(([text]) => text !== 'q')) } }],
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

  it('makes no end of a text from one, whatever type its piece has', () => {
    const at = model.pieces.length
    const own = sentencePieceTokenizer({ ...model, pieces: [...model.pieces, { text: 'there', score: 9, type: 1 }, { text: 'ther', score: 9, type: 1 }, { text: 'the', score: 9, type: 1 }, { text: 'th', score: 9, type: 1 }] }, { bos: 1, eos: at, stop: [] })
    expect([...own.encode('there')]).to.not.include(at)
    expect(own.decode([1, ...own.encode('there')])).to.equal('there')
    expect(own.special.get('there')).to.equal(at)
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

  it('has the same tokens from the tokenizer.json that Hugging Face makes of it', () => {
    const vocab = Object.fromEntries(model.pieces.map(({ text }, id) => [text, id]))
    // every way to join two pieces into a third, the highest score first
    const merges = model.pieces.flatMap(({ text, score, type }) => type !== 1
      ? []
      : Array.from({ length: text.length - 1 }, (_, i) => ({ left: text.slice(0, i + 1), right: text.slice(i + 1), score })))
      .filter(({ left, right }) => vocab[left] != null && vocab[right] != null)
      .sort((a, b) => b.score - a.score)
    const json = {
      version: '1.0',
      added_tokens: ['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content, special: true, normalized: false })),
      normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] },
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] },
      model: { type: 'BPE', dropout: null, unk_token: '<unk>', fuse_unk: true, byte_fallback: true, vocab, merges: merges.map(({ left, right }) => `${left} ${right}`) }
    }
    const theirs = huggingFaceTokenizer(new TextEncoder().encode(JSON.stringify(json)), LLAMA, model.pieces.length)
    const parts = fc.constantFrom('the', ' cat', 'There', ' ', '  ', '\n', 'é', '😀', '<s>', '</s>', '<0x41>', '12', '▁', 'ine')
    fc.assert(fc.property(fc.array(parts, { maxLength: 8 }), words => {
      const text = words.join('')
      expect([...theirs.encode(text)], JSON.stringify(text)).to.deep.equal([...tokenizer.encode(text)])
      expect(theirs.decode([1, ...theirs.encode(text)])).to.equal(text.replaceAll('▁', ' '))
    }), { numRuns: 300 })
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
