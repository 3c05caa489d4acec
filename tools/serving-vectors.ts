/**
 * `node tools/serving-vectors.ts` writes protocols/serving/vectors/messages.json, the same bytes on
 * every machine. With `--check` it says whether the file differs and exits with 1 if it does.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { signPayload, signRecord } from '../src/identity/index.ts'
import {
  acknowledgementCodec, answerPartCodec, askCodec, cosignCodec, offersCodec, offersRequestCodec, openingsCodec, proposedAnswerCodec, receiptsRequestCodec, signReceipt,
  signVoucher, tokensHash
} from '../src/serving/index.ts'
import { domains, equalBytes, signedCodec, toHex } from '../src/wire/index.ts'
import { CHAIN, cidFor, gateway, hashFor, payer, put, stranger, validator } from './vectors/fixtures.ts'
import { invalidsOf } from './vectors/mutations.ts'
import type { Edit } from './vectors/fixtures.ts'
import type { Receipt, Voucher } from '../src/interface/index.ts'
import type { AskMessage, ReceiptsRequest } from '../src/serving/index.ts'
import type { Codec } from '../src/wire/index.ts'

const channel = hashFor('channel')
const sampler = { temperatureMilli: 700, topK: 40, seed: 7 }
const salt = hashFor('salt')
const [prompt, output] = [[0, 300, 17], [401, 1]]
const voucher = (cumulative: bigint): Voucher => ({ type: 'voucher', version: 1, chain: CHAIN, channel, cumulative })

const receipt: Receipt = {
  type: 'receipt',
  version: 1,
  chain: CHAIN,
  adapter: cidFor('adapter'),
  gateway: gateway.account,
  payer: payer.account,
  channel,
  sequence: 3,
  promptHash: tokensHash('prompt', salt, prompt),
  outputHash: tokensHash('output', salt, output),
  promptTokens: prompt.length,
  outputTokens: output.length,
  sampler,
  fee: 5_000n,
  cumulative: 20_000n
}

const conditions: AskMessage['conditions'] = {
  schema: '{"type":"object"}',
  sources: { datanet: cidFor('datanet'), query: 'Fellow citizens', rows: [{ contribution: cidFor('contribution'), row: 3 }] }
}

const ask: AskMessage = {
  type: 'ask',
  adapter: cidFor('adapter'),
  prompt: 'Fellow citizens',
  maxTokens: 32,
  sampler,
  payer: payer.account,
  channel,
  sequence: 3,
  voucher: { cumulative: 50_000n, signature: signVoucher(voucher(50_000n), payer) }
}

const request: ReceiptsRequest = {
  type: 'receipts-request',
  chain: CHAIN,
  task: hashFor('task'),
  receiptsRoot: hashFor('root'),
  assessor: validator.account,
  peer: '12D3KooWQYzYhxzjYrJMkRvVZxGBqeBJxRCbVjUoXTiRBzXJXqHm'
}

interface Message {
  bytesMax: number
  valid: Array<{ name: string, bytes: Uint8Array }>
  edits: Edit[]
}

function message<T> (codec: Codec<T>, valid: Record<string, NoInfer<T>>, edits: Edit[] = []): Message {
  return { bytesMax: codec.bytesMax, valid: Object.entries(valid).map(([name, value]) => ({ name, bytes: codec.encode(value) })), edits }
}

const cosigned = { payload: receipt, gatewaySignature: signReceipt(receipt, gateway), payerSignature: signReceipt(receipt, payer) }
const adapterOffer = { adapter: cidFor('adapter'), name: 'speeches', base: cidFor('base'), pricePerThousandTokens: 10n ** 15n }
const malformed = 'ERR_MALFORMED_RECORD'

/** By the name of their type in the schema. */
const messages: Record<string, Message> = {
  OffersRequest: message(offersRequestCodec, {
    'what do you serve': { type: 'offers-request' },
    'do you serve this one': { type: 'offers-request', adapter: cidFor('adapter') }
  }, [{ name: 'another type', edit: put('type', 'ask'), code: malformed }]),
  Offers: message(offersCodec, {
    'one adapter': { type: 'offers', gateway: gateway.account, offers: [adapterOffer] },
    'prompts at a price of their own': { type: 'offers', gateway: gateway.account, offers: [{ ...adapterOffer, promptPricePerThousandTokens: 1n }] },
    nothing: { type: 'offers', gateway: gateway.account, offers: [] }
  }, [{ name: 'a name of 121 letters', edit: put('offers.0.name', 'x'.repeat(121)) }]),
  Ask: message(askCodec, { 'a question': ask, 'a greedy one': { ...ask, sampler: { temperatureMilli: 0, topK: 0, seed: 0 }, sequence: 0 }, 'one that ends at a text': { ...ask, stop: ['\n\n', '§'] }, 'one under conditions': { ...ask, conditions }, 'a conversation': { ...ask, messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: ask.prompt }] } }, [
    { name: 'a conversation without turns', edit: put('messages', []) },
    { name: 'a turn of nobody', edit: put('messages', [{ role: '', content: 'Hello' }]) },
    { name: 'an empty stop text', edit: put('stop', ['']) },
    { name: 'five stop texts', edit: put('stop', ['a', 'b', 'c', 'd', 'e']) },
    { name: 'a stop text of 65 letters', edit: put('stop', ['x'.repeat(65)]) },
    { name: 'conditions that are none', edit: put('conditions', {}), code: malformed },
    { name: 'a schema of 8,193 letters', edit: put('conditions', { schema: 'x'.repeat(8_193) }) },
    { name: 'no tokens', edit: put('maxTokens', 0) },
    { name: 'too many tokens', edit: put('maxTokens', 8_193) },
    { name: 'a negative sequence', edit: put('sequence', -1) },
    { name: 'too hot', edit: put('sampler.temperatureMilli', 10_001) },
    { name: 'a seed of 33 bits', edit: put('sampler.seed', 2 ** 32) },
    { name: 'a long prompt', edit: put('prompt', 'x'.repeat(16_385)) }
  ]),
  ProposedAnswer: message(proposedAnswerCodec, {
    'an answer': { type: 'proposed-answer', receipt, gatewaySignature: cosigned.gatewaySignature, salt, prompt, output },
    'one under conditions': { type: 'proposed-answer', receipt, gatewaySignature: cosigned.gatewaySignature, salt, prompt, output, conditions }
  }, [
    { name: 'a salt of 31 bytes', edit: put('salt', new Uint8Array(31)) },
    { name: 'a token of 21 bits', edit: put('output.0', 2 ** 20 + 1) }
  ]),
  AnswerPart: message(answerPartCodec, {
    'two tokens': { type: 'tokens', from: 3, tokens: [401, 17] },
    'the end': { type: 'proposed-answer', receipt, gatewaySignature: cosigned.gatewaySignature, salt, prompt, output }
  }, [
    { name: 'no token', edit: put('tokens', []) },
    { name: 'a negative place', edit: put('from', -1) }
  ]),
  Cosign: message(cosignCodec, {
    'both signatures': { type: 'cosign', channel, sequence: 3, payerSignature: cosigned.payerSignature, voucherSignature: signVoucher(voucher(20_000n), payer) }
  }, [{ name: 'a short signature', edit: put('payerSignature', new Uint8Array(63)) }]),
  Acknowledged: message(acknowledgementCodec, { 'so far': { type: 'acknowledged', sequence: 4, cumulative: 20_000n } }),
  SignedReceiptsRequest: message(signedCodec(receiptsRequestCodec), {
    'a seat asks': signRecord(domains.receiptsRequest, receiptsRequestCodec, request, validator),
    // well-formed: that its signer is not the assessor is for the gateway to see
    'in the name of a seat': { payload: request, signer: stranger.account, signature: signPayload(domains.receiptsRequest, receiptsRequestCodec, request, stranger) }
  }, [{ name: 'a long peer', edit: put('payload.peer', 'x'.repeat(129)) }]),
  Openings: message(openingsCodec, {
    'one receipt': { type: 'openings', openings: [{ receipt: cosigned, salt, prompt, output }] },
    'unknown here': { type: 'openings', openings: [] }
  })
}

const content = Object.entries(messages).map(([type, { bytesMax, valid, edits }]) => ({
  type,
  bytesMax,
  valid: valid.map(({ name, bytes }) => ({ name, length: bytes.length, bytes: toHex(bytes) })),
  invalid: invalidsOf({ folder: 'serving', codecName: type, bytesMax, valid, edits, badlySigned: [] })
    // one field has one order
    .filter(({ bytes }) => !equalBytes(bytes, valid[0].bytes))
    .map(({ name, code, bytes }) => ({ name, code, bytes: toHex(bytes) }))
}))

const path = new URL('../protocols/serving/vectors/messages.json', import.meta.url)
const text = `${JSON.stringify(content, null, 2)}\n`

if (!process.argv.includes('--check')) {
  await writeFile(path, text)
} else if (await readFile(path, 'utf8').catch(() => '') !== text) {
  process.stdout.write(`${path.pathname} is not what tools/serving-vectors.ts makes\n`)
  process.exitCode = 1
}
