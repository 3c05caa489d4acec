import { Button } from '@mantine/core'
import { useEffect } from 'react'
import { useState } from 'react'
import { open } from '../format.ts'
import { Account, Id } from '../parts/ids.tsx'
import { Failure, Waiting } from '../parts/notes.tsx'
import { Quote } from '../parts/quotes.tsx'
import { useNode } from '../use-node.tsx'
import type { WhyView } from '../../../interface/index.ts'
import type { CSSProperties, ReactNode } from 'react'

/** The chain of reasons of one payout, from the certified block to the contributor's account. */
export function Reasons ({ contribution, task }: { contribution: string, task: string }): ReactNode {
  const { api } = useNode()
  const [view, setView] = useState<WhyView>()
  const [error, setError] = useState<Error>()
  const [attempt, setAttempt] = useState(0)

  useEffect(() => {
    let current = true

    setError(undefined)
    api.get<WhyView>(`why?${new URLSearchParams({ contribution, task }).toString()}`).then(
      found => { if (current) { setView(found) } },
      (err: Error) => { if (current) { setError(err) } }
    )

    return () => { current = false }
  }, [api, contribution, task, attempt])

  if (error != null) {
    return <div><Failure error={error} /><Button mt='md' variant='default' onClick={() => { setAttempt(attempt + 1) }}>Check again</Button></div>
  }

  if (view == null) {
    return <section className='section' aria-label='Reasons' aria-busy='true'><p className='small' role='status'>Fetching the certified header and proofs from peers …</p><Waiting lines={7} /></section>
  }

  const failed = view.steps.filter(({ verified }) => !verified).length

  return (
    <section className='section reasons' aria-label='Reasons'>
      <h3>{view.title} was paid {open(view.amount)} OPEN</h3>
      <p className='equation'>
        <span><b className='number'>{open(view.dataPool)}</b><small>data’s part of the fees</small></span>
        <i>×</i>
        <span><b className='number'>{view.sharePercent.toFixed(2)} %</b><small>its share of the agreed scores</small></span>
        <i>=</i>
        <span><b className='number'>{open(view.amount)}</b><small>OPEN to <Account account={view.contributor} /></small></span>
      </p>
      <p className={failed === 0 ? 'verdict ok' : 'verdict bad'} role='status'>{failed === 0 ? `All ${view.steps.length} reasons are verified.` : `${failed} of ${view.steps.length} reasons could not be verified.`}</p>
      <ol className='chain' aria-label='Verified reasons'>
        {view.steps.map(({ title, detail, verified }, index) => (
          <li key={title} data-verified={verified} style={{ '--delay': `${index * 70}ms` } as CSSProperties}>
            <span className='mark' role='img' aria-label={verified ? 'verified' : 'not verified'}>{verified ? '✓' : '✗'}</span>
            <span><b>{title}</b><span className='sub'>{detail}</span></span>
          </li>
        ))}
      </ol>
      {view.quotes != null && (
        <div className='quotes'>
          <p className='small'>Answers that this node bought have these words from it. No reason for the payout, but where to look.</p>
          {view.quotes.map(quote => <Quote key={quote.text} quote={quote} />)}
        </div>
      )}
      <dl className='figures'>
        <div><dt>Certified at block</dt><dd className='number'>{view.header.height.toLocaleString('en')}</dd></div>
        <div><dt>Signed by</dt><dd className='number'>{view.header.signers} of {view.header.validators} validators</dd></div>
        <div><dt>State root</dt><dd><Id value={view.header.stateRoot} label='state root' /></dd></div>
        <div><dt>Header</dt><dd><Id value={view.header.hash} label='header' /></dd></div>
      </dl>
    </section>
  )
}
