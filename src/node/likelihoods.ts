import { answerProbabilities } from '../models/index.ts'
import { lorasOf } from '../serving/index.ts'
import type { AskRequest, LikelihoodView, TokenLikelihoodsView } from '../interface/index.ts'
import type { LoadedAdapter } from '../serving/index.ts'

/**
 * How likely the model found each token of an answer, where the request asks for it. Computed here,
 * by the pass that every payer can do, and not told by the gateway: nobody need be believed, no
 * floating-point number travels, and a gateway does not learn who looks.
 */
export function likelihoodsOf ({ logProbabilities }: AskRequest, adapter: LoadedAdapter, { prompt, output }: { prompt: number[], output: number[] }): { likelihoods?: TokenLikelihoodsView[] } {
  if (logProbabilities == null) {
    return {}
  }

  const { model, tokenizer } = adapter.base
  const view = (token: number, logProbability: number): LikelihoodView => ({ text: tokenizer.tokenText(token), bytes: [...tokenizer.tokenBytes(token)], logProbability })

  return {
    likelihoods: answerProbabilities(model, { prompt, output, lora: lorasOf(adapter) }, logProbabilities)
      .map(({ token, logProbability, top }) => ({ ...view(token, logProbability), top: top.map(one => view(one.token, one.logProbability)) }))
  }
}
