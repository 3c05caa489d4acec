import { ask, preparedQuestion } from '../node/index.ts'
import { feeOf } from '../serving/index.ts'
import { admission } from './admission.ts'
import { ANSWERS_AT_ONCE, ANSWERS_WAITING_MAX } from './constants.ts'
import { spendingLimits } from './limits.ts'
import type { Caller } from './access.ts'
import type { Keys } from './keys.ts'
import type { Load } from './metrics.ts'
import type { AnswerView, AskRequest } from '../interface/index.ts'
import type { AskingOptions, DatanetNode } from '../node/index.ts'

export interface DeskInit {
  /** @default ANSWERS_AT_ONCE */
  answersAtOnce?: number
  /** @default ANSWERS_WAITING_MAX */
  answersWaiting?: number
}

export interface DeskComponents {
  node: DatanetNode
  keys: Keys
  /** told of each answer that was bought */
  onAnswer (view: AnswerView): void
}

export interface BuyOptions extends AskingOptions {
  signal: AbortSignal
  /** the account of the keychain that pays; that of the caller if left out */
  account?: string
}

/** Buys answers for callers: so many at once, so many waiting, and each within what it may spend. */
export interface Desk {
  /** @throws {OverloadedError | SpendingLimitError | StoppingError} and what `ask` throws */
  buy (request: AskRequest, caller: Caller, options: BuyOptions): Promise<AnswerView>
  load (): Load
  /** Takes no more, and waits for what is under way until `signal` fires. */
  drain (signal: AbortSignal): Promise<void>
}

export function desk ({ answersAtOnce = ANSWERS_AT_ONCE, answersWaiting = ANSWERS_WAITING_MAX }: DeskInit, { node, keys, onAnswer }: DeskComponents): Desk {
  const door = admission({ atOnce: answersAtOnce, waitingMax: answersWaiting })
  const spending = spendingLimits()

  const pay = async (request: AskRequest, caller: Caller, { account, onPiece, onTraced, signal }: BuyOptions): Promise<AnswerView> => {
    const { question } = await preparedQuestion(node, request, { signal })
    const quote = await node.payer.quote(question, { signal })
    const release = spending.reserve(caller.id, caller.limits, await keys.spent(caller.id, new Date()), quote.feeMax, new Date())
    let tokens = 0
    let fee: bigint | undefined

    try {
      const view = await ask(node, request, account ?? caller.account, {
        signal,
        onTraced,
        onPiece: piece => {
          tokens += piece.tokens.length
          onPiece?.(piece)
        }
      })

      fee = BigInt(view.fee)
      onAnswer(view)

      return view
    } finally {
      // who leaves in the middle of an answer has what came so far, and the next question pays it
      await keys.spend(caller.id, fee ?? (tokens === 0 ? 0n : feeOf(quote, quote.promptTokens, tokens)), new Date())
      release()
    }
  }

  return {
    buy: async (request, caller, options) => door.run(async () => pay(request, caller, options), options.signal),
    load: () => door.load(),
    drain: async signal => door.drain(signal)
  }
}
