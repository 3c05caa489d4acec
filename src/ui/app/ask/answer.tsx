import { useState } from 'react'
import { open, percent } from '../format.ts'
import { Id } from '../parts/ids.tsx'
import { useNode } from '../use-node.tsx'
import { Citations } from './citations.tsx'
import { Parents } from './parents.tsx'
import { Shares } from './shares.tsx'
import { Tokens } from './tokens.tsx'
import type { AnswerView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** An answer, its words in the colours of the contributions that shaped them most. */
export function Answer ({ view }: { view: AnswerView }): ReactNode {
  const { data: { adapters } } = useNode()
  const [lit, setLit] = useState<number | null>(null)
  const adapter = adapters?.find(other => other.adapter === view.adapter)
  const top = view.shares.toSorted((a, b) => b.share - a.share)[0]

  return (
    <section className='section answer' aria-label='Answer'>
      <div className='answer-text'>
        <Tokens view={view} lit={lit} onLight={setLit} />
        {top != null && top.share > 0 && <p className='small summary'>Shaped most by <b>{top.title}</b>, {percent(top.share)} of what raised this answer’s probability.</p>}
        <Parents parents={view.parents} />
      </div>
      <Shares view={view} lit={lit} onLight={setLit} />
      <Citations spans={view.spans} />
      <dl className='figures'>
        <div><dt>Fee</dt><dd><b className='number' data-testid='fee'>{open(view.fee)}</b> OPEN</dd></div>
        <div><dt>Tokens</dt><dd className='number'>{view.promptTokens} + {view.outputTokens}</dd></div>
        <div><dt>Took</dt><dd className='number'>{(view.milliseconds / 1000).toFixed(1)} s</dd></div>
        <div><dt>Adapter</dt><dd>{adapter?.name ?? <Id value={view.adapter} label='adapter' />}</dd></div>
        <div><dt>Attribution</dt><dd>{attributionText(view)}</dd></div>
        <div><dt>Receipt</dt><dd><Id value={view.receipt} label='receipt' /></dd></div>
      </dl>
    </section>
  )
}

function attributionText ({ precision, method, parents }: AnswerView): string {
  if (method === 'none') {
    return 'none: its data are not known'
  }

  if (precision !== 'exact') {
    return 'pending until the epoch’s end'
  }

  if (parents != null) {
    return 'by the measured effect of each adapter'
  }

  return method === 'trajectory' ? 'exact, by trajectory' : `an estimate, by ${method}`
}
