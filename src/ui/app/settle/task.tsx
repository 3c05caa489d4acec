import { Progress } from '@mantine/core'
import { percent, plural } from '../format.ts'
import { Id } from '../parts/ids.tsx'
import { PhaseBar } from '../parts/phase-bar.tsx'
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
  receipts: 'Some seats say that a receipt does not hold. All validators look; whoever was wrong loses stake, or the gateway its bond.',
  dispute: 'The seats disagree. They show where their computations part, step by step.',
  step: 'All validators compute the one step at which the seats part; whoever was wrong loses stake.',
  unavailable: 'The gateway did not hand over the answers: nobody is paid, and payers have their fees back.'
}

const titles: Record<string, string> = { verdict: 'Verdict', receipts: 'Receipts', dispute: 'Dispute', step: 'Step', unavailable: 'Unavailable' }

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
        {progress != null && progress < 1 && (view.phase === 'commit' || view.phase === 'verdict') && (
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

function Phases ({ view: { phase: now } }: { view: TaskView }): ReactNode {
  // what went wrong takes the place of what would have come
  const shown = others[now] == null ? usual : usual.map(step => step.phase === 'open' ? { phase: now, title: titles[now] ?? now } : step)

  return (
    <PhaseBar
      label='Phases of the task'
      phases={shown.map(({ phase, title }) => ({ key: phase, title, alarm: others[phase] != null }))}
      at={shown.findIndex(({ phase }) => phase === now)}
      finished={now === 'settled'}
    />
  )
}
