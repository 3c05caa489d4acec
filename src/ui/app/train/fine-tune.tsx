import { useRef, useState } from 'react'
import { Empty, Waiting } from '../parts/notes.tsx'
import { RoomHead, Section } from '../parts/room.tsx'
import { useNode } from '../use-node.tsx'
import { Earlier } from './earlier.tsx'
import { isRunning } from './phases.ts'
import { Run } from './run.tsx'
import { TrainForm } from './train-form.tsx'
import type { ReactNode } from 'react'

/** Room 2: pick a base, Datanets and a preset, then watch the adapter come into being. */
export function FineTune (): ReactNode {
  const { data: { trainings } } = useNode()
  const [chosen, setChosen] = useState<string>()
  const side = useRef<HTMLDivElement>(null)
  const show = (id: string): void => {
    setChosen(id)
    // on a narrow screen it is below the form
    side.current?.scrollIntoView({ block: 'nearest' })
  }
  const shown = trainings?.find(({ id }) => id === chosen) ?? trainings?.find(({ state }) => isRunning(state)) ?? trainings?.at(-1)

  return (
    <>
      <RoomHead title='Teach a model your data'>
        Fine-tuning adds a small adapter to a frozen base model. The same recipe gives the same bytes on every machine, so anybody can check it.
      </RoomHead>
      <div className='halves'>
        <TrainForm onStarted={show} />
        <div ref={side}>
          {trainings == null && <Waiting lines={6} />}
          {trainings != null && shown == null && <Empty title='No training yet'>Choose on this side what to learn from and press Train. You will see the loss fall, step by step.</Empty>}
          {shown != null && <Run key={shown.id} view={shown} />}
          {trainings != null && trainings.length > 1 && (
            <Section title='Earlier trainings'><Earlier list={trainings.filter(({ id }) => id !== shown?.id)} onChoose={show} /></Section>
          )}
        </div>
      </div>
    </>
  )
}
