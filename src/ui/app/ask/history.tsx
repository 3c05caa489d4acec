import { open } from '../format.ts'
import { useNode } from '../use-node.tsx'
import type { AnswerView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

export function History ({ list, shown, onChoose }: { list: AnswerView[], shown?: string, onChoose(receipt: string): void }): ReactNode {
  const { colourOf } = useNode()

  return (
    <ul className='rows' aria-label='Answers so far'>
      {list.map(view => (
        <li key={view.receipt}>
          <button type='button' className='row-button' aria-pressed={view.receipt === shown} onClick={() => { onChoose(view.receipt) }}>
            <span className='grow clip'><b>{view.prompt}</b>{view.answer}</span>
            <span className='mini' aria-hidden='true'>
              {view.shares.filter(({ share }) => share > 0).map(({ contribution, share }) => <i key={contribution} style={{ flexGrow: share, background: colourOf(contribution) }} />)}
            </span>
            <span className='number'>{open(view.fee, 3)}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
