import { Fragment, useRef, useState } from 'react'
import { useNode } from '../use-node.tsx'
import type { AnswerView } from '../../../interface/index.ts'
import type { CSSProperties, KeyboardEvent, ReactNode } from 'react'

interface Props {
  view: AnswerView
  /** index of the contribution that is pointed at */
  lit: number | null
  onLight(share: number | null): void
}

const moves: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 }

/** Prompt and answer as one text. Arrow keys go from token to token. */
export function Tokens ({ view, lit, onLight }: Props): ReactNode {
  const { colourOf } = useNode()
  const [at, setAt] = useState<number | null>(null)
  const [tip, setTip] = useState<CSSProperties>()
  const [stop, setStop] = useState(0)
  const box = useRef<HTMLDivElement>(null)
  const strongest = Math.max(...view.tokens.map(({ influence }) => influence), 0)

  const enter = (index: number, element: HTMLElement): void => {
    const outer = box.current?.getBoundingClientRect()
    const [inner] = element.getClientRects()

    if (outer != null && inner != null) {
      setTip({ left: Math.max(0, Math.min(inner.left - outer.left, outer.width - 240)), top: inner.bottom - outer.top + 6 })
    }

    setAt(index)
    onLight(view.tokens[index].share)
  }

  const leave = (): void => {
    setAt(null)
    onLight(null)
  }

  const onKey = (event: KeyboardEvent<HTMLElement>, index: number): void => {
    const next = index + (moves[event.key] ?? 0)

    if (next !== index && view.tokens[next] != null) {
      event.preventDefault()
      setStop(next)
      box.current?.querySelectorAll<HTMLElement>('[data-token]')[next].focus()
    } else if (event.key === 'Escape') {
      leave()
    }
  }

  return (
    <div className='tokens-box' ref={box} onMouseLeave={leave}>
      <p className='visually-hidden'>{view.prompt}{view.answer}</p>
      <div className='tokens' role='group' aria-label='Answer by token; arrow keys move' data-lit={lit != null}>
        <span className='prompt' aria-hidden='true'>{view.prompt}</span>
        {view.tokens.map(({ text, share, influence, parent }, index) => (
          <Fragment key={index}>
            {spaceOf(text)}
            <span
              role='button'
              tabIndex={index === stop ? 0 : -1}
              data-token={index}
              data-share={share ?? undefined}
              data-contribution={share == null ? undefined : view.shares[share].contribution}
              className={`token${share == null ? ' plain' : ''}${lit != null && share === lit ? ' lit' : ''}`}
              style={share == null ? undefined : styleOf(colourOf(view.shares[share].contribution), influence / (strongest === 0 ? 1 : strongest))}
              aria-label={share == null ? `${text}. ${withoutShare(view, parent)}` : `${text}, by ${view.shares[share].title}`}
              onMouseEnter={event => { enter(index, event.currentTarget) }}
              onFocus={event => { setStop(index); enter(index, event.currentTarget) }}
              onBlur={leave}
              onKeyDown={event => { onKey(event, index) }}
            >
              {text.slice(spaceOf(text).length)}
            </span>
          </Fragment>
        ))}
      </div>
      {at != null && tip != null && <Tip view={view} at={at} style={tip} />}
    </div>
  )
}

/** The space before a word stays untinted; a token of nothing else keeps it. */
function spaceOf (text: string): string {
  return text.trim() === '' ? '' : text.slice(0, text.length - text.trimStart().length)
}

/** The stronger the influence, the deeper the tint; never so deep that the text suffers. */
function styleOf (colour: string, strength: number): CSSProperties {
  return { '--c': colour, '--depth': `${Math.round(12 + 24 * Math.sqrt(Math.max(0, Math.min(1, strength))))}%` } as CSSProperties
}

function Tip ({ view, at, style }: { view: AnswerView, at: number, style: CSSProperties }): ReactNode {
  const { colourOf } = useNode()
  const { share, influence, parent } = view.tokens[at]
  const by = share == null ? undefined : view.shares[share]
  const adapter = view.parents?.[parent ?? -1]

  return (
    <div role='tooltip' className='tip' style={style}>
      {by == null
        ? `${withoutShare(view, parent)}.`
        : <><span className='swatch' style={{ background: colourOf(by.contribution) }} /> <b>{by.title}</b><br />influence <span className='number'>+{influence.toPrecision(3)}</span> on this token’s log-likelihood</>}
      {by != null && adapter != null && <><br />through <b>{adapter.name}</b> more than another adapter</>}
    </div>
  )
}

/** Of a merge an adapter may have raised it whose data nobody knows. */
function withoutShare ({ parents }: AnswerView, parent: number | null | undefined): string {
  const adapter = parents?.[parent ?? -1]

  return adapter == null ? 'No contribution made this token likelier' : `Made likelier by ${adapter.name}, by no contribution that is known`
}
