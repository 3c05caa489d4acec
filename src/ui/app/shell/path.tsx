import { plural } from '../format.ts'
import { isRunning } from '../train/phases.ts'
import { useNode } from '../use-node.tsx'
import { go, rooms, useRoute } from '../use-route.ts'
import type { NodeData } from '../store.ts'
import type { RoomName } from '../types.ts'
import type { ReactNode } from 'react'

const names: Record<RoomName, string> = { data: 'Data', 'fine-tune': 'Fine-tune', ask: 'Ask', settle: 'Agree and settle', why: 'Why', govern: 'Govern' }

/** The way of a paid answer, left to right; below each room what there is to see in it now. */
export function Path (): ReactNode {
  const { data } = useNode()
  const { room } = useRoute()

  return (
    <nav className='path' aria-label='Rooms'>
      <ol>
        {rooms.map((name, index) => {
          const { text, busy } = newsOf(name, data)

          return (
            <li key={name} className={name === 'govern' ? 'apart' : undefined}>
              <button type='button' aria-label={names[name]} aria-current={room === name ? 'page' : undefined} aria-describedby={`news-${name}`} onClick={() => { go(name) }}>
                <span className='place' data-busy={busy}>{index + 1}</span>
                <span className='words'>
                  <span className='name'>{names[name]}</span>
                  <span className='news' id={`news-${name}`}>{text}</span>
                </span>
              </button>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

interface News {
  text: string
  busy: boolean
}

function newsOf (room: RoomName, data: NodeData): News {
  const idle = (text: string): News => ({ text, busy: false })

  switch (room) {
    case 'data': {
      const { contributions = [] } = data
      const pending = contributions.filter(({ status }) => status === 'pending').length

      return pending > 0 ? { text: `${pending} being checked`, busy: true } : idle(contributions.length === 0 ? 'nothing yet' : plural(contributions.length, 'contribution'))
    }
    case 'fine-tune': {
      const running = data.trainings?.find(({ state }) => isRunning(state))

      return running != null
        ? { text: running.state === 'training' ? `step ${running.step} of ${running.steps}` : running.state, busy: true }
        : idle(plural(data.adapters?.length ?? 0, 'adapter'))
    }
    case 'ask':
      return idle(plural(data.answers?.length ?? 0, 'answer'))
    case 'settle': {
      const { tasks = [] } = data
      const open = tasks.find(({ phase }) => phase !== 'settled' && phase !== 'unavailable')

      return open != null ? { text: open.phase, busy: open.phase !== 'collecting' } : idle(tasks.length === 0 ? 'no task yet' : `${tasks.filter(({ phase }) => phase === 'settled').length} settled`)
    }
    case 'why':
      return idle(plural((data.tasks ?? []).reduce((sum, { payouts }) => sum + payouts.length, 0), 'payout'))
    case 'govern': {
      const open = data.proposals?.find(({ status }) => status !== 'executed' && status !== 'defeated')

      return open != null ? { text: open.status, busy: true } : idle('no vote open')
    }
  }
}
