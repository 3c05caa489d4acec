import { Button } from '@mantine/core'
import { duration } from '../format.ts'
import { Failure } from '../parts/notes.tsx'
import { PhaseBar } from '../parts/phase-bar.tsx'
import { Section } from '../parts/room.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import { go } from '../use-route.ts'
import { LossChart } from './loss-chart.tsx'
import { isRunning, phases } from './phases.ts'
import type { TrainingView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** One training: where it is, how the loss falls, how long it still takes. */
export function Run ({ view }: { view: TrainingView }): ReactNode {
  const { api, refresh } = useNode()
  const { run, busy, error } = useAction(async () => {
    await api.remove(`trainings/${view.id}`)
    refresh('trainings')
  })
  const { state, losses, adapter } = view

  return (
    <Section
      title={view.name} label={`Training ${view.name}`}
      aside={isRunning(state) && <Button variant='default' size='compact-sm' loading={busy} onClick={() => { void run() }}>Cancel</Button>}
    >
      <Phases view={view} />
      <LossChart losses={losses} steps={view.steps} />
      <dl className='figures'>
        <div><dt>Step</dt><dd className='number'>{view.step === 0 && losses.length > 0 ? losses.length : view.step} of {view.steps}</dd></div>
        <div><dt>Loss now</dt><dd className='number'>{losses.at(-1)?.toFixed(3) ?? '–'} <span className='dim'>nats/token</span></dd></div>
        <div><dt>At the start</dt><dd className='number'>{losses[0]?.toFixed(3) ?? '–'}</dd></div>
        {isRunning(state) && <div><dt>Time left</dt><dd className='number'>{view.secondsLeft == null ? '–' : `about ${duration(view.secondsLeft)}`}</dd></div>}
      </dl>
      <Failure error={error} />
      {view.error != null && <div className='failure-note' role='alert'><b>The training failed.</b> {view.error.message} <code>{view.error.code}</code></div>}
      {state === 'cancelled' && <p className='small'>Cancelled. Nothing was published.</p>}
      {state === 'done' && adapter != null && <Button onClick={() => { go('ask', { adapter }) }}>Ask {view.name} something</Button>}
    </Section>
  )
}

function Phases ({ view: { state, progress } }: { view: TrainingView }): ReactNode {
  const at = phases.findIndex(phase => phase.state === state)
  const now = phases[at]

  return (
    <>
      <PhaseBar label='Phases' phases={phases.map(({ state: key, title }) => ({ key, title }))} at={at} progress={progress} finished={state === 'done'} />
      <p className='small' role='status'>{state === 'queued' ? 'Waiting for the training before it.' : now?.detail ?? ''}</p>
    </>
  )
}
