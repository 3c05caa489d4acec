import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { generate, openModel, trainTokenizer, writeSafetensors, writeTokenizer } from '../../src/models/index.ts'
import { importModel, offlineStore } from '../../src/node/index.ts'
import { baseModelCodec } from '../../src/wire/index.ts'
import { smallPieces, tinyModel } from '../models/fixtures.ts'
import { sentencePieceMetadata, writeGguf } from '../models/gguf-writer.ts'
import type { Tensor, Weight } from '../../src/models/index.ts'

const GREEDY = { temperatureMilli: 0, topK: 0, seed: 0 }
const CONFIG = {
  model_type: 'llama',
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 280,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  bos_token_id: 0,
  eos_token_id: 1
}

describe('importing a model', () => {
  let folder = ''
  const made = tinyModel({ vocabularySize: 280 })
  const tensors = [...made.weights].filter((entry): entry is [string, Tensor] => 'data' in entry[1])

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'datanet-import-')) })
  after(async () => rm(folder, { recursive: true, force: true }))

  async function huggingFace (name: string, map: Record<string, string>): Promise<string> {
    const path = join(folder, name)
    await mkdir(path)
    await writeFile(join(path, 'config.json'), JSON.stringify(CONFIG))
    await writeFile(join(path, 'tokenizer.json'), writeTokenizer(trainTokenizer(['the cat sat on the mat and the hat, then at the rat'], 280)))
    await writeFile(join(path, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }))
    await writeFile(join(path, 'one.safetensors'), writeSafetensors(new Map(tensors.slice(0, 7))))
    await writeFile(join(path, 'two.safetensors'), writeSafetensors(new Map(tensors.slice(7))))
    return path
  }

  it('of several files stores one under the CID of its bytes, which answers as it did', async () => {
    const path = await huggingFace('sharded', { a: 'one.safetensors', b: 'two.safetensors' })
    await offlineStore(join(folder, 'node'), async store => {
      const phases = new Set<string>()
      const { cid, record, parameters } = await importModel(store, path, { licence: 'MIT', onProgress: ({ phase }) => { phases.add(phase) } })
      expect([...phases]).to.deep.equal(['check', 'store'])
      expect(record).to.deep.include({ name: 'sharded', licence: 'MIT', config: made.config })
      expect(parameters).to.equal(tensors.reduce((sum, [, { data }]) => sum + data.length, 0))
      expect(baseModelCodec.decode(await store.get(cid, { offline: true }))).to.deep.equal(record)
      expect(await store.isPinned(record.weights)).to.equal(true)

      const read = await openModel(record, await store.openFile(record.weights))
      const prompt = [0, 5, 9]
      expect([...generate(read, { prompt, maxTokens: 12, sampler: GREEDY })]).to.deep.equal([...generate(made, { prompt, maxTokens: 12, sampler: GREEDY })])
      expect((await importModel(store, path, { licence: 'MIT' })).cid.equals(cid)).to.equal(true)
    })
  })

  it('goes on where it was stopped between the weights and the record', async () => {
    const path = await huggingFace('stopped', { a: 'one.safetensors', b: 'two.safetensors' })
    await offlineStore(join(folder, 'stopped-node'), async store => {
      const stop = new AbortController()
      const stopping = { putFile: store.putFile.bind(store), putFileFrom: store.putFileFrom.bind(store), put: async () => { stop.abort(); throw stop.signal.reason } }
      await expect(importModel(stopping, path, { signal: stop.signal })).to.eventually.be.rejected.with.property('name', 'AbortError')
      const { record } = await importModel(store, path)
      expect((await openModel(record, await store.openFile(record.weights))).config).to.deep.equal(made.config)
    })
  })

  it('of a GGUF file keeps the file, names its tokenizer, and cuts its context if asked', async () => {
    const pieces = smallPieces()
    const path = join(folder, 'small.gguf')
    await writeFile(path, writeGguf(tinyModel({ dim: 32, hiddenDim: 32, vocabularySize: pieces.pieces.length }), { ...sentencePieceMetadata(pieces), 'tokenizer.chat_template': '{{ messages[0].content }}' }, 'q4_0'))
    await offlineStore(join(folder, 'node'), async store => {
      const { record } = await importModel(store, path, { contextLength: 16 })
      expect(record).to.deep.include({ name: 'test', licence: 'NOASSERTION', format: 'gguf', tokenizerKind: 'sentencepiece', special: { bos: 1, eos: 2, stop: [] } })
      expect(record.config.contextLength).to.equal(16)
      expect(record).to.have.property('chatTemplate')

      const faster = await importModel(store, path, { contextLength: 16, activations: 'int16' })
      expect(faster.record).to.deep.equal({ ...record, config: { ...record.config, activations: 'int16' } })
      const { weights } = await openModel(faster.record, await store.openFile(faster.record.weights))
      expect([...weights.values()].filter((weight: Weight) => 'bytes' in weight && weight.activations !== 'int16')).to.deep.equal([])
    })
  })

  it('stores nothing of one that is damaged, foreign or lies about its files', async () => {
    const cut = await huggingFace('cut', { a: 'one.safetensors', b: 'two.safetensors' })
    await truncate(join(cut, 'two.safetensors'), 900)
    const outside = await huggingFace('outside', { a: '../sharded/one.safetensors' })
    const poisoned = await huggingFace('poisoned', { a: 'one.safetensors', b: 'two.safetensors' })
    const weights = new Map(tensors.slice(7))
    const bytes = writeSafetensors(weights)
    bytes.fill(0xff, -4)
    await writeFile(join(poisoned, 'two.safetensors'), bytes)
    const chatty = await huggingFace('chatty', { a: 'one.safetensors', b: 'two.safetensors' })
    await writeFile(join(chatty, 'chat_template.jinja'), '{% for %}')
    const text = join(folder, 'text.bin')
    await writeFile(text, 'This is no model, however long the text that stands here goes on.')

    await offlineStore(join(folder, 'empty'), async store => {
      const put: string[] = []
      const watched = {
        put: async () => { put.push('record'); return store.put(new Uint8Array(1)) },
        putFile: async () => { put.push('file'); return store.putFile(new Uint8Array(1)) },
        putFileFrom: async () => { put.push('weights'); return store.putFile(new Uint8Array(1)) }
      }
      for (const [path, code] of [[cut, 'ERR_SAFETENSORS_INVALID'], [outside, 'ERR_MODEL_FILE'], [poisoned, 'ERR_MODEL_SHAPE'], [chatty, 'ERR_CHAT_TEMPLATE'], [join(cut, 'one.safetensors'), 'ERR_MODEL_FILE'], [text, 'ERR_MODEL_SHAPE'], [join(folder, 'none'), 'ERR_MODEL_FILE']]) {
        await expect(importModel(watched, path)).to.eventually.be.rejected.with.property('code', code)
      }
      expect(put).to.deep.equal([])
    })
  })
})
