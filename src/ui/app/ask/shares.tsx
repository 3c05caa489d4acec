import { percent, plural } from '../format.ts'
import { useNode } from '../use-node.tsx'
import type { AnswerView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

interface Props {
  view: AnswerView
  lit: number | null
  onLight(share: number | null): void
}

/** Who shaped the answer, largest first; pointing at one lights up its tokens. */
export function Shares ({ view, lit, onLight }: Props): ReactNode {
  const { colourOf } = useNode()
  const ranked = view.shares.map((share, index) => ({ ...share, index })).toSorted((a, b) => b.share - a.share)
  const largest = ranked[0]?.share ?? 1
  // who raised single tokens is listed too, whatever it did for the whole: its colour is in the text
  const listed = ranked.filter(({ share, index }) => share > 0 || view.tokens.some(token => token.share === index))
  const held = ranked.filter(({ share }) => share === 0).length

  if (view.shares.length === 0) {
    return <div className='shares'><p className='small'>{view.method === 'none' ? 'Nobody knows what this was trained on, so its answers are traced to no contribution.' : 'Pending: this adapter’s answers are traced at the end of the epoch, all together.'}</p></div>
  }

  return (
    <div className='shares'>
      <ul aria-label='Contributions that shaped the answer'>
        {listed.map(({ index, contribution, title, share, influence }) => (
          <li key={contribution}>
            <button
              type='button'
              className={lit === index ? 'share lit' : 'share'}
              data-contribution={contribution}
              title={`influence ${influence.toPrecision(3)}`}
              onMouseEnter={() => { onLight(index) }}
              onMouseLeave={() => { onLight(null) }}
              onFocus={() => { onLight(index) }}
              onBlur={() => { onLight(null) }}
            >
              <span className='share-title'><span>{title}</span><b className='number'>{percent(share)}</b></span>
              <span className='share-bar'><span style={{ width: `${share === 0 ? 0 : Math.max(1.5, share / largest * 100)}%`, background: colourOf(contribution) }} /></span>
            </button>
          </li>
        ))}
      </ul>
      {held > 0 && (view.parents == null || view.precision === 'exact') && <p className='small'>On the whole, {plural(held, 'contribution')} made this answer less likely. Single examples in {held === 1 ? 'it' : 'them'} may have helped all the same: the payout counts those.</p>}
    </div>
  )
}
