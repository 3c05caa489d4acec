import { Button } from '@mantine/core'
import { open, plural, short } from '../format.ts'
import { Empty, Waiting } from '../parts/notes.tsx'
import { RoomHead } from '../parts/room.tsx'
import { useNode } from '../use-node.tsx'
import { go, useRoute } from '../use-route.ts'
import { Stake } from './stake.tsx'
import { Task } from './task.tsx'
import type { ReactNode } from 'react'

/** Room 4: committees recompute, agree, and the fees are paid out. */
export function Settle (): ReactNode {
  const { data: { tasks, adapters, answers } } = useNode()
  const { params } = useRoute()
  const sorted = tasks?.toSorted((a, b) => b.epoch - a.epoch)
  const shown = sorted?.find(({ task }) => task === params.get('task')) ?? sorted?.[0]

  return (
    <>
      <RoomHead title='Agree, then settle'>
        At the end of an epoch a drawn committee recomputes every answer’s attribution, bit for bit. It commits first and reveals later; only what agrees is paid.
      </RoomHead>
      <Stake />
      {sorted == null && <Waiting lines={6} />}
      {sorted?.length === 0 && (
        <Empty title='No task yet' action={<Button onClick={() => { go('ask') }}>Ask something</Button>}>
          {answers != null && answers.length > 0
            ? 'Your answers are paid. The gateway hands them in shortly before the epoch’s cutoff; then they show up here.'
            : 'A task is made of the paid answers of one adapter in one epoch. Ask a question and wait for the cutoff.'}
        </Empty>
      )}
      {sorted != null && sorted.length > 0 && (
        <div className='with-list'>
          <ul className='rows tasks' aria-label='Tasks'>
            {sorted.map(view => (
              <li key={view.task}>
                <button type='button' className='row-button' aria-pressed={view.task === shown?.task} onClick={() => { go('settle', { task: view.task }) }}>
                  <span className='grow'>
                    <b>Epoch {view.epoch}</b>
                    <span className='sub'>{adapters?.find(({ adapter }) => adapter === view.adapter)?.name ?? short(view.adapter)} · {view.phase}</span>
                  </span>
                  <span className='right'><span className='number'>{open(view.fees, 3)}</span><span className='sub'>{plural(view.payouts.length, 'payout')}</span></span>
                </button>
              </li>
            ))}
          </ul>
          {shown != null && <Task view={shown} />}
        </div>
      )}
    </>
  )
}
