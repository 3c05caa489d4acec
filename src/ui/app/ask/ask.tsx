import { Button } from '@mantine/core'
import { useState } from 'react'
import { Empty, Waiting } from '../parts/notes.tsx'
import { RoomHead, Section } from '../parts/room.tsx'
import { useNode } from '../use-node.tsx'
import { go, useRoute } from '../use-route.ts'
import { Answer } from './answer.tsx'
import { History } from './history.tsx'
import { Question } from './question.tsx'
import { useAnswers } from './use-answers.ts'
import type { AnswerView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** Room 3: a paid question, and an answer that shows whose data shaped it. */
export function Ask (): ReactNode {
  const { list = [], shown, choose, add } = useAnswers()
  const [waiting, setWaiting] = useState(false)

  return (
    <>
      <RoomHead title='Ask, and see whose words answer'>
        Every answer is paid, and traced back exactly to the contributions that shaped it. Point at a word, or at a name beside it.
      </RoomHead>
      <Asking onWaiting={setWaiting} onAnswer={add} />
      {waiting && (
        <section className='section' aria-label='Answer' aria-busy='true'>
          <p className='small' role='status'>The gateway is answering; both sides sign the receipt, then the answer is traced back through the training.</p>
          <Waiting lines={3} />
        </section>
      )}
      {!waiting && shown != null && <Answer key={shown.receipt} view={shown} />}
      {list.length > 1 && (
        <Section title='Answers so far'>
          <History list={list} shown={shown?.receipt} onChoose={receipt => { choose(receipt); scrollTo({ top: 0, behavior: 'smooth' }) }} />
        </Section>
      )}
    </>
  )
}

function Asking ({ onWaiting, onAnswer }: { onWaiting(waiting: boolean): void, onAnswer(answer: AnswerView): void }): ReactNode {
  const { data: { adapters, answers } } = useNode()
  const { params } = useRoute()
  const usable = adapters?.filter(({ status }) => status === 'admitted')
  const preferred = params.get('adapter')

  if (usable == null) {
    return <Waiting lines={5} />
  }

  if (usable.length === 0) {
    return (
      <Empty title='There is no adapter to ask yet' action={<Button onClick={() => { go('fine-tune') }}>Fine-tune one</Button>}>
        An adapter can be asked as soon as validators have admitted it.
      </Empty>
    )
  }

  return <Question key={preferred ?? ''} adapters={usable} preferred={preferred ?? answers?.[0]?.adapter} onWaiting={onWaiting} onAnswer={onAnswer} />
}
