import { expect } from 'aegir/chai'
import { exportPeft, forward, importPeft, initialTheta, llama, loraShape, loraValues, parseSafetensors, writeSafetensors } from '../../src/models/index.ts'
import { tape } from '../../src/numeric/index.ts'
import { noise, tinyModel } from './fixtures.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { LlamaModel, Lora, PeftFiles } from '../../src/models/index.ts'

const IDS = [3, 1, 4, 1, 5, 9, 2, 6]
const GPT2: Partial<LlamaConfig> = { architecture: 'gpt2', kvHeads: 4, ropeTheta: 1 }

function logits (model: LlamaModel, lora: Lora): Float32Array {
  const t = tape()
  return forward(t, model, IDS, { lora: loraValues(t, lora.shape, lora.theta).lora }).data.slice()
}

function adapter (model: LlamaModel, targets: string[]): Lora {
  const shape = loraShape(model.config, { rank: 2, alpha: 6, targets })
  return { shape, theta: initialTheta(shape, 1).map((value, i) => Math.fround(value + noise(shape.parameters, 0.3, 2)[i])) }
}

function changed (files: PeftFiles, change: Record<string, unknown>): PeftFiles {
  return { ...files, config: new TextEncoder().encode(JSON.stringify({ ...JSON.parse(new TextDecoder().decode(files.config)), ...change })) }
}

function close (a: Float32Array, b: Float32Array): void {
  expect(a).to.have.length(b.length)
  a.forEach((value, i) => { expect(value).to.be.closeTo(b[i], 1e-4) })
}

describe('adapters of PEFT', () => {
  const models: Array<[string, LlamaModel, string[]]> = [
    ['llama', tinyModel(), ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']],
    ['qwen2', tinyModel({ architecture: 'qwen2' }), ['q_proj', 'v_proj']],
    ['gpt2', tinyModel(GPT2), ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj']],
    ['gpt2 on queries and values alone', tinyModel(GPT2), ['q_proj', 'v_proj']],
    ['a model that pairs neighbours', tinyModel({ ropePairing: 'interleaved' }), ['q_proj', 'k_proj']]
  ]
  for (const [title, model, targets] of models) {
    it(`come back from their files with what they compute: ${title}`, () => {
      const lora = adapter(model, targets)
      close(logits(model, importPeft(model.config, exportPeft(model.config, lora))), logits(model, lora))
    })
  }

  it('have the rows of Hugging Face, whichever way our model pairs columns', () => {
    // the same function with columns paired otherwise: rows 2i, 2i + 1 of a head are its rows i, i + half
    const half = tinyModel()
    const head = half.plan.headDim
    const weights = new Map(half.weights)
    const interleaved = (data: Float32Array, columns: number): Float32Array => data.map((_, at) => {
      const row = Math.floor(at / columns)
      const within = row % head
      return data[(row - within + (within % 2) * head / 2 + (within >>> 1)) * columns + at % columns]
    })
    for (const [name, weight] of weights) {
      if (/[qk]_proj/.test(name) && 'data' in weight) {
        weights.set(name, { shape: weight.shape, data: interleaved(weight.data, half.config.dim) })
      }
    }
    const paired = llama({ ...half.config, ropePairing: 'interleaved' }, weights)
    const files = exportPeft(half.config, adapter(half, ['q_proj', 'k_proj', 'v_proj']))
    close(logits(paired, importPeft(paired.config, files)), logits(half, importPeft(half.config, files)))
  })

  it('read what PEFT writes for c_attn: one A for queries, keys and values', () => {
    const model = tinyModel(GPT2)
    const { dim } = model.config
    const tensors = new Map(Array.from({ length: 2 }, (_, layer) => layer).flatMap(layer => [
      [`base_model.model.transformer.h.${layer}.attn.c_attn.lora_A.weight`, { shape: [2, dim], data: Float32Array.from(noise(2 * dim, 1, layer)) }],
      [`base_model.model.transformer.h.${layer}.attn.c_attn.lora_B.weight`, { shape: [3 * dim, 2], data: Float32Array.from(noise(6 * dim, 1, layer + 9)) }]
    ]))
    const config = { peft_type: 'LORA', r: 2, lora_alpha: 2, fan_in_fan_out: true, target_modules: ['c_attn'], bias: 'none' }
    const { shape, theta } = importPeft(model.config, { config: new TextEncoder().encode(JSON.stringify(config)), weights: writeSafetensors(tensors) })
    expect(shape.targets).to.deep.equal(['q_proj', 'k_proj', 'v_proj'])
    const b = tensors.get('base_model.model.transformer.h.1.attn.c_attn.lora_B.weight')?.data ?? new Float32Array(0)
    const [q, k, v] = shape.factors.slice(3)
    expect([...theta.subarray(q.offsetA, q.offsetA + 2 * dim)]).to.deep.equal([...theta.subarray(v.offsetA, v.offsetA + 2 * dim)])
    expect([...theta.subarray(k.offsetB, k.offsetB + 2 * dim)]).to.deep.equal([...b.subarray(2 * dim, 4 * dim)])
  })

  const model = tinyModel()
  const files = exportPeft(model.config, adapter(model, ['q_proj', 'v_proj']))
  for (const [name, value] of Object.entries({ use_dora: true, use_something_new: true, init_lora_weights: 'pissa_niter_16', lora_bias: true, bias: 'all', modules_to_save: ['lm_head'], alpha_pattern: { 'layers.(0|1).*q_proj': 3 }, peft_type: 'IA3' })) {
    it(`are refused by name with ${name}`, () => {
      expect(() => importPeft(model.config, changed(files, { [name]: value }))).to.throw(name === 'peft_type' ? 'IA3' : name).with.property('code', 'ERR_MODEL_UNSUPPORTED')
    })
  }

  /** The same tensors under other names. */
  const renamed = (rename: (name: string) => string, among = files): PeftFiles =>
    ({ ...among, weights: writeSafetensors(new Map([...parseSafetensors(among.weights)].map(([name, tensor]) => [rename(name), tensor]))) })
  const without = (part: string): PeftFiles =>
    ({ ...files, weights: writeSafetensors(new Map([...parseSafetensors(files.weights)].filter(([name]) => !name.includes(part)))) })

  it('are found under the names of bare models, of named adapters, and without a prefix', () => {
    const lora = importPeft(model.config, files)
    for (const rename of [
      (name: string) => name.replace('model.model.model.', 'model.model.'), (name: string) => name.replace('base_model.model.', ''),
      (name: string) => name.replace(/\.weight$/, '.default.weight')
    ]) {
      expect(importPeft(model.config, renamed(rename))).to.deep.equal(lora)
    }
    const gpt2 = tinyModel(GPT2)
    const bare = exportPeft(gpt2.config, adapter(gpt2, ['up_proj']))
    expect(importPeft(gpt2.config, renamed(name => name.replace('transformer.', ''), bare))).to.deep.equal(importPeft(gpt2.config, bare))
    expect(() => importPeft(model.config, renamed(name => name.includes('layers.0') ? name.replace(/\.weight$/, '.other.weight') : name))).to.throw('one adapter').with.property('code', 'ERR_LORA_SHAPE')
  })

  it('have the scale that PEFT gives them: by pattern, and over the root of the rank', () => {
    const scale = ({ shape }: Lora): number => shape.alpha / shape.rank
    const plain = importPeft(model.config, files)
    expect(scale(plain)).to.equal(3)
    expect(scale(importPeft(model.config, changed(files, { lora_alpha: 4, r: 2, use_rslora: true })))).to.be.closeTo(4 / Math.sqrt(2), 0.5)
    // B takes what alpha, an integer, cannot say
    const theirs = importPeft(model.config, changed(files, { lora_alpha: 4, use_rslora: true }))
    const ratio = 4 / Math.sqrt(2) / scale(theirs)
    const [factor] = plain.shape.factors
    for (let i = 0; i < 8; i++) {
      expect(theirs.theta[factor.offsetB + i]).to.be.closeTo(plain.theta[factor.offsetB + i] * ratio, 1e-6)
    }
    // the first key that fits counts, and it fits the end of a path
    const patterned = importPeft(model.config, changed(files, { alpha_pattern: { '^model\\.layers\\.1\\.self_attn\\.q_proj$': 12, '1.self_attn.q_proj': 99, proj: 99, '^q_proj': 99 } }))
    const b = ({ theta }: Lora, at: number): number[] => [...theta.subarray(plain.shape.factors[at].offsetB, plain.shape.factors[at].offsetB + 4)]
    expect(b(patterned, 2)).to.deep.equal(b(plain, 2).map(value => value * 2))
    expect(b(patterned, 3)).to.deep.equal(b(plain, 3))
  })

  it('of some layers or modules only are nothing elsewhere', () => {
    const lora = importPeft(model.config, files)
    const [,, q1, v1] = lora.shape.factors
    const layers = importPeft(model.config, changed(without('layers.1.'), { layers_to_transform: [0] }))
    expect(layers.theta.subarray(0, q1.offsetA)).to.deep.equal(lora.theta.subarray(0, q1.offsetA))
    expect(new Set(layers.theta.subarray(q1.offsetA))).to.deep.equal(new Set([0]))
    for (const change of [{ target_modules: '.*(q_proj|layers.0.*v_proj)' }, { target_modules: ['q_proj', 'layers.0.self_attn.v_proj'] }]) {
      const { theta } = importPeft(model.config, changed(without('layers.1.self_attn.v_proj'), change))
      expect(theta.subarray(0, v1.offsetA)).to.deep.equal(lora.theta.subarray(0, v1.offsetA))
      expect(new Set(theta.subarray(v1.offsetA))).to.deep.equal(new Set([0]))
    }
    expect(() => importPeft(model.config, without('layers.1.self_attn.v_proj'))).to.throw('model.layers.1.self_attn.v_proj').with.property('code', 'ERR_LORA_SHAPE')
  })

  it('in bf16 are read as they are', () => {
    const rounded = writeSafetensors(parseSafetensors(files.weights), { dtype: 'bf16' })
    const { theta } = importPeft(model.config, { ...files, weights: rounded })
    expect(theta).to.deep.equal(importPeft(model.config, { ...files, weights: writeSafetensors(parseSafetensors(rounded)) }).theta)
  })

  it('are refused if their tensors are not those of the model', () => {
    for (const change of [{ r: 3 }, { r: 0 }, { lora_alpha: -1 }]) {
      expect(() => importPeft(model.config, changed(files, change))).to.throw().with.property('code', 'ERR_LORA_SHAPE')
    }
    const tensors = parseSafetensors(files.weights)
    const more = new Map(tensors).set('base_model.model.lm_head.lora_A.weight', { shape: [1], data: new Float32Array(1) })
    const fewer = new Map([...tensors].filter(([name]) => !name.includes('layers.1.self_attn.v_proj')))
    for (const weights of [more, fewer]) {
      expect(() => importPeft(model.config, { ...files, weights: writeSafetensors(weights) })).to.throw().with.property('code', 'ERR_LORA_SHAPE')
    }
  })
})
