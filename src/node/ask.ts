import { setTimeout } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { attributeAnswer, textStream, TOKENS_DEFAULT } from '../serving/index.ts'
import { toError } from '../utils/index.ts'
import { answerColumns } from './answer-columns.ts'
import { COLUMNS_PATIENCE_MS } from './constants.ts'
import { likelihoodsOf } from './likelihoods.ts'
import { mergedShares } from './merged-views.ts'
import { toJson } from './to-json.ts'
import { shareViews } from './views.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, AnswerView, AskRequest, AttributionShare, ReceiptView, SamplerSettings, SourceView, SpanView } from '../interface/index.ts'
import type { AnswerAttribution, AskOptions, LoadedAdapter, PaidAnswer } from '../serving/index.ts'

/** A piece of an answer while it is made. */
export interface AnswerPiece {
  /** what is certain by now; empty while a character or a stop text may be incomplete */
  text: string
  tokens: number[]
}

export interface AskingOptions extends AbortOptions {
  /** Told the answer while it is made, each token and each letter once. */
  onPiece? (piece: AnswerPiece): void
  /** Told once what shaped the answer, as soon as that is known: what it quotes is still looked for, and the node has not stored it yet. */
  onTraced? (view: AnswerView): void
}

/** What a gateway is asked for a request in this node's words. */
export function questionOf (request: AskRequest): AskOptions {
  return {
    adapter: CID.parse(request.adapter),
    prompt: request.prompt,
    ...(request.messages == null ? {} : { messages: request.messages }),
    maxTokens: request.maxTokens ?? TOKENS_DEFAULT,
    sampler: samplerOf(request),
    ...(request.stop == null || request.stop.length === 0 ? {} : { stop: request.stop }),
    ...(request.schema == null ? {} : { conditions: { schema: request.schema } })
  }
}

/** The question with the rows that the request wants shown before it. */
export async function preparedQuestion (node: Pick<DatanetNode, 'library' | 'retrieval'>, request: AskRequest, options: AbortOptions = {}): Promise<{ question: AskOptions, sources?: SourceView[] }> {
  const question = questionOf(request)

  return request.retrieval == null
    ? { question }
    : node.retrieval.into(await node.library.adapter(question.adapter, options), question, request.retrieval, options)
}

/** Settings in thousandths; what changes nothing is left out, so that equal questions have equal bytes. */
function samplerOf ({ temperature = 0, topK = 0, seed = 0, topP = 1, frequencyPenalty = 0, presencePenalty = 0 }: AskRequest): SamplerSettings {
  const milli = (value: number): number => Math.round(value * 1000)

  return {
    temperatureMilli: milli(temperature),
    topK,
    seed,
    ...(topP < 1 ? { topPMilli: Math.max(1, milli(topP)) } : {}),
    ...(frequencyPenalty !== 0 ? { frequencyMilli: milli(frequencyPenalty) } : {}),
    ...(presencePenalty !== 0 ? { presenceMilli: milli(presencePenalty) } : {})
  }
}

/**
 * Asks a gateway, pays from an account of this node and traces the answer.
 *
 * @param node - pays and keeps the answer
 * @param request - what to ask whom
 * @param account - name in the keychain; default: the node's own
 * @param options - ends the question, and listens to the answer
 */
export async function ask (node: DatanetNode, request: AskRequest, account = node.config.account, options: AskingOptions = {}): Promise<AnswerView> {
  const started = performance.now()
  const { question, sources } = await preparedQuestion(node, request, options)
  const adapter = await node.library.adapter(question.adapter, options)
  const { onPiece } = options
  // while the gateway computes; what goes wrong shows when the citations are asked for
  const indexed = node.citations.prepare(adapter, options).catch(() => {})
  const columns = answerColumns(node, adapter, options).catch(() => adapter.columns)
  const text = textStream(adapter.base.tokenizer, question.stop)
  const paid = await node.payer.ask(question, node.keychain.signer(account), {
    signal: options.signal,
    onTokens: onPiece == null ? undefined : tokens => { onPiece({ tokens, text: tokens.map(token => text.push(token)).join('') }) }
  })

  onPiece?.({ tokens: [], text: text.end() })

  const attribution = attributeAnswer(adapter, paid.opening, await soon(columns, adapter.columns))
  const merged = adapter.parents == null ? undefined : await mergedShares(node, adapter, paid.opening, options)
  const milliseconds = performance.now() - started

  const traced: AnswerView = { ...await answerView(node, request, adapter, paid, attribution, milliseconds), ...merged, ...(sources == null ? {} : { sources }) }

  options.onTraced?.(traced)
  await indexed

  const spans = await spansOf(node, adapter, paid.opening.output, options)
  const view: AnswerView = { ...traced, ...(spans == null ? {} : { spans }) }

  await node.answers.add(view, receiptView(paid))
  node.events.tell({ type: 'answer', receipt: view.receipt, adapter: view.adapter, fee: view.fee })

  return view
}

/** Published columns serve where peers do not say in time what they found: nobody's silence holds up scores. */
async function soon (agreed: Promise<Float64Array[] | null>, published: Float64Array[] | null): Promise<Float64Array[] | null> {
  return published == null ? agreed : Promise.race([agreed, setTimeout(COLUMNS_PATIENCE_MS, published, { ref: false })])
}

/** What the answer repeats of the data; an answer that is paid for is kept without, where the data cannot be had or whoever asked has left. */
async function spansOf (node: DatanetNode, adapter: LoadedAdapter, output: number[], options: AbortOptions): Promise<SpanView[] | undefined> {
  return node.citations.of(adapter, output, options).catch((err: unknown) => {
    if (options.signal?.aborted !== true) {
      node.events.tell({ type: 'log', level: 'warn', message: `no citations: ${toError(err).message}` })
    }

    return undefined
  })
}

async function answerView (node: DatanetNode, request: AskRequest, adapter: LoadedAdapter, paid: PaidAnswer, attribution: AnswerAttribution | null, milliseconds: number): Promise<AnswerView> {
  const { payload } = paid.cosigned
  const shares = attribution == null ? [] : await shareViews(node, adapter.cid, attribution.influence)

  return {
    receipt: paid.receipt.toString(),
    adapter: request.adapter,
    prompt: request.prompt,
    answer: paid.text,
    tokens: tokenViews(adapter, paid.opening.output, attribution),
    shares: shares as AttributionShare[],
    method: methodOf(adapter),
    precision: attribution == null ? 'preview' : 'exact',
    fee: payload.fee.toString(),
    promptTokens: payload.promptTokens,
    outputTokens: payload.outputTokens,
    milliseconds: Math.round(milliseconds),
    finish: paid.finish,
    ...likelihoodsOf(request, adapter, paid.opening)
  }
}

function methodOf ({ record, parents }: LoadedAdapter): string {
  if (parents != null) {
    return 'merged'
  }

  return record.type === 'adapter' ? record.method : 'none'
}

function receiptView ({ receipt, cosigned: { payload, gatewaySignature, payerSignature } }: PaidAnswer): ReceiptView {
  const { type, version, ...fields } = payload

  return toJson({ receipt, ...fields, gatewaySignature, payerSignature }) as ReceiptView
}

/** Each token with the contribution that raised its probability most; none where all lowered it. */
function tokenViews (adapter: LoadedAdapter, output: number[], attribution: AnswerAttribution | null): AnswerView['tokens'] {
  return output.map((id, i) => {
    const text = adapter.base.tokenizer.tokenText(id)
    const influence = attribution?.tokens[i] ?? []
    const best = influence.reduce((top, value, index) => value > (influence[top] ?? 0) ? index : top, -1)

    return best < 0 ? { text, share: null, influence: 0 } : { text, share: best, influence: influence[best] }
  })
}
