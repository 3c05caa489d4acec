import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { forward, generate, ggufConfig, ggufRopeFactors, ggufTokenizer, llama2cPieces, loadModel, loadTokenizer, parseGguf, parseLlama2c, trainTokenizer, writeTokenizer } from '../../src/models/index.ts'
import { prng, tape } from '../../src/numeric/index.ts'
import { smallPieces, tinyModel } from './fixtures.ts'
import { bpeMetadata, sentencePieceMetadata, writeGguf } from './gguf-writer.ts'
import { llamaCpp } from './llama-cpp.ts'
import type { GgufMetadata, GgufTensor } from './gguf-writer.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { LlamaModel, Tokenizer } from '../../src/models/index.ts'
import type { WeightType } from '../../src/numeric/index.ts'
import type { Llama, LlamaModel as Peer, Token } from 'node-llama-cpp'

const GREEDY = { temperatureMilli: 0, topK: 0, seed: 0 }
const TEXTS = ['the cat sat on the mat', 'There\'s 12345 of them,  two  spaces\n\nand lines', 'Zürich 東京 😀 naïve', ' <s> </s> <|bos|> ', '']
const shape: Partial<LlamaConfig> = { dim: 64, hiddenDim: 96, heads: 4, kvHeads: 2, contextLength: 64, ropeTheta: 10_000, rmsNormEpsNano: 10_000 }

interface Case { title: string, config: Partial<LlamaConfig>, tokenizer: GgufMetadata, vocabulary: number, type?: WeightType | 'f16', tolerance?: number, instead?: GgufTensor[] }

function cases (): Case[] {
  const bpe = trainTokenizer(['the cat sat on the mat, and there were 12 of them in the hat', 'they said that the other one is there'], 300)
  const json = writeTokenizer(bpe)
  const pieces = smallPieces()
  const spm = { tokenizer: sentencePieceMetadata(pieces), vocabulary: pieces.pieces.length }
  const byte = (pre: string): Pick<Case, 'tokenizer' | 'vocabulary'> => ({ tokenizer: bpeMetadata(json, pre), vocabulary: bpe.tokens.length })
  return [
    { title: 'llama', config: {}, ...spm },
    { title: 'llama with heads wider than its embedding', config: { headDim: 32, tied: false }, ...spm },
    { title: 'llama with rotary embeddings scaled linearly', config: { ropeScaling: { type: 'linear', factorMilli: 2500 } }, ...spm },
    { title: 'llama with rotary embeddings scaled as since 3.1', config: { headDim: 32, ropeScaling: { type: 'llama3', factorMilli: 8000, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli: 4000, originalContextLength: 64 } }, ...spm },
    { title: 'llama with rotary embeddings stretched by YaRN', config: { headDim: 32, ropeScaling: { type: 'yarn', factorMilli: 4000, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli: 32_000, originalContextLength: 16 } }, ...spm },
    { title: 'llama in q8_0', config: {}, type: 'q8_0', tolerance: 0.15, ...spm },
    { title: 'llama in q4_0', config: {}, type: 'q4_0', tolerance: 0.3, ...spm },
    { title: 'llama in bf16', config: {}, type: 'bf16', tolerance: 0.05, ...spm },
    { title: 'llama in f16', config: {}, type: 'f16', tolerance: 0.02, ...spm },
    // llama.cpp multiplies heads in integers, but looks embeddings up as they are
    ...(['q4_k', 'q6_k'] as const).map(head => ({ title: `llama with a head in ${head}`, config: { dim: 256, tied: false }, tolerance: 0.15, instead: [fewBits(head, 'output.weight', spm.vocabulary)], ...spm })),
    ...(Object.keys(QUANTS) as Quant[]).map(quant => ({ title: `llama with embeddings in ${quant}`, config: { dim: 256, tied: false }, instead: [fewBits(quant, 'token_embd.weight', spm.vocabulary)], ...spm })),
    { title: 'qwen2', config: { architecture: 'qwen2', ropeTheta: 1_000_000, rmsNormEpsNano: 1_000 }, ...byte('qwen2') },
    { title: 'gpt2', config: { architecture: 'gpt2', kvHeads: 4, ropeTheta: 1, hiddenDim: 256 }, tolerance: 0.01, ...byte('gpt-2') }
  ]
}

/** GGML's number, numbers and bytes of a block, and where its f16 scales lie. */
const QUANTS = {
  q4_1: { type: 3, values: 32, size: 20, scales: [0, 2] },
  q5_0: { type: 6, values: 32, size: 22, scales: [0] },
  q5_1: { type: 7, values: 32, size: 24, scales: [0, 2] },
  q2_k: { type: 10, values: 256, size: 84, scales: [80, 82] },
  q3_k: { type: 11, values: 256, size: 110, scales: [108] },
  q4_k: { type: 12, values: 256, size: 144, scales: [0, 2] },
  q5_k: { type: 13, values: 256, size: 176, scales: [0, 2] },
  q6_k: { type: 14, values: 256, size: 210, scales: [208] },
  iq4_nl: { type: 20, values: 32, size: 18, scales: [0] },
  iq4_xs: { type: 23, values: 256, size: 136, scales: [0] }
}

type Quant = keyof typeof QUANTS

/** Blocks whose scales are small, everything else by chance. */
function fewBits (quant: Quant, name: string, vocabulary: number): GgufTensor {
  const random = prng(5)
  const { type, values, size, scales } = QUANTS[quant]
  const bytes = Uint8Array.from({ length: vocabulary * 256 / values * size }, () => random.nextBelow(256))
  for (let at = 0; at < bytes.length; at += size) {
    scales.forEach((scale, i) => { bytes.set([0x80, 0x03 - i], at + scale) })
  }
  return { name, type, shape: [vocabulary, 256], bytes }
}

/** The logits after each token, and the tokens that follow greedily, by llama.cpp. */
async function peerLogits (peer: Peer, ids: number[]): Promise<Float64Array[]> {
  const context = await peer.createContext({ contextSize: 64, threads: 1, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32', flashAttention: false })
  const sequence = context.getSequence()
  const results = await sequence.controlledEvaluate(ids.map(id => [id as Token, { generateNext: { logits: true } }]))
  const rows = results.map(result => {
    const row = new Float64Array(result?.next.logits?.size ?? 0)
    result?.next.logits?.forEach((value, token) => { row[token] = value })
    return row
  })
  await context.dispose()
  return rows
}

function indexOfMax (row: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < row.length; i++) {
    best = row[i] > row[best] ? i : best
  }
  return best
}

describe('llama.cpp, on the same file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'datanet-gguf-'))
  let llama: Llama | undefined

  before(async function () {
    const peer = await llamaCpp()
    if ('reason' in peer) {
      process.stdout.write(`    llama.cpp does not load, nothing is compared: ${peer.reason}\n`)
      this.skip()
      return
    }
    llama = peer.llama
  })

  after(async () => {
    await llama?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Both programs on the file of a model. */
  async function both (bytes: Uint8Array): Promise<{ model: LlamaModel, tokenizer: Tokenizer, peer: Peer }> {
    const header = parseGguf(bytes, bytes.length)
    if (header == null || llama == null) {
      throw new RangeError('no header, or no llama.cpp')
    }
    const factors = ggufRopeFactors(header)
    const config = ggufConfig(header, factors && new Float32Array(bytes.slice(factors.offset, factors.offset + factors.bytes).buffer))
    const { kind, bytes: file, special } = ggufTokenizer(header)
    const path = join(folder, 'model.gguf')
    writeFileSync(path, bytes)
    return {
      model: loadModel({ config, format: 'gguf' }, bytes),
      tokenizer: loadTokenizer({ config, tokenizerKind: kind, special }, file),
      peer: await llama.loadModel({ modelPath: path, gpuLayers: 0, useMmap: false })
    }
  }

  for (const { title, config, tokenizer: metadata, vocabulary, type, tolerance = 1e-4, instead } of cases()) {
    it(`has the logits, the greedy tokens and the token ids of ${title}`, async () => {
      const made = tinyModel({ ...shape, vocabularySize: vocabulary, ...config })
      const { model, tokenizer, peer } = await both(writeGguf(made, metadata, type, instead))
      expect(model.config).to.deep.equal(made.config)
      for (const text of TEXTS) {
        expect([...tokenizer.encode(text)], text).to.deep.equal([...peer.tokenize(text)])
      }
      const prompt = [tokenizer.bos, ...tokenizer.encode(TEXTS[0])].slice(0, 12)
      const ids = [...prompt, ...generate(model, { prompt, maxTokens: 24, sampler: GREEDY })].slice(0, -1)
      const logits = forward(tape(), model, ids)
      const theirs = await peerLogits(peer, ids)
      let largest = 0
      theirs.forEach((row, at) => {
        const ours = logits.data.subarray(at * vocabulary, (at + 1) * vocabulary)
        expect(row).to.have.length(vocabulary)
        row.forEach((value, id) => { largest = Math.max(largest, Math.abs(value - ours[id])) })
        // quantised, llama.cpp rounds activations too, so that close calls may fall otherwise
        if (tolerance <= 1e-4) {
          expect(indexOfMax(row)).to.equal(indexOfMax(ours))
        }
      })
      await peer.dispose()
      expect(largest).to.be.at.most(tolerance)
    })
  }

  const corpus = ['the cat sat on the mat, and there were 12 of them in the hat in 1999 2000 2001', 'they said that they\'d THEY\'LL it\'s IT\'S don\'t!!! ...', 'Zürich 東京 東京 😀😀   \n\n\n  \t x = y; // if (a == b) { return 12345678 }']
  const bpe = trainTokenizer(Array.from({ length: 4 }, () => corpus.join('\n')), 420)
  const atoms = ['the', ' cat', '\'s', '\'S', '\'ll', '\'LL', '’s', ' ', '  ', '\n', '\r\n', '\t', '12', '1234', '½', '٣', '²', 'Ⅷ', 'é', 'e\u0301', '東京', 'ー', '😀', '\u00a0', '\u3000', '\u2028', '\u0085', '\ufeff', '\u200b', '\u200d', '\u0000', '!', '...', 'a_b', '-', 'ß', 'ſ', 'नि', '<', '|', '\u{1d7d8}', '\ue000']
  for (const pre of ['gpt-2', 'smollm', 'qwen2', 'deepseek-r1-qwen', 'llama-bpe']) {
    it(`cuts any text where tokenizers of ${pre} do`, async () => {
      const { tokenizer, peer } = await both(writeGguf(tinyModel({ dim: 32, hiddenDim: 32, layers: 1, vocabularySize: bpe.tokens.length }), bpeMetadata(writeTokenizer(bpe), pre)))
      const random = prng(1)
      for (let i = 0; i < 500; i++) {
        const text = Array.from({ length: 1 + random.nextBelow(6) }, () => atoms[random.nextBelow(atoms.length)]).join('')
        // Hugging Face composes characters for Qwen2, llama.cpp does not
        const theirs = peer.tokenize(pre.includes('qwen') ? text.normalize('NFC') : text)
        expect([...tokenizer.encode(text)], JSON.stringify(text)).to.deep.equal([...theirs])
      }
      await peer.dispose()
    })
  }

  const shared = new URL('../../../shared/models/', import.meta.url)
  const stories = existsSync(new URL('stories260K.bin', shared)) ? it : it.skip
  stories('tells the same story as stories260K (needs ../shared/models beside the repository)', async () => {
    const source = parseLlama2c(readFileSync(new URL('stories260K.bin', shared)))
    const pieces = llama2cPieces(readFileSync(new URL('tok512.bin', shared)), source.config.vocabularySize)
    const { model, tokenizer, peer } = await both(writeGguf(source, sentencePieceMetadata(pieces)))
    for (const text of TEXTS) {
      expect([...tokenizer.encode(text)], text).to.deep.equal([...peer.tokenize(text)])
    }
    const prompt = [tokenizer.bos, ...tokenizer.encode('Once upon a time')]
    const output = [...generate(model, { prompt, maxTokens: 40, sampler: GREEDY })]
    const theirs = await peerLogits(peer, [...prompt, ...output])
    expect(theirs.slice(prompt.length - 1, -1).map(indexOfMax)).to.deep.equal(output)
    await peer.dispose()
  })
})
