import { expect } from 'aegir/chai'
import fc from 'fast-check'
import {
  forward, ggufConfig, ggufRopeFactors, ggufTokenizer, llama, llama2cEntries, loadModel, mergedSafetensors, parseGguf, parseHuggingFaceConfig, parseHuggingFaceFiles,
  readBytes, readSource, tensorPlans, toTensor, weightCheck, weightsOf, writeSafetensors
} from '../../src/models/index.ts'
import { tape } from '../../src/numeric/index.ts'
import { smallPieces, tinyModel } from './fixtures.ts'
import { sentencePieceMetadata, writeGguf, writeGgufFile } from './gguf-writer.ts'
import type { GgufField } from './gguf-writer.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { GgufHeader, LlamaModel, Tensors } from '../../src/models/index.ts'

const IDS = [3, 1, 4, 1, 5, 9, 2, 6]
const CODES = ['ERR_GGUF_INVALID', 'ERR_SAFETENSORS_INVALID', 'ERR_MODEL_SHAPE', 'ERR_MODEL_UNSUPPORTED', 'ERR_TOKENIZER_INVALID']
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const logits = (model: LlamaModel): number[] => [...forward(tape(), model, IDS).data]

function tensorsOf (model: LlamaModel): Tensors {
  return new Map([...model.weights].map(([name, weight]) => [name, toTensor(name, weight)]))
}

/** GPT-2 as Hugging Face stores it: [inputs, outputs], q, k and v in one. */
function conv1d (model: LlamaModel, prefix: string): Tensors {
  const ours = tensorsOf(model)
  const { dim, hiddenDim } = model.config
  const out: Tensors = new Map()
  const get = (name: string): Float32Array => ours.get(name)?.data ?? new Float32Array(0)
  const put = (name: string, data: Float32Array, shape: number[]): void => { out.set(`${prefix}${name}`, { shape, data }) }
  const transposed = (data: Float32Array, outputs: number, inputs: number): Float32Array => data.map((_, i) => data[i % outputs * inputs + Math.floor(i / outputs)])
  put('wte.weight', get('model.embed_tokens.weight'), [model.config.vocabularySize, dim])
  put('wpe.weight', get('model.embed_positions.weight'), [model.config.contextLength, dim])
  for (let layer = 0; layer < model.config.layers; layer++) {
    const from = `model.layers.${layer}.`
    const projection = (name: string, parts: string[], outputs: number, inputs: number): void => {
      const weight = Float32Array.from(parts.flatMap(part => [...get(`${from}${part}.weight`)]))
      put(`h.${layer}.${name}.weight`, transposed(weight, outputs, inputs), [inputs, outputs])
      put(`h.${layer}.${name}.bias`, Float32Array.from(parts.flatMap(part => [...get(`${from}${part}.bias`)])), [outputs])
    }
    projection('attn.c_attn', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'], 3 * dim, dim)
    projection('attn.c_proj', ['self_attn.o_proj'], dim, dim)
    projection('mlp.c_fc', ['mlp.up_proj'], hiddenDim, dim)
    projection('mlp.c_proj', ['mlp.down_proj'], dim, hiddenDim)
    for (const [to, norm] of [['ln_1', 'input_layernorm'], ['ln_2', 'post_attention_layernorm']]) {
      put(`h.${layer}.${to}.weight`, get(`${from}${norm}.weight`), [dim])
      put(`h.${layer}.${to}.bias`, get(`${from}${norm}.bias`), [dim])
    }
    put(`h.${layer}.attn.bias`, new Float32Array(4), [1, 1, 2, 2])
  }
  put('ln_f.weight', get('model.norm.weight'), [dim])
  put('ln_f.bias', get('model.norm.bias'), [dim])
  return out
}

describe('models of Hugging Face', () => {
  const small = { hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, vocab_size: 40, max_position_embeddings: 32, rms_norm_eps: 1e-5, tie_word_embeddings: true }

  it('have the configuration of config.json', () => {
    const base: LlamaConfig = { dim: 16, hiddenDim: 24, layers: 2, heads: 4, kvHeads: 2, vocabularySize: 40, contextLength: 32, ropeTheta: 10_000, rmsNormEpsNano: 10_000, tied: true }
    const read = (fields: object): LlamaConfig => parseHuggingFaceConfig(json({ model_type: 'llama', ...small, ...fields }))
    expect(read({})).to.deep.equal(base)
    expect(read({ rope_theta: 500_000, head_dim: 8 })).to.deep.equal({ ...base, ropeTheta: 500_000, headDim: 8 })
    expect(read({ rope_parameters: { rope_type: 'default', rope_theta: 1_000_000 } })).to.deep.equal({ ...base, ropeTheta: 1_000_000 })
    expect(read({ rope_scaling: { type: 'linear', factor: 2.5 } })).to.deep.equal({ ...base, ropeScaling: { type: 'linear', factorMilli: 2500 } })
    expect(read({ rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 } }).ropeScaling)
      .to.deep.equal({ type: 'llama3', factorMilli: 8000, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli: 4000, originalContextLength: 8192 })
    expect(() => read({ rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 1, original_max_position_embeddings: 8192 } })).to.throw('ropeScaling').with.property('code', 'ERR_MODEL_SHAPE')
    const yarn = { type: 'yarn', factorMilli: 4000, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli: 32_000, originalContextLength: 32 }
    expect(read({ rope_scaling: { type: 'yarn', factor: 4 } }).ropeScaling).to.deep.equal(yarn)
    expect(read({ rope_scaling: { rope_type: 'yarn', factor: 4, beta_fast: 16, beta_slow: 2, original_max_position_embeddings: 8, attention_factor: 0.1 * Math.log(4) + 1 } }).ropeScaling)
      .to.deep.equal({ ...yarn, lowFrequencyFactorMilli: 2000, highFrequencyFactorMilli: 16_000, originalContextLength: 8 })
    expect(read({ model_type: 'mistral', sliding_window: 20 })).to.deep.equal({ ...base, contextLength: 20 })
    expect(read({ model_type: 'qwen2', sliding_window: 20, use_sliding_window: false })).to.deep.equal({ ...base, architecture: 'qwen2' })
    expect(parseHuggingFaceConfig(json({ model_type: 'gpt2', n_embd: 16, n_layer: 2, n_head: 4, vocab_size: 40, n_positions: 32, activation_function: 'gelu_new', layer_norm_epsilon: 1e-5 })))
      .to.deep.equal({ ...base, architecture: 'gpt2', hiddenDim: 64, kvHeads: 4, ropeTheta: 1 })
  })

  const refused: Array<[string, object]> = [
    ['model_type', { model_type: 'phi' }], ['rope_scaling', { rope_scaling: { rope_type: 'longrope', factor: 8 } }], ['attention_factor', { rope_scaling: { rope_type: 'yarn', factor: 8, attention_factor: 2 } }],
    ['mscale_all_dim', { rope_scaling: { rope_type: 'yarn', factor: 8, mscale_all_dim: 1 } }], ['low_freq_factor', { rope_scaling: { rope_type: 'llama3', factor: 8 } }], ['hidden_act', { hidden_act: 'gelu' }],
    ['attention_bias', { attention_bias: true }], ['mlp_bias', { mlp_bias: true }], ['rope_interleaved', { rope_interleaved: true }], ['quantization_config', { quantization_config: { quant_method: 'awq' } }], ['rope_theta', { rope_theta: 0.5 }], ['rms_norm_eps', { rms_norm_eps: 1e-12 }]
  ]
  for (const [name, fields] of refused) {
    it(`are refused by name for another ${name}`, () => {
      expect(() => parseHuggingFaceConfig(json({ model_type: 'llama', ...small, ...fields }))).to.throw(name).with.property('code', 'ERR_MODEL_UNSUPPORTED')
    })
  }

  it('are refused with lists in lists in lists', () => {
    const deep = new TextEncoder().encode(JSON.stringify({ model_type: 'llama', ...small, hidden_act: '@' }).replace('"@"', '['.repeat(100_000) + ']'.repeat(100_000)))
    expect(() => parseHuggingFaceConfig(deep)).to.throw('nested deeper than 64').with.property('code', 'ERR_MODEL_SHAPE')
  })

  it('say which ids begin and end texts, and how a chat is written', () => {
    const read = parseHuggingFaceFiles({
      config: json({ bos_token_id: 5, eos_token_id: 6 }),
      generationConfig: json({ eos_token_id: [9, 6, 7] }),
      tokenizerConfig: json({ chat_template: [{ name: 'tools', template: 'a' }, { name: 'default', template: 'b' }] })
    })
    expect(read).to.deep.equal({ special: { bos: 5, eos: 6, stop: [7, 9] }, chatTemplate: new TextEncoder().encode('b') })
    expect(() => parseHuggingFaceFiles({ config: json({}) })).to.throw('eos_token_id').with.property('code', 'ERR_MODEL_SHAPE')
  })

  for (const prefix of ['', 'transformer.']) {
    it(`of GPT-2 are read from ${prefix}h.0.attn.c_attn, turned and cut`, () => {
      const made = tinyModel({ architecture: 'gpt2', kvHeads: 4, ropeTheta: 1 })
      expect(logits(loadModel({ config: made.config }, writeSafetensors(conv1d(made, prefix))))).to.deep.equal(logits(made))
    })
  }

  it('keep bf16 as it is, with the bits of f32', () => {
    const made = tinyModel({ architecture: 'qwen2', tied: false })
    const bytes = writeSafetensors(tensorsOf(made), { dtype: 'bf16' })
    const read = loadModel({ config: made.config }, bytes)
    expect(read.weights.get('model.layers.0.mlp.up_proj.weight')).to.have.property('type', 'bf16')
    expect(logits(read)).to.deep.equal(logits(llama(made.config, tensorsOf(read))))
  })

  it('in several files are one, whichever way their tensors are spread', async () => {
    const tensors = [...tensorsOf(tinyModel())]
    const file = (part: typeof tensors): { size: number, read (offset: number, length: number): Promise<Uint8Array> } => {
      const bytes = writeSafetensors(new Map(part))
      return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) }
    }
    const one = await mergedSafetensors([file(tensors)])
    const three = await mergedSafetensors([file(tensors.slice(9)), file(tensors.slice(0, 4)), file(tensors.slice(4, 9))])
    const whole = await one.read(0, one.size)
    expect(await three.read(0, three.size)).to.deep.equal(whole)
    const { config } = tinyModel()
    expect([...await readSource(three, weightsOf(config, 'safetensors', three.size))]).to.deep.equal([...readBytes(whole, weightsOf(config, 'safetensors', whole.length))])
    await expect(mergedSafetensors([file(tensors), file(tensors.slice(0, 1))])).to.eventually.be.rejected.with.property('code', 'ERR_SAFETENSORS_INVALID')
  })

  it('are refused with a tensor of integers where weights belong', () => {
    const made = tinyModel()
    const bytes = writeSafetensors(tensorsOf(made))
    // the header keeps its length
    const text = new TextDecoder('latin1').decode(bytes.slice(8, 4096)).replace(/("model\.norm\.weight":\{"dtype":)"F32"/, '$1"I32"')
    bytes.set(Uint8Array.from(text, character => character.charCodeAt(0)), 8)
    expect(() => loadModel({ config: made.config }, bytes)).to.throw(/model\.norm\.weight .* none of a type that holds weights/).with.property('code', 'ERR_MODEL_SHAPE')
  })

  it('name the tensor and the offset when one is missing, left over or of another shape', () => {
    const made = tinyModel()
    const changes: Array<[string, (tensors: Tensors) => void]> = [
      ['model.norm.weight', tensors => { tensors.delete('model.norm.weight') }],
      ['model.layers.2.extra at offset', tensors => { tensors.set('model.layers.2.extra', { shape: [1], data: new Float32Array(1) }) }],
      ['model.norm.weight at offset', tensors => { tensors.set('model.norm.weight', { shape: [2], data: new Float32Array(2) }) }]
    ]
    for (const [message, change] of changes) {
      const tensors = tensorsOf(made)
      change(tensors)
      expect(() => loadModel({ config: made.config }, writeSafetensors(tensors))).to.throw(message).with.property('code', 'ERR_MODEL_SHAPE')
    }
  })
})

describe('GGUF', () => {
  const pieces = smallPieces()
  const made = tinyModel({ dim: 32, hiddenDim: 32, vocabularySize: pieces.pieces.length })
  const bytes = writeGguf(made, sentencePieceMetadata(pieces))
  const headerOf = (file: Uint8Array): ReturnType<typeof parseGguf> => parseGguf(file, file.length)

  it('gives configuration, tokenizer and weights, from as much of its head as there is', () => {
    const header = headerOf(bytes)
    if (header == null) {
      throw new RangeError('no header')
    }
    expect(ggufConfig(header)).to.deep.equal(made.config)
    expect(ggufTokenizer(header)).to.deep.include({ kind: 'sentencepiece', special: { bos: 1, eos: 2, stop: [] } })
    expect(logits(loadModel({ config: made.config, format: 'gguf' }, bytes))).to.deep.equal(logits(made))
    expect([...header.entries.keys()]).to.have.length(tensorPlans(made.plan).length)
    expect(parseGguf(bytes.subarray(0, 1000), bytes.length)).to.equal(undefined)
  })

  const tensor = { name: 'a', type: 0, shape: [2, 4], bytes: new Uint8Array(32) }
  const at = (file: Uint8Array, text: string): number => {
    const needle = new TextEncoder().encode(text)
    return file.findIndex((_, i) => needle.every((byte, j) => file[i + j] === byte))
  }
  const edited = (edit: (view: DataView, file: Uint8Array) => void, keys: Record<string, GgufField> = { k: 'v', list: ['x', 'y'] }): Uint8Array => {
    const file = writeGgufFile(keys, [tensor])
    edit(new DataView(file.buffer), file)
    return file
  }
  // after a name of one letter: dimensions, two sizes, type, offset
  const info = (file: Uint8Array): number => at(file, 'list') + 4 + 4 + 4 + 8 + 18 + 8 + 1
  const hostile: Array<[string, Uint8Array, string]> = [
    ['another magic', edited(view => { view.setUint8(0, 0) }), 'offset 0'],
    ['a version of the future', edited(view => { view.setUint32(4, 9, true) }), 'version'],
    ['big-endian', edited(view => { view.setUint32(4, 3) }), 'little-endian'],
    ['more tensors than bytes', edited(view => { view.setBigUint64(8, 9999n, true) }), 'number of tensors'],
    ['2^60 keys', edited(view => { view.setBigUint64(16, 2n ** 60n, true) }), 'below 2^53'],
    ['a key longer than the file', edited(view => { view.setBigUint64(24, 4000n, true) }), 'offset'],
    ['a text of four gigabytes', edited((view, file) => { view.setBigUint64(at(file, 'k') + 5, 2n ** 32n, true) }), 'k'],
    ['a list of 2^50 texts', edited((view, file) => { view.setBigUint64(at(file, 'list') + 12, 2n ** 50n, true) }), 'list'],
    ['lists in lists', edited((view, file) => { view.setUint32(at(file, 'list') + 8, 9, true) }), 'list'],
    ['no dimensions', edited((view, file) => { view.setUint32(info(file), 0, true) }), 'tensor a'],
    ['sizes whose product is absurd', edited((view, file) => { view.setBigUint64(info(file) + 4, 2n ** 52n, true) }), 'tensor a'],
    ['a type that we do not read', edited((view, file) => { view.setUint32(info(file) + 20, 16, true) }), 'iq2_xxs'],
    ['rows that are no whole blocks', edited((view, file) => { view.setUint32(info(file) + 20, 8, true) }), 'blocks of 32'],
    ['an offset elsewhere', edited((view, file) => { view.setBigUint64(info(file) + 24, 32n, true) }), 'tensor a at offset'],
    ['an end before the tensor\'s', writeGgufFile({}, [tensor]).subarray(0, -1), 'tensor a of 32 bytes'],
    ['bytes after the end', Uint8Array.of(...writeGgufFile({}, [tensor]), 0), 'to end at'],
    ['the same tensor twice', writeGgufFile({}, [tensor, tensor]), 'tensor a once'],
    ['an alignment of 7', writeGgufFile({ 'general.alignment': 7 }, [tensor]), 'general.alignment']
  ]
  it('passes over lists that nobody reads, and finds what follows them', () => {
    const header = headerOf(writeGgufFile({ a: ['x', 'yy'], b: { i32: [1, 2, 3] }, 'tokenizer.ggml.tokens': ['x', 'yy'], c: 'end' }, [tensor]))
    expect([...header?.metadata ?? []]).to.deep.equal([['a', []], ['b', []], ['tokenizer.ggml.tokens', ['x', 'yy']], ['c', 'end']])
  })

  for (const [what, file, message] of hostile) {
    it(`refuses ${what}, and says where`, () => {
      expect(() => headerOf(file)).to.throw(message).with.property('code', 'ERR_GGUF_INVALID')
    })
  }

  for (const [key, value] of Object.entries<GgufField>({ 'general.architecture': 'mamba', 'llama.rope.scaling.type': 'longrope', 'llama.expert_count': 8, 'split.count': 3, 'llama.rope.dimension_count': 4 })) {
    it(`refuses ${key} ${JSON.stringify(value)} by name`, () => {
      const header = headerOf(writeGguf(made, { ...sentencePieceMetadata(pieces), [key]: value }))
      expect(() => header == null ? undefined : ggufConfig(header)).to.throw(key).with.property('code', 'ERR_MODEL_UNSUPPORTED')
    })
  }
})

describe('rotary embeddings in GGUF', () => {
  const pieces = smallPieces()
  const written = (config: Partial<LlamaConfig>): { made: LlamaConfig, header: GgufHeader, factors?: Float32Array } => {
    const made = tinyModel({ dim: 32, hiddenDim: 32, layers: 1, vocabularySize: pieces.pieces.length, ...config })
    const bytes = writeGguf(made, sentencePieceMetadata(pieces))
    const header = parseGguf(bytes, bytes.length)
    if (header == null) {
      throw new RangeError('no header')
    }
    const entry = ggufRopeFactors(header)
    return { made: made.config, header, ...(entry == null ? {} : { factors: new Float32Array(bytes.slice(entry.offset, entry.offset + entry.bytes).buffer) }) }
  }
  const llama3 = (factorMilli: number, highFrequencyFactorMilli: number, originalContextLength: number): Partial<LlamaConfig> =>
    ({ ropeTheta: 500_000, ropeScaling: { type: 'llama3', factorMilli, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli, originalContextLength } })
  const models: Record<string, Partial<LlamaConfig>> = {
    'Llama 3.1 8B': { headDim: 128, ...llama3(8000, 4000, 8192) },
    'Llama 3.2 1B': { headDim: 64, ...llama3(32_000, 4000, 8192) },
    'other bands': { headDim: 128, ...llama3(2500, 8500, 4096) }
  }

  for (const [title, config] of Object.entries(models)) {
    it(`have the scaling of config.json in their factors: ${title}`, () => {
      const { made, header, factors } = written(config)
      expect(ggufConfig(header, factors)).to.deep.equal(made)
    })
  }

  it('are refused when their factors are no curve of Llama 3.1, or were not read', () => {
    const { header, factors = new Float32Array(0) } = written(models['Llama 3.1 8B'])
    expect(() => ggufConfig(header)).to.throw('rope_freqs.weight').with.property('code', 'ERR_MODEL_UNSUPPORTED')
    for (const [at, value] of [[0, 1.01], [30, 3.3], [33, 2.2], [63, 9], [63, NaN], [63, Infinity]]) {
      const changed = factors.slice()
      changed[at] = value
      expect(() => ggufConfig(header, changed), `${value} at ${at}`).to.throw('rope_freqs.weight').with.property('code', 'ERR_MODEL_UNSUPPORTED')
    }
    for (const length of [0, 1, 63, 128]) {
      expect(() => ggufConfig(header, new Float32Array(length).fill(1)), `${length} factors`).to.throw('rope_freqs.weight')
    }
  })
})

describe('damaged files', () => {
  const pieces = smallPieces()
  const made = tinyModel({ dim: 32, hiddenDim: 32, layers: 1, vocabularySize: pieces.pieces.length })
  const gguf = writeGguf(made, sentencePieceMetadata(pieces), 'q8_0')
  const safetensors = writeSafetensors(tensorsOf(made), { dtype: 'bf16' })
  // 640 of embedding, 3 · 16 of gains, 4 · 256 and 3 · 384 of projections, 64 of rotary tables
  const llama2c = new Uint8Array(28 + 4 * (640 + 48 + 1024 + 1152 + 64))
  new Int32Array(llama2c.buffer).set([16, 24, 1, 2, 2, 40, 8])

  /** Everything that an import does with a file. */
  const reads: Record<string, { bytes: Uint8Array, read (bytes: Uint8Array): void }> = {
    gguf: {
      bytes: gguf,
      read (bytes) {
        const header = parseGguf(bytes, bytes.length)
        if (header != null) {
          ggufTokenizer(header)
          readBytes(bytes, weightCheck(ggufConfig(header), 'gguf', bytes.length))
        }
      }
    },
    safetensors: { bytes: safetensors, read: bytes => { readBytes(bytes, weightCheck(made.config, 'safetensors', bytes.length)) } },
    llama2c: {
      bytes: llama2c,
      read: bytes => { readBytes(bytes, weightCheck(llama2cEntries(bytes, bytes.length).config, 'llama2c', bytes.length)) }
    }
  }
  for (const [format, { bytes, read }] of Object.entries(reads)) {
    it(`in ${format} are refused wherever they are cut`, () => {
      for (let end = 0; end < bytes.length; end += 97) {
        expect(() => { read(bytes.slice(0, end)) }, `at ${end}`).to.throw().with.property('code').that.is.oneOf(CODES)
      }
    })

    it(`in ${format} are an error of their own or still a model, never a crash`, () => {
      read(bytes)
      // headers are where lies are: most changes go there
      const place = fc.oneof({ weight: 3, arbitrary: fc.nat(Math.min(2000, bytes.length - 1)) }, { weight: 1, arbitrary: fc.nat(bytes.length - 1) })
      const change = fc.record({ at: place, value: fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 128, 255)) })
      fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.option(place), (changes, end) => {
        const damaged = bytes.slice(0, end ?? bytes.length)
        for (const { at, value } of changes) {
          damaged[at % Math.max(1, damaged.length)] = value
        }
        try {
          read(damaged)
        } catch (err) {
          expect(CODES).to.include(err instanceof Error && 'code' in err ? err.code : String(err))
        }
      }), { numRuns: 400 })
    })
  }
})
