import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { parseTokenizer, tokenizer, trainTokenizer, writeTokenizer } from '../../src/models/index.ts'

const texts = [
  'the whale and the whaler met at the wharf; the whale won.',
  'Ünïcode façades and naïve cafés: the façade of the café.',
  'In 1851 and in 1851 again, the 2nd time.\n\n\tIndented.'
]
const bpe = trainTokenizer(texts, 320)
const json = writeTokenizer(bpe)
const ours = tokenizer(bpe)

function changed (change: (json: any) => void): Uint8Array {
  const copy = JSON.parse(new TextDecoder().decode(json))
  change(copy)
  return new TextEncoder().encode(JSON.stringify(copy))
}

describe('tokenizer', () => {
  it('gives back any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
      expect(ours.decode(ours.encode(text))).to.equal(text)
    }))
  })

  it('gives back long runs without a space in time', () => {
    const text = 'a'.repeat(200_000) + '\n'.repeat(1000) + '😀'.repeat(1000)
    expect(ours.decode(ours.encode(text))).to.equal(text)
  })

  it('turns lone surrogates into U+FFFD', () => {
    expect(ours.decode(ours.encode('a\ud800b'))).to.equal('a\ufffdb')
  })

  it('never encodes text as a special token', () => {
    expect([...ours.encode('<|bos|><|eos|>')]).to.not.include.members([ours.bos]).and.not.include(ours.eos)
  })

  it('skips special tokens and shows parts of a character as U+FFFD when it decodes', () => {
    expect(ours.decode([ours.bos, ...ours.encode('whale'), ours.eos])).to.equal('whale')
    expect(ours.tokenText(2 + 0xc3)).to.equal('\ufffd')
    expect(ours.tokenBytes(ours.bos)).to.have.length(0)
    expect(() => ours.tokenBytes(320)).to.throw().with.property('code', 'ERR_TOKENIZER_INVALID')
  })

  it('learns the same tokens whatever the order of the texts', () => {
    expect(writeTokenizer(trainTokenizer([...texts].reverse(), 320))).to.deep.equal(json)
  })

  it('breaks ties by the bytes of the pair', () => {
    const { tokens, merges } = trainTokenizer(['zy zy ab ab'], 259)
    expect(merges).to.have.length(1)
    expect([...tokens[258]]).to.deep.equal([0x20, 0x61])
  })

  it('stops when no pair is seen twice', () => {
    expect(trainTokenizer(['abc'], 400).tokens).to.have.length(258)
  })

  it('merges what is frequent', () => {
    expect(ours.encode(' whale')).to.have.length.below(3)
  })

  it('reads the tokenizer.json that it wrote, in both spellings of merges', () => {
    const pairs = changed(root => { root.model.merges = root.model.merges.map((merge: string) => merge.split(' ')) })
    for (const bytes of [json, pairs]) {
      const read = parseTokenizer(bytes)
      expect(read.size).to.equal(ours.size)
      for (const text of texts) {
        expect(read.encode(text)).to.deep.equal(ours.encode(text))
      }
    }
  })

  const hostile: Array<[string, Uint8Array]> = [
    ['what is no JSON', Uint8Array.of(0x7b)],
    ['a list', new TextEncoder().encode('[]')],
    ['another way of cutting text', changed(root => { root.pre_tokenizer = { type: 'ByteLevel' } })],
    ['another kind of model', changed(root => { root.model.type = 'Unigram' })],
    ['a third special token', changed(root => { root.added_tokens.push({ id: 5, content: '<pad>' }) })],
    ['an id that is used twice', changed(root => { root.model.vocab.a = root.model.vocab.b })],
    ['an id out of range', changed(root => { root.model.vocab.a = 320 })],
    ['a missing byte', changed(root => { root.model.vocab['aa'] = root.model.vocab.a; delete root.model.vocab.a })],
    ['a merge of unknown tokens', changed(root => { root.model.merges[0] = 'qq zz' })],
    ['a merge of three', changed(root => { root.model.merges[0] = 't h e' })],
    ['a merge of a special token', changed(root => { root.model.merges[0] = '<|bos|> a' })],
    ['more merges than tokens', changed(root => { root.model.merges = new Array(321).fill(root.model.merges[0]) })]
  ]
  for (const [what, bytes] of hostile) {
    it(`refuses ${what}`, () => {
      expect(() => parseTokenizer(bytes)).to.throw().with.property('code', 'ERR_TOKENIZER_INVALID')
    })
  }
})
