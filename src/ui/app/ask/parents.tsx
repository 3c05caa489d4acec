import { percent } from '../format.ts'
import type { AnswerView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** Of an answer of several adapters: what each did. */
export function Parents ({ parents }: Pick<AnswerView, 'parents'>): ReactNode {
  return parents == null
    ? null
    : (
      <ul className='small' aria-label='Adapters that shaped the answer'>
        {parents.map(({ adapter, name, weight, share }) => <li key={adapter} title={adapter}>{weight} × {name}: <b className='number'>{percent(share)}</b></li>)}
      </ul>
      )
}
