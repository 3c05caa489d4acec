import { deriveSeed, ed25519Signer, verifySignature } from '../../src/identity/index.ts'
import { inferenceEngine } from '../../src/inference/index.ts'
import { verifyGeneration } from '../../src/models/index.ts'
import { receiptCid, signReceipt, signVoucher, tokensHash } from '../../src/serving/index.ts'
import { cidOf, domains, equalBytes, receiptCodec, signingBytes, voucherCodec } from '../../src/wire/index.ts'
import { closedLoop, manyAdapters, processorMs, requests } from './serving-load.ts'
import { SHAPE } from './serving-throughput.ts'
import type { BenchResult } from './interface.ts'
import type { Receipt, Voucher } from '../../src/interface/index.ts'
import type { LlamaModel } from '../../src/models/index.ts'

const sampler = { temperatureMilli: 0, topK: 0, seed: 0 }
const [gateway, payer] = ['gateway', 'payer'].map(name => ed25519Signer(deriveSeed('serving bench', name)))
const adapter = cidOf(new Uint8Array(32))
const channel = new Uint8Array(32).fill(1)
const salt = new Uint8Array(32).fill(2)

interface Sides {
  gatewayMs: number
  payerMs: number
}

/** All that the two sides do for one answer's receipt beside computing it, but for writing to disk: vouchers, hashes, signatures, checks. */
function paperwork (prompt: number[], output: number[], sequence: number, spent: Sides): void {
  let begin = processorMs()
  const lap = (side: keyof Sides): void => {
    const now = processorMs()
    spent[side] += now - begin
    begin = now
  }
  const promise: Voucher = { type: 'voucher', version: 1, chain: 'bench-1', channel, cumulative: BigInt(2 * sequence + 2) }
  const exact: Voucher = { ...promise, cumulative: BigInt(2 * sequence + 1) }
  const promised = signVoucher(promise, payer)
  lap('payerMs')
  check(voucherHolds(promise, promised))
  const payload = receiptOf(prompt, output, sequence)
  const gatewaySignature = signReceipt(payload, gateway)
  lap('gatewayMs')
  const hashes = [tokensHash('prompt', salt, prompt), tokensHash('output', salt, output)]
  check(equalBytes(hashes[0], payload.promptHash) && equalBytes(hashes[1], payload.outputHash))
  check(verifySignature(gateway.account, signingBytes(domains.receipt, receiptCodec.encode(payload)), gatewaySignature))
  const payerSignature = signReceipt(payload, payer)
  const paid = signVoucher(exact, payer)
  lap('payerMs')
  check(verifySignature(payer.account, signingBytes(domains.receipt, receiptCodec.encode(payload)), payerSignature) && voucherHolds(exact, paid))
  receiptCid({ payload, gatewaySignature, payerSignature })
  lap('gatewayMs')
}

function voucherHolds (voucher: Voucher, signature: Uint8Array): boolean {
  return verifySignature(payer.account, signingBytes(domains.voucher, voucherCodec.encode(voucher)), signature)
}

function check (holds: boolean): void {
  if (!holds) {
    throw new RangeError('expected signatures and hashes that verify')
  }
}

function receiptOf (prompt: number[], output: number[], sequence: number): Receipt {
  return {
    type: 'receipt',
    version: 1,
    chain: 'bench-1',
    adapter,
    gateway: gateway.account,
    payer: payer.account,
    channel,
    sequence,
    promptHash: tokensHash('prompt', salt, prompt),
    outputHash: tokensHash('output', salt, output),
    promptTokens: prompt.length,
    outputTokens: output.length,
    sampler,
    fee: 1n,
    cumulative: BigInt(2 * sequence + 1)
  }
}

/** What a receipt costs beside the answer that it is for, and what the payer's check of the tokens does. */
export function receiptShares (label: string, suffix: string, model: LlamaModel, rounds: number): BenchResult[] {
  const adapters = manyAdapters(model, 32, 8)
  const engine = inferenceEngine({ model })
  const answers = 32
  let [answerMs, gatewayMs, payerMs, checkMs] = [Infinity, Infinity, Infinity, Infinity]
  for (let round = 0; round < rounds; round++) {
    let next = 0
    const work = requests(model, answers, SHAPE, () => [adapters[next++ % adapters.length]], String(round))
    answerMs = Math.min(answerMs, closedLoop(engine, work) * SHAPE.answerTokens)
    const output = Array.from({ length: SHAPE.answerTokens }, (_, i) => i)
    const spent: Sides = { gatewayMs: 0, payerMs: 0 }
    work.forEach(({ prompt }, i) => { paperwork(Array.from(prompt), output, i, spent) })
    gatewayMs = Math.min(gatewayMs, spent.gatewayMs / answers)
    payerMs = Math.min(payerMs, spent.payerMs / answers)
    const begin = processorMs()
    // a wrong token ends the comparison, not the pass that everything is spent on
    work.forEach(({ prompt, adapters: [{ lora }] = [] }) => { verifyGeneration(model, { prompt, output, sampler, lora }) })
    checkMs = Math.min(checkMs, (processorMs() - begin) / answers)
  }
  const detail = `${label}: an answer of ${SHAPE.answerTokens} tokens in a batch of 32 takes ${answerMs.toFixed(2)} ms of processor time`
  return [
    { name: `receiptShareOfAnswer${suffix}`, value: gatewayMs / answerMs, unit: 'share', peer: 'answer', detail: `${detail}, what the gateway signs, hashes and checks for its receipt ${gatewayMs.toFixed(2)} ms; writing to disk is not counted` },
    { name: `payerShareOfAnswer${suffix}`, value: (payerMs + checkMs) / answerMs, unit: 'share', peer: 'answer', detail: `${detail}; on the payer's machine its vouchers, hashes and signatures ${payerMs.toFixed(2)} ms and its pass over the tokens, one prefill, ${checkMs.toFixed(2)} ms` }
  ]
}
