import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { ChatOpenAI } from '@langchain/openai'
import { expect } from 'aegir/chai'
import { generateText, jsonSchema, Output, streamText } from 'ai'
import OpenAI from 'openai'
import { cleanTemporary, TOKEN } from '../node/fixtures.ts'
import { openShop } from './fixtures.ts'
import type { Shop } from './fixtures.ts'
import type { AttributionView, ReceiptView, SourceView } from '../../src/interface/index.ts'

interface Extension { datanet: { receipt: string, fee: string, shares: Array<{ share: number }> } }

describe('clients of OpenAI\'s API, unchanged', function () {
  this.timeout(90_000)

  let here: Shop
  let baseURL: string
  const prompt = 'The people of'

  before(async () => {
    here = await openShop()
    baseURL = `${here.home.server.url}/v1`
  })

  after(async () => {
    await here.stop()
    await cleanTemporary()
  })

  const openai = (apiKey = TOKEN): OpenAI => new OpenAI({ apiKey, baseURL, maxRetries: 0 })

  it('openai: lists models and answers, whole and streamed, the same text with the same receipt\'s content', async () => {
    const client = openai()
    const models = (await client.models.list()).data
    const whole = await client.chat.completions.create({ model: here.adapter, messages: [{ role: 'user', content: prompt }], max_tokens: 12 })
    const streamed = await client.chat.completions.create({ model: 'speeches', messages: [{ role: 'user', content: prompt }], max_tokens: 12, stream: true, stream_options: { include_usage: true } })
    const chunks = []

    for await (const chunk of streamed) {
      chunks.push(chunk)
    }

    const [last, usage] = chunks.slice(-2)

    expect(models.map(({ id }) => id)).to.include(here.adapter)
    expect(whole.choices[0]).to.deep.include({ finish_reason: 'length' })
    expect(whole.usage).to.deep.equal({ prompt_tokens: whole.usage?.prompt_tokens, completion_tokens: 12, total_tokens: (whole.usage?.prompt_tokens ?? 0) + 12 })
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).to.equal(whole.choices[0].message.content)
    expect(chunks[0].choices[0].delta.role).to.equal('assistant')
    expect(chunks.length).to.be.above(4)
    expect(new Set(chunks.map(({ id }) => id)).size).to.equal(1)
    expect(last.choices[0].finish_reason).to.equal('length')
    expect(usage).to.deep.include({ choices: [], usage: whole.usage })

    // what OpenAI's API has no place for, and where it can be looked at again
    const { datanet } = last as typeof last & Extension
    const receipt = await (await here.call(`/v1/receipts/${datanet.receipt}`)).json() as Record<string, unknown>
    const attribution = await (await here.call(`/v1/attributions/${datanet.receipt}`)).json() as { shares: unknown[], tokens: unknown[] }

    expect(receipt).to.include({ receipt: datanet.receipt, adapter: here.adapter, fee: datanet.fee, outputTokens: 12 })
    expect(attribution.shares).to.deep.equal(datanet.shares)
    expect(attribution.tokens).to.have.length(12)
  })

  it('openai: asks a base alone, by CID or name, free of charge', async () => {
    const client = openai()
    const models = (await client.models.list()).data as Array<OpenAI.Model & { name: string, datanet: { kind: string, pricePerThousandTokens: string } }>
    const base = models.find(({ datanet }) => datanet.kind === 'base') ?? expect.fail('expected the base to be listed')
    const request = { messages: [{ role: 'user' as const, content: prompt }], max_tokens: 12 }
    const alone = await client.chat.completions.create({ ...request, model: base.id })
    const named = await client.chat.completions.create({ ...request, model: base.name })
    const { datanet } = alone as typeof alone & Extension
    const receipt = await (await here.call(`/v1/receipts/${datanet.receipt}`)).json()

    expect(base.datanet.pricePerThousandTokens).to.equal('0')
    expect(datanet).to.deep.include({ fee: '0', shares: [] })
    expect(alone.choices[0].message.content).to.be.a('string').that.has.length.above(0)
    expect(named.choices[0].message.content).to.equal(alone.choices[0].message.content)
    expect(receipt).to.include({ adapter: base.id, fee: '0', outputTokens: alone.usage?.completion_tokens })
  })

  it('openai: completes prompts, ends at stop texts and draws by seed, nucleus and penalties', async () => {
    const client = openai()
    const request = { model: here.adapter, prompt, max_tokens: 16, temperature: 1, top_p: 0.9, frequency_penalty: 0.5, presence_penalty: 0.5, seed: 5 }
    const [first, second] = [await client.completions.create(request), await client.completions.create(request)]
    const text = first.choices[0].text
    const stop = text.slice(4, 7)
    const stopped = await client.completions.create({ ...request, stop: [stop] })
    let streamed = ''

    for await (const { choices } of await client.completions.create({ ...request, stop, stream: true })) {
      streamed += choices[0].text
    }

    expect(second.choices[0].text).to.equal(text)
    expect(stopped.choices[0]).to.include({ text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' })
    expect(streamed).to.equal(stopped.choices[0].text)
  })

  it('openai: gets JSON that keeps to a schema, whole and streamed', async () => {
    const client = openai()
    const schema = { type: 'object', properties: { place: { type: 'string', maxLength: 6 }, good: { type: 'boolean' } }, required: ['place', 'good'], additionalProperties: false }
    const request = { model: here.adapter, messages: [{ role: 'user' as const, content: 'The valley' }], max_tokens: 60, temperature: 1, seed: 2, response_format: { type: 'json_schema' as const, json_schema: { name: 'valley', schema, strict: true } } }
    const whole = await client.chat.completions.create(request)
    let streamed = ''

    for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
      streamed += choices[0].delta.content ?? ''
    }

    const { place, good } = JSON.parse(whole.choices[0].message.content ?? '') as Record<string, unknown>

    expect(whole.choices[0].finish_reason).to.equal('stop')
    expect([typeof place, typeof good]).to.deep.equal(['string', 'boolean'])
    expect(streamed).to.equal(whole.choices[0].message.content)

    const any = await client.chat.completions.create({ ...request, response_format: { type: 'json_object' } })

    expect(any.choices[0].message.content).to.match(/^\{/)
    await expect(client.chat.completions.create({ ...request, response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'string', pattern: 'a' } } } }))
      .to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.deep.include({ code: 'ERR_UNSUPPORTED_SCHEMA', param: 'response_format' })

    // deeper than can be written again; what the client library cannot write either
    const abyss = `${'{"not":'.repeat(20_000)}{}${'}'.repeat(20_000)}`
    const refused = await here.call('/v1/chat/completions', { method: 'POST', body: `{"model":"speeches","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"schema":${abyss}}}}` })

    expect(refused.status).to.equal(400)
    expect((await refused.json() as { error: object }).error).to.include({ type: 'invalid_request_error', param: 'response_format' })
  })

  it('openai: gets log-probabilities, whole and streamed, in both forms', async () => {
    const client = openai()
    const request = { model: here.adapter, messages: [{ role: 'user' as const, content: prompt }], max_tokens: 5, logprobs: true, top_logprobs: 2 }
    const { choices: [{ logprobs, message }] } = await client.chat.completions.create(request)
    const streamed = []

    for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
      streamed.push(...choices[0].logprobs?.content ?? [])
    }

    const content = logprobs?.content ?? []

    expect(content.map(({ token }) => token).join('')).to.equal(message.content)
    expect(new TextDecoder().decode(Uint8Array.from(content.flatMap(({ bytes }) => bytes ?? [])))).to.equal(message.content)
    // greedy: what was chosen is the likeliest
    content.forEach(({ token, logprob, top_logprobs: top }) => {
      expect(top).to.have.length(2)
      expect(top[0]).to.deep.include({ token, logprob })
      expect(logprob).to.be.within(top[1].logprob, 0)
    })
    expect(streamed).to.deep.equal(content)

    const { choices: [completion] } = await client.completions.create({ model: here.adapter, prompt, max_tokens: 5, logprobs: 1 })

    expect(completion.logprobs?.tokens?.join('')).to.equal(completion.text)
    expect(completion.logprobs?.token_logprobs).to.have.length(5)
    expect(completion.logprobs?.text_offset?.[0]).to.equal(0)
    expect((await client.completions.create({ model: here.adapter, prompt, max_tokens: 1 })).choices[0].logprobs).to.equal(null)
    await expect(client.chat.completions.create({ ...request, top_logprobs: 21 })).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.property('param', 'top_logprobs')
  })

  it('openai: asks adapters that are loaded and unloaded meanwhile', async () => {
    const client = openai()
    const ask = async (): Promise<unknown> => (await client.completions.create({ model: here.adapter, prompt, max_tokens: 4 })).choices[0].text
    const state = async (): Promise<unknown> => (await client.models.retrieve(here.adapter) as OpenAI.Model & { datanet: { loaded?: string } }).datanet.loaded
    const post = async (path: string, key?: string): Promise<Response> => here.call(`/v1/models/${path}`, { method: 'POST', key })
    const before = await ask()

    expect(await state()).to.equal('kept')
    expect(await (await post('speeches/load')).json()).to.deep.include({ id: here.adapter, loaded: true, pinned: true })
    expect(await state()).to.equal('pinned')
    expect(await (await post(`${here.adapter}/unload`)).json()).to.deep.equal({ id: here.adapter, loaded: false, pinned: false, bytes: 0 })
    expect(await state()).to.equal(undefined)
    expect(await ask()).to.equal(before)
    expect((await post('nobody/load')).status).to.equal(404)

    // a base that is asked alone is loaded too
    const [{ base }] = await here.home.http.get<Array<{ base: string }>>('/api/v1/bases')

    expect(await (await post(`${base}/load`)).json()).to.deep.equal({ id: base, loaded: true, pinned: true, bytes: 0 })
    expect(await (await post(`${base}/unload`)).json()).to.deep.include({ loaded: false, pinned: false })
    expect((await post('speeches/load', 'sk-wrong')).status).to.equal(401)
  })

  it('openai: gets an answer with rows, which it cites and the receipt commits to', async () => {
    const client = openai()
    const [{ datanet }] = await here.home.http.get<Array<{ datanet: string }>>('/api/v1/datanets')
    const request = { model: here.adapter, messages: [{ role: 'user' as const, content: 'Which railways reach the mines?' }], max_tokens: 4, retrieval: { datanet, rows: 2 } }
    const answered = await client.chat.completions.create(request)
    const { id, datanet: extension } = answered as typeof answered & { datanet: { sources: SourceView[] } }
    const attribution = await (await here.call(`/v1/attributions/${id}`)).json() as AttributionView
    const receipt = await (await here.call(`/v1/receipts/${id}`)).json() as ReceiptView

    expect(extension.sources[0]).to.deep.include({ title: 'six lines', row: 3, text: 'The railways now reach the western mines, and letters take four days.' })
    expect(extension.sources).to.have.length(2)
    expect(attribution.sources).to.deep.equal(extension.sources)
    expect(receipt.conditionsHash).to.be.a('string')
    await expect(client.chat.completions.create({ ...request, messages: [{ role: 'user', content: 'xylophone' }] })).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.property('code', 'ERR_NOTHING_RETRIEVED')
    await expect(client.chat.completions.create({ ...request, retrieval: { datanet: here.adapter, rows: 2 } } as typeof request)).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.property('code', 'ERR_NOTHING_RETRIEVED')
    await expect(client.chat.completions.create({ ...request, retrieval: { datanet: 'speeches', rows: 2 } } as typeof request)).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.property('param', 'retrieval')
    await expect(client.chat.completions.create({ ...request, retrieval: { datanet, rows: 17 } } as typeof request)).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.property('param', 'retrieval.rows')
  })

  it('openai: reads our errors as its own', async () => {
    const ask = async (change: object, key?: string): Promise<unknown> => openai(key).chat.completions.create({ model: here.adapter, messages: [{ role: 'user', content: prompt }], max_tokens: 4, ...change })

    await expect(ask({ model: 'nobody' })).to.eventually.be.rejectedWith(OpenAI.NotFoundError).with.deep.include({ code: 'model_not_found', param: 'model', type: 'invalid_request_error' })
    await expect(ask({ n: 2 })).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.deep.include({ code: 'unsupported_parameter', param: 'n' })
    await expect(ask({ tools: [{ type: 'function', function: { name: 'x' } }] })).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.property('param', 'tools')
    await expect(ask({ temperature: -1 })).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.property('param', 'temperature')
    await expect(ask({ max_tokens: 4_000 })).to.eventually.be.rejectedWith(OpenAI.BadRequestError).with.property('code', 'context_length_exceeded')
    await expect(ask({ stream: true, model: 'nobody' })).to.eventually.be.rejectedWith(OpenAI.NotFoundError)
    await expect(ask({}, 'sk-wrong')).to.eventually.be.rejectedWith(OpenAI.AuthenticationError).with.property('code', 'invalid_api_key')
  })

  it('openai: stops an answer by hanging up, and gets the next one whole', async () => {
    const client = openai()
    const stream = await client.chat.completions.create({ model: here.adapter, messages: [{ role: 'user', content: 'A harvest' }], max_tokens: 200, stream: true })
    let seen = 0

    for await (const { choices } of stream) {
      seen += choices.length

      if (seen === 3) {
        break
      }
    }

    const after = await client.chat.completions.create({ model: here.adapter, messages: [{ role: 'user', content: 'A harvest' }], max_tokens: 6 })
    const receipt = await (await here.call(`/v1/receipts/${after.id}`)).json() as { sequence: number, cumulative: string, fee: string }

    expect(after.usage?.completion_tokens).to.equal(6)
    expect(seen).to.equal(3)
    expect(receipt.sequence).to.be.above(0)
  })

  it('ai with @ai-sdk/openai-compatible: whole and streamed', async () => {
    const provider = createOpenAICompatible({ name: 'datanet', baseURL, apiKey: TOKEN, includeUsage: true })
    const whole = await generateText({ model: provider('speeches'), prompt, maxOutputTokens: 10 })
    const streamed = streamText({ model: provider(here.adapter), prompt, maxOutputTokens: 10 })
    let text = ''

    for await (const part of streamed.textStream) {
      text += part
    }

    const { output } = await generateText({
      model: createOpenAICompatible({ name: 'datanet', baseURL, apiKey: TOKEN, supportsStructuredOutputs: true })('speeches'),
      prompt,
      maxOutputTokens: 40,
      output: Output.object({ schema: jsonSchema<{ good: boolean }>({ type: 'object', properties: { good: { type: 'boolean' } }, required: ['good'], additionalProperties: false }) })
    })

    expect(output.good).to.be.a('boolean')
    expect(text).to.equal(whole.text)
    expect(whole.finishReason).to.equal('length')
    expect(await streamed.usage).to.deep.include({ inputTokens: whole.usage.inputTokens, outputTokens: 10 })
    await expect(generateText({ model: provider('nobody'), prompt, maxRetries: 0 })).to.eventually.be.rejected.with.property('statusCode', 404)
  })

  it('@langchain/openai: whole and streamed', async () => {
    const model = new ChatOpenAI({ model: here.adapter, apiKey: TOKEN, maxTokens: 10, temperature: 0, maxRetries: 0, configuration: { baseURL } })
    const whole = await model.invoke(prompt)
    let text = ''

    for await (const chunk of await model.stream(prompt)) {
      text += String(chunk.content)
    }

    const held = await model.withConfig({ response_format: { type: 'json_schema', json_schema: { name: 'verdict', schema: { enum: ['yes', 'no'] } } } }).invoke(prompt)
    const likely = await new ChatOpenAI({ model: here.adapter, apiKey: TOKEN, maxTokens: 10, temperature: 0, logprobs: true, topLogprobs: 1, configuration: { baseURL } }).invoke(prompt)

    expect(['"yes"', '"no"']).to.include(held.content)
    expect((likely.response_metadata.logprobs as { content: unknown[] }).content).to.have.length(10)
    expect(text).to.equal(whole.content)
    expect(whole.usage_metadata?.output_tokens).to.equal(10)
  })
})
