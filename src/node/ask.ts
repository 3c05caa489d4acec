import { CID } from 'multiformats/cid'
import { attributeAnswer, TOKENS_DEFAULT } from '../serving/index.ts'
import { shareViews } from './views.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, AnswerView, AskRequest, AttributionShare } from '../interface/index.ts'
import type { AnswerAttribution, LoadedAdapter, PaidAnswer } from '../serving/index.ts'

/**
 * Asks a gateway, pays from an account of this node and traces the answer.
 *
 * @param node - pays and keeps the answer
 * @param request - what to ask whom
 * @param account - name in the keychain; default: the node's own
 * @param options - ends the question
 */
export async function ask (node: DatanetNode, request: AskRequest, account = node.config.account, options: AbortOptions = {}): Promise<AnswerView> {
  const started = performance.now()
  const adapterCid = CID.parse(request.adapter)
  const paid = await node.payer.ask({
    adapter: adapterCid,
    prompt: request.prompt,
    maxTokens: request.maxTokens ?? TOKENS_DEFAULT,
    sampler: { temperatureMilli: Math.round((request.temperature ?? 0) * 1000), topK: request.topK ?? 0, seed: request.seed ?? 0 }
  }, node.keychain.signer(account), options)

  const adapter = await node.library.adapter(adapterCid, options)
  const attribution = attributeAnswer(adapter, paid.opening)
  const view = await answerView(node, request, adapter, paid, attribution, performance.now() - started)

  await node.answers.add(view)
  node.events.tell({ type: 'answer', receipt: view.receipt, adapter: view.adapter, fee: view.fee })

  return view
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
    method: adapter.record.method,
    precision: attribution == null ? 'preview' : 'exact',
    fee: payload.fee.toString(),
    promptTokens: payload.promptTokens,
    outputTokens: payload.outputTokens,
    milliseconds: Math.round(milliseconds)
  }
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
