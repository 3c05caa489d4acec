/**
 * Writes the test vectors of `protocols/base-model` and `protocols/recipe`, and the golden hashes
 * of `test/models`, from the committed base. `--check` compares instead.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { generate, initialTheta, loadBase, loraShape, parseBaseJson, verifyGeneration } from '../src/models/index.ts'
import { DatanetError } from '../src/utils/index.ts'
import type { LlamaModel, Tokenizer } from '../src/models/index.ts'

const TEXTS = [
  '',
  'The government of the United States',
  'Call me Ishmael. Some years ago--never mind how long precisely--having little or no money',
  'don\'t   \n\n\tindent 1234567 1,000.5',
  'Zürich, Ærø and 東京 😀',
  '<|bos|><|eos|>'
]
const PROMPTS = ['The government of', 'My fellow citizens,', 'The whale']
const SAMPLERS = [{ temperatureMilli: 0, topK: 0, seed: 0 }, { temperatureMilli: 800, topK: 40, seed: 1 }]
const RECIPES = [
  { rank: 4, alpha: 8, targets: ['q_proj', 'v_proj'] },
  { rank: 2, alpha: 2, targets: ['down_proj', 'gate_proj', 'k_proj', 'o_proj', 'q_proj', 'up_proj', 'v_proj'] }
]

const folder = 'models/base'
const { model, tokenizer } = loadBase(parseBaseJson(readFileSync(`${folder}/base.json`)), readFileSync(`${folder}/model.safetensors`), readFileSync(`${folder}/tokenizer.json`))
emit('protocols/base-model/vectors/tokens.json', TEXTS.map(text => ({ text, ids: [...tokenizer.encode(text)] })))
emit('protocols/base-model/vectors/answers.json', answers(model, tokenizer))
emit('protocols/recipe/vectors/theta.json', RECIPES.map(recipe => {
  const shape = loraShape(model.config, recipe)
  return { config: model.config, recipe, parameters: shape.parameters, factors: shape.factors, initial: [0, 1, 4294967295].map(seed => ({ seed, sha256: sha256(initialTheta(shape, seed)) })) }
}))

function answers (model: LlamaModel, tokenizer: Tokenizer): unknown[] {
  return PROMPTS.flatMap(text => SAMPLERS.map(sampler => {
    const prompt = [tokenizer.bos, ...tokenizer.encode(text)]
    const output = [...generate(model, { prompt, maxTokens: 40, sampler, stop: [tokenizer.bos, tokenizer.eos] })]
    if (!verifyGeneration(model, { prompt, output, sampler }).ok) {
      throw new DatanetError('ERR_VECTORS', `expected the answer to ${JSON.stringify(text)} to verify`)
    }
    return { prompt, sampler, output, text: tokenizer.decode(output) }
  }))
}

function sha256 (values: Float64Array): string {
  return createHash('sha256').update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest('hex')
}

function emit (file: string, value: unknown): void {
  const text = `${JSON.stringify(value, null, 1)}\n`
  if (process.argv.includes('--check')) {
    if (readFileSync(file, 'utf8') !== text) {
      throw new DatanetError('ERR_VECTORS', `expected ${file} to be what this engine computes but it differs: a changed vector is a protocol change`)
    }
    return
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
