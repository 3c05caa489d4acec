import { Button } from '@mantine/core'
import { open, percent, plural, ratio } from '../format.ts'
import { Failure } from '../parts/notes.tsx'
import { PhaseBar } from '../parts/phase-bar.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import { partTitles, proposedSplit, splitParts } from './split.ts'
import type { ProposalView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

const stages = ['pending', 'active', 'succeeded', 'queued', 'executed']
const stageTitles: Record<string, string> = { pending: 'Proposed', active: 'Vote', succeeded: 'Accepted', queued: 'Waiting time', executed: 'In force' }

/** A proposal: what it would change, how the vote stands, what can be done now. */
export function Proposal ({ view }: { view: ProposalView }): ReactNode {
  const { params } = useNode()
  const split = proposedSplit(view.actions)
  const all = BigInt(view.for) + BigInt(view.against) + BigInt(view.abstain)

  return (
    <article className='proposal' aria-label={`Proposal ${view.proposal}`}>
      <div className='section-head'>
        <h4>{view.title}</h4>
        <span className={`status ${view.status}`}>{view.status}</span>
      </div>
      {view.status === 'defeated'
        ? <p className='small'>Not enough votes, or more against than for.</p>
        : <PhaseBar label='Stages' phases={stages.map(key => ({ key, title: stageTitles[key] }))} at={stages.indexOf(view.status)} finished={view.status === 'executed'} />}
      {split != null && params != null && view.status !== 'executed' && (
        <p className='facts'>{splitParts.filter(part => split[part] != null && split[part] !== params.feeSplit[part]).map(part => <span key={part}>{partTitles[part]}: {params.feeSplit[part] / 100} % → <b>{(split[part] ?? 0) / 100} %</b></span>)}</p>
      )}
      <ul className='tally' aria-label='Votes cast'>
        {(['for', 'against', 'abstain'] as const).map(side => (
          <li key={side}>
            <span>{side}</span>
            <span className='share-bar'><span className={side} style={{ width: `${ratio(view[side], all) * 100}%` }} /></span>
            <span className='number'>{open(view[side])}</span>
            <span className='number dim'>{all === 0n ? '–' : percent(ratio(view[side], all))}</span>
          </li>
        ))}
      </ul>
      <Acts view={view} />
    </article>
  )
}

function Acts ({ view }: { view: ProposalView }): ReactNode {
  const { api, as, data: { status }, refresh } = useNode()
  const height = status?.height ?? 0
  const { run, busy, error } = useAction(async (path: string, body: object) => {
    await api.post(`gov/${path}`, { as, proposal: view.proposal, ...body })
    refresh('proposals')
  })
  const wait = (view.eta ?? 0) - height - 1

  return (
    <div className='acts'>
      {view.status === 'pending' && <span className='small'>The vote begins in {plural(Math.max(1, view.voteStart - height), 'block')}.</span>}
      {view.status === 'active' && (
        <>
          <Button size='compact-md' loading={busy} onClick={() => { void run('vote', { support: 'for' }) }}>Vote for</Button>
          <Button size='compact-md' variant='default' disabled={busy} onClick={() => { void run('vote', { support: 'against' }) }}>Vote against</Button>
          <Button size='compact-md' variant='subtle' disabled={busy} onClick={() => { void run('vote', { support: 'abstain' }) }}>Abstain</Button>
          <span className='small'>as {as ?? 'this node'}; {plural(Math.max(0, view.voteEnd - height), 'block')} left</span>
        </>
      )}
      {view.status === 'succeeded' && <><Button size='compact-md' loading={busy} onClick={() => { void run('queue', {}) }}>Queue</Button><span className='small'>Starts the waiting time before it can be executed.</span></>}
      {view.status === 'queued' && <><Button size='compact-md' loading={busy} disabled={wait > 0} onClick={() => { void run('execute', {}) }}>Execute</Button><span className='small'>{wait > 0 ? `possible in ${plural(wait, 'block')}` : 'The waiting time is over.'}</span></>}
      <Failure error={error} />
    </div>
  )
}
