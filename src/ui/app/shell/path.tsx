import { useEffect, useRef } from 'react'
import { plural } from '../format.ts'
import { isRunning } from '../train/phases.ts'
import { useNode } from '../use-node.tsx'
import { go, rooms, useRoute } from '../use-route.ts'
import type { NodeData } from '../node-data.ts'
import type { RoomName } from '../types.ts'
import type { ReactNode } from 'react'

const names: Record<RoomName, string> = { data: 'Data', 'fine-tune': 'Fine-tune', ask: 'Ask', settle: 'Agree and settle', why: 'Why', govern: 'Govern' }

/** The way of a paid answer, left to right; below each room what there is to see in it now. */
export function Path (): ReactNode {
  const { data } = useNode()
  const { room } = useRoute()
  const nav = useRef<HTMLElement>(null)

  // on a narrow screen the way is longer than the window
  useEffect(() => { nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }) }, [room])

  return (
    <nav ref={nav} className='path' aria-label='Rooms'>
      <ol>
        {rooms.map((name, index) => {
          const { text, busy } = newsOf[name](data)

          return (
            <li key={name} className={name === 'govern' ? 'apart' : undefined}>
              <button type='button' aria-current={room === name ? 'page' : undefined} onClick={() => { go(name) }}>
                <span className='place' data-busy={busy} data-number={index + 1} aria-hidden='true' />
                <span className='words'>
                  <span className='name'>{names[name]}</span>{' '}
                  <span className='news'>{text}</span>
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

const idle = (text: string): News => ({ text, busy: false })

const newsOf: Record<RoomName, (data: NodeData) => News> = {
  data: ({ contributions = [] }) => {
    const pending = contributions.filter(({ status }) => status === 'pending').length

    return pending > 0 ? { text: `${pending} being checked`, busy: true } : idle(contributions.length === 0 ? 'nothing yet' : plural(contributions.length, 'contribution'))
  },
  'fine-tune': ({ trainings = [], adapters = [] }) => {
    const running = trainings.find(({ state }) => isRunning(state))

    return running == null
      ? idle(plural(adapters.length, 'adapter'))
      : { text: running.state === 'training' ? `step ${running.step} of ${running.steps}` : running.state, busy: true }
  },
  ask: ({ answers = [] }) => idle(plural(answers.length, 'answer')),
  settle: ({ tasks = [] }) => {
    const open = tasks.find(({ phase }) => phase !== 'settled' && phase !== 'unavailable')
    const settled = tasks.filter(({ phase }) => phase === 'settled').length

    return open == null ? idle(tasks.length === 0 ? 'no task yet' : `${settled} settled`) : { text: open.phase, busy: open.phase !== 'collecting' }
  },
  why: ({ tasks = [] }) => idle(plural(tasks.reduce((sum, { payouts }) => sum + payouts.length, 0), 'payout')),
  govern: ({ proposals = [] }) => {
    const open = proposals.find(({ status }) => status !== 'executed' && status !== 'defeated')

    return open == null ? idle('no vote open') : { text: open.status, busy: true }
  }
}
