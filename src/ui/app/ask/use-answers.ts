import { useState } from 'react'
import { useNode } from '../use-node.tsx'
import type { AnswerView } from '../../../interface/index.ts'

interface Answers {
  /** newest first; undefined until they were read */
  list: AnswerView[] | undefined
  shown: AnswerView | undefined
  choose (receipt: string): void
  /** shows an answer that just came, before the node's list has it */
  add (answer: AnswerView): void
}

export function useAnswers (): Answers {
  const { data: { answers } } = useNode()
  const [fresh, setFresh] = useState<AnswerView>()
  const [chosen, setChosen] = useState<string>()
  const known = fresh == null || answers?.some(({ receipt }) => receipt === fresh.receipt) === true
  const list = known ? answers : [fresh, ...answers ?? []]

  return {
    list,
    shown: list?.find(({ receipt }) => receipt === chosen) ?? list?.[0],
    choose: setChosen,
    add (answer) {
      setFresh(answer)
      setChosen(answer.receipt)
    }
  }
}
