import { Swatch } from '../parts/ids.tsx'
import { Quote } from '../parts/quotes.tsx'
import type { AnswerView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** What the answer has word for word from the data, the rarest first; nothing is paid by it. */
export function Citations ({ spans = [] }: Pick<AnswerView, 'spans'>): ReactNode {
  if (spans.length === 0) {
    return null
  }

  return (
    <details className='citations' open>
      <summary>Word for word in the data</summary>
      <ol aria-label='Citations, the rarest first'>
        {spans.map(({ from, text, count, citations: [first] }) => (
          <li key={from}>
            <span className='with-swatch'><Swatch contribution={first.contribution} /><b>{first.title}</b></span>
            <span className='small'>row {first.row}{count > 1 && <>, one of <span className='number'>{count.toLocaleString('en')}</span> places</>}</span>
            <Quote quote={{ text, before: first.before, after: first.after }} />
          </li>
        ))}
      </ol>
      <p className='small'>For people to read: the payout goes by influence, not by quotation.</p>
    </details>
  )
}
