import type { ReactNode } from 'react'

export interface Phase {
  key: string
  title: string
  /** something went wrong here */
  alarm?: boolean
}

interface Props {
  label: string
  phases: Phase[]
  /** index of the present one; -1 before the first */
  at: number
  /** 0..1 of the present one; unknown if left out */
  progress?: number
  /** all is done, the last one included */
  finished: boolean
}

/** How far something has come, phase by phase. */
export function PhaseBar ({ label, phases, at, progress, finished }: Props): ReactNode {
  return (
    <ol className='phases' aria-label={label}>
      {phases.map(({ key, title, alarm }, index) => {
        const state = stateOf(index, at, finished)

        return (
          <li key={key} data-state={state} data-alarm={alarm} aria-current={state === 'now' ? 'step' : undefined}>
            <span className='bar'>
              <span className={state === 'now' && progress == null ? 'working' : undefined} style={{ width: `${widths[state] ?? Math.max(4, (progress ?? 0.5) * 100)}%` }} />
            </span>
            <span>{title}</span>
          </li>
        )
      })}
    </ol>
  )
}

const widths: Record<string, number | undefined> = { done: 100, later: 0 }

function stateOf (index: number, at: number, finished: boolean): 'done' | 'now' | 'later' {
  if (finished || index < at) {
    return 'done'
  }

  return index === at ? 'now' : 'later'
}
