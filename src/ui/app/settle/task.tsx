import { Progress } from '@mantine/core'
import { percent, plural } from '../format.ts'
import { Id } from '../parts/ids.tsx'
import { Section } from '../parts/room.tsx'
import { useNode } from '../use-node.tsx'
import { Flow } from './flow.tsx'
import { Payouts } from './payouts.tsx'
import { Seats } from './seats.tsx'
import type { TaskView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

const usual = [
  { phase: 'collecting', title: 'Collecting', detail: 'Paid answers are handed in until the epoch’s cutoff.' },
  { phase: 'commit', title: 'Commit', detail: 'The committee recomputes the scores. Each seat publishes only a hash of its result.' },
  { phase: 'reveal', title: 'Reveal', detail: 'All hashes are in: the seats show their results. A copied hash has nothing to show.' },
  { phase: 'open', title: 'Open', detail: 'A random draw asks for some intermediate results. Who did not compute cannot give them.' },
  { phase: 'challenge', title: 'Challenge', detail: 'Accepted. A last window in which a wrong result could still be disputed.' },
  { phase: 'settled', title: 'Settled', detail: 'The fees are paid out.' }
]

const others: Record<string, string> = {
  verdict: 'The seats disagree. All validators recompute the task; whoever was wrong loses stake.',
  unavailable: 'The gateway did not hand over the answers: nobody is paid, and the fee is forfeited.'
}

export function Task ({ view }: { view: TaskView }): ReactNode {
  const { data: { status, recompute } } = useNode()
  const progress = recompute[view.task]
  const left = status == null ? 0 : view.deadline - status.height
  const ended = view.phase === 'settled' || view.phase === 'unavailable'

  return (
    <div className='task'>
      <Section title={`Task of epoch ${view.epoch}`} label='Task' aside={<Id value={view.task} label='task' />}>
        <Phases view={view} />
        <p className='small' role='status'>
          {others[view.phase] ?? usual.find(({ phase }) => phase === view.phase)?.detail}
          {!ended && left > 0 && <> At the latest in {plural(left, 'block')}.</>}
        </p>
        {progress != null && progress < 1 && !ended && (
          <div className='recompute'>
            <span>This node recomputes it</span>
            <Progress value={progress * 100} aria-label='Recomputation' />
            <span className='number'>{percent(progress)}</span>
          </div>
        )}
        <Seats view={view} />
        {view.scoreRoot != null && <p className='facts'><span>Agreed score root</span><span data-testid='score-root'><Id value={view.scoreRoot} label='score root' ends={10} /></span></p>}
      </Section>
      <Flow view={view} />
      <Payouts view={view} />
    </div>
  )
}

function Phases ({ view }: { view: TaskView }): ReactNode {
  const shown = others[view.phase] == null ? usual : usual.map(step => step.phase === 'open' ? { ...step, phase: view.phase, title: view.phase === 'verdict' ? 'Verdict' : 'Unavailable' } : step)
  const at = shown.findIndex(({ phase }) => phase === view.phase)

  return (
    <ol className='phases' aria-label='Phases of the task'>
      {shown.map(({ phase, title }, index) => {
        const done = index < at || view.phase === 'settled'

        return (
          <li key={phase} data-state={done ? 'done' : index === at ? 'now' : 'later'} data-alarm={phase === 'verdict' || phase === 'unavailable'} aria-current={index === at ? 'step' : undefined}>
            <span className='bar'><span className={index === at && !done ? 'working' : undefined} style={{ width: done ? '100%' : index === at ? '50%' : '0%' }} /></span>
            <span>{title}</span>
          </li>
        )
      })}
    </ol>
  )
}
