import { Button } from '@mantine/core'
import { useState } from 'react'
import { plural } from '../format.ts'
import { Empty, Waiting } from '../parts/notes.tsx'
import { RoomHead } from '../parts/room.tsx'
import { useNode } from '../use-node.tsx'
import { ContributeModal } from './contribute-modal.tsx'
import { Contributions } from './contributions.tsx'
import { CreateModal } from './create-modal.tsx'
import type { ReactNode } from 'react'

/** Room 1: Datanets, who contributed what, who admitted it, what it earned. */
export function Data (): ReactNode {
  const { data: { datanets, contributions } } = useNode()
  const [contributing, setContributing] = useState(false)
  const [creating, setCreating] = useState(false)
  const [chosen, setChosen] = useState<string>()
  const current = datanets?.find(({ datanet }) => datanet === chosen) ?? datanets?.[0]

  return (
    <>
      <RoomHead
        title='Data that gets credit'
        action={
          <>
            <Button variant='default' onClick={() => { setCreating(true) }}>New Datanet</Button>
            <Button onClick={() => { setContributing(true) }} disabled={current == null}>Contribute</Button>
          </>
        }
      >
        A Datanet collects rows from many people. Validators fetch and check each contribution before it counts; whatever it shapes later earns OPEN.
      </RoomHead>

      {datanets == null && <Waiting lines={5} />}
      {datanets?.length === 0 && (
        <Empty title='There is no Datanet yet' action={<Button onClick={() => { setCreating(true) }}>Create the first Datanet</Button>}>
          Name it, say under which licence it collects, then contribute a text, CSV or JSONL file.
        </Empty>
      )}

      {datanets != null && datanets.length > 1 && (
        <div className='pills' role='group' aria-label='Datanets'>
          {datanets.map(({ datanet, title }) => (
            <button key={datanet} type='button' className='pill' aria-pressed={datanet === current?.datanet} onClick={() => { setChosen(datanet) }}>{title}</button>
          ))}
        </div>
      )}

      {current != null && (
        <section aria-label={`Datanet ${current.title}`} className='section'>
          <div className='datanet'>
            <h3>{current.title}</h3>
            <p>{current.description}</p>
            <p className='facts'>
              <span>{current.licence}</span>
              <span>{plural(current.contributions, 'contribution')}, {current.admitted} admitted</span>
            </p>
          </div>
          {contributions == null
            ? <Waiting />
            : <Contributions list={contributions.filter(({ datanet }) => datanet === current.datanet)} onContribute={() => { setContributing(true) }} />}
        </section>
      )}

      <ContributeModal opened={contributing} datanet={current?.datanet} onClose={() => { setContributing(false) }} />
      <CreateModal opened={creating} onClose={() => { setCreating(false) }} onCreated={setChosen} />
    </>
  )
}
