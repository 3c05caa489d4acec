import { Button } from '@mantine/core'
import { useState } from 'react'
import { Empty, Waiting } from '../parts/notes.tsx'
import { RoomHead, Section } from '../parts/room.tsx'
import { useNode } from '../use-node.tsx'
import { go, useRoute } from '../use-route.ts'
import { Answer } from './answer.tsx'
import { History } from './history.tsx'
import { Question } from './question.tsx'
import type { AnswerView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** Room 3: a paid question, and an answer that shows whose data shaped it. */
export function Ask (): ReactNode {
  const { data: { adapters, answers } } = useNode()
  const { params } = useRoute()
  const [fresh, setFresh] = useState<AnswerView>()
  const [chosen, setChosen] = useState<string>()
  const [waiting, setWaiting] = useState(false)
  const list = fresh == null || answers?.some(({ receipt }) => receipt === fresh.receipt) === true ? answers : [fresh, ...answers ?? []]
  const shown = list?.find(({ receipt }) => receipt === chosen) ?? list?.[0]
  const usable = adapters?.filter(({ status }) => status === 'admitted')

  return (
    <>
      <RoomHead title='Ask, and see whose words answer'>
        Every answer is paid, and traced back exactly to the contributions that shaped it. Hover a word, or a name beside it.
      </RoomHead>
      {usable == null && <Waiting lines={5} />}
      {usable?.length === 0 && (
        <Empty title='There is no adapter to ask yet' action={<Button onClick={() => { go('fine-tune') }}>Fine-tune one</Button>}>
          An adapter can be asked as soon as validators have admitted it.
        </Empty>
      )}
      {usable != null && usable.length > 0 && (
        <Question
          key={params.get('adapter') ?? ''} adapters={usable} preferred={params.get('adapter') ?? answers?.[0]?.adapter} onWaiting={setWaiting}
          onAnswer={answer => { setFresh(answer); setChosen(answer.receipt) }}
        />
      )}
      {waiting && (
        <section className='section' aria-label='Answer' aria-busy='true'>
          <p className='small' role='status'>The gateway is answering; both sides sign the receipt, then the answer is traced back through the training.</p>
          <Waiting lines={3} />
        </section>
      )}
      {!waiting && shown != null && <Answer key={shown.receipt} view={shown} />}
      {list != null && list.length > 1 && (
        <Section title='Earlier answers'><History list={list} shown={shown?.receipt} onChoose={receipt => { setChosen(receipt); scrollTo({ top: 0, behavior: 'smooth' }) }} /></Section>
      )}
    </>
  )
}
