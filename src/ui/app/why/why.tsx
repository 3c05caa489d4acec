import { Button } from '@mantine/core'
import { open } from '../format.ts'
import { Swatch } from '../parts/ids.tsx'
import { Empty, Waiting } from '../parts/notes.tsx'
import { RoomHead } from '../parts/room.tsx'
import { useNode } from '../use-node.tsx'
import { go, useRoute } from '../use-route.ts'
import { Reasons } from './reasons.tsx'
import type { ReactNode } from 'react'

/** Room 5: pick a payout and see every link of the chain of reasons checked. */
export function Why (): ReactNode {
  const { data: { tasks, contributions = [] } } = useNode()
  const { params } = useRoute()
  const payouts = (tasks ?? []).toSorted((a, b) => b.epoch - a.epoch).flatMap(({ task, epoch, payouts: list }) =>
    list.toSorted((a, b) => BigInt(a.amount) < BigInt(b.amount) ? 1 : -1).map(payout => ({ ...payout, contribution: payout.contribution ?? '', task, epoch })))
  const contribution = params.get('contribution')
  const shown = payouts.find(payout => payout.contribution === contribution && (params.get('task') == null || payout.task === params.get('task')))

  return (
    <>
      <RoomHead title='Why was I paid?'>
        Pick a payout. This node then checks, as a light client would and against the certified block alone, each reason for which it was made.
      </RoomHead>
      {tasks == null && <Waiting lines={6} />}
      {tasks != null && payouts.length === 0 && (
        <Empty title='Nobody has been paid yet' action={<Button onClick={() => { go('settle') }}>See what is being agreed on</Button>}>
          Payouts come when a committee has agreed on a task’s scores.
        </Empty>
      )}
      {payouts.length > 0 && (
        <div className='with-list'>
          <ul className='rows' aria-label='Payouts'>
            {payouts.map(payout => (
              <li key={`${payout.task}${payout.contribution}`}>
                <button type='button' className='row-button' aria-pressed={payout === shown} onClick={() => { go('why', { contribution: payout.contribution, task: payout.task }) }}>
                  <span className='grow with-swatch'><Swatch contribution={payout.contribution} />
                    <span>{contributions.find(other => other.contribution === payout.contribution)?.title ?? payout.contribution}<span className='sub'>epoch {payout.epoch}</span></span>
                  </span>
                  <span className='number'>{open(payout.amount, 3)}</span>
                </button>
              </li>
            ))}
          </ul>
          {shown == null
            ? <Empty title='Choose a payout'>Its reasons appear here, each with a tick once it has been verified.</Empty>
            : <Reasons key={`${shown.task}${shown.contribution}`} contribution={shown.contribution} task={shown.task} />}
        </div>
      )}
    </>
  )
}
