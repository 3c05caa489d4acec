import { percent } from '../format.ts'
import type { ReactNode } from 'react'

interface Part {
  key: string
  title: string
  colour: string
  /** 0..1 */
  share: number
  note?: string
}

/** A whole in its parts, with a legend that says the same in words. */
export function SplitBar ({ label, parts, quiet = false }: { label: string, parts: Part[], quiet?: boolean }): ReactNode {
  return (
    <div className='split'>
      <div className='split-bar' aria-hidden='true'>
        {parts.map(({ key, colour, share, title }) => <span key={key} title={`${title} ${percent(share)}`} style={{ flexGrow: share, background: colour }} />)}
      </div>
      <ul className={quiet ? 'legend many' : 'legend'} aria-label={label}>
        {parts.map(({ key, title, colour, share, note }) => (
          <li key={key}>
            <span className='swatch' style={{ background: colour }} aria-hidden='true' />
            <span className='grow'>{title}</span>
            <b className='number'>{percent(share, quiet ? 1 : 0)}</b>
            {note != null && <span className='number dim'>{note}</span>}
          </li>
        ))}
      </ul>
    </div>
  )
}
