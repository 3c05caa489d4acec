import { plural } from '../format.ts'
import { isRunning } from './phases.ts'
import type { TrainingView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

export function Earlier ({ list, onChoose }: { list: TrainingView[], onChoose(id: string): void }): ReactNode {
  return (
    <ul className='rows'>
      {list.map(view => (
        <li key={view.id}>
          <button type='button' className='row-button' onClick={() => { onChoose(view.id) }}>
            <span className='grow'><b>{view.name}</b><span className='sub'>{isRunning(view.state) ? 'running' : view.state} · {plural(view.steps, 'step')}</span></span>
            <Spark losses={view.losses} />
            <span className='number'>{view.losses.at(-1)?.toFixed(3) ?? '–'}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

function Spark ({ losses }: { losses: number[] }): ReactNode {
  const high = Math.max(...losses)
  const low = Math.min(...losses)
  const points = losses.map((loss, index) => `${index / Math.max(1, losses.length - 1) * 60},${high === low ? 8 : 16 - (loss - low) / (high - low) * 14}`).join(' ')

  return losses.length < 2 ? null : <svg width='60' height='18' aria-hidden='true'><polyline points={points} fill='none' stroke='var(--accent)' strokeWidth='1.5' /></svg>
}
