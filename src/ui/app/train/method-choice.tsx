import { Collapse } from '@mantine/core'
import { useEffect, useId, useState } from 'react'
import { bytes, duration } from '../format.ts'
import { Choice } from '../parts/choice.tsx'
import { Failure, Waiting } from '../parts/notes.tsx'
import { useNode } from '../use-node.tsx'
import type { AttributionMethod, TrainingEstimateView, TrainingRequest } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** What the node is asked for costs, once people have stopped choosing. */
const SETTLE_MS = 300

interface Props {
  /** what would be trained; undefined while something is not chosen */
  request?: TrainingRequest
  value: AttributionMethod
  onChange(method: AttributionMethod): void
}

/** By which answers will be traced, with what each method means and costs here. */
export function MethodChoice ({ request, value, onChange }: Props): ReactNode {
  const [shown, setShown] = useState(false)
  const { estimate, error } = useEstimate(shown ? request : undefined)
  const id = useId()

  return (
    <fieldset>
      <legend><b>How answers are traced</b></legend>
      <p className='small'>
        {value === 'trajectory' ? 'Exactly, through every step of the training.' : <>By <b>{value}</b>, an estimate.</>}{' '}
        <button type='button' className='link' aria-expanded={shown} aria-controls={id} onClick={() => { setShown(!shown) }}>{shown ? 'Fewer methods' : 'Other methods'}</button>
      </p>
      <Collapse id={id} expanded={shown}>
        <div className='choices'>
          {request == null && <p className='small'>Choose what to learn from first: what a method costs depends on it.</p>}
          <Failure error={error} />
          {request != null && estimate == null && error == null && <Waiting />}
          {request != null && estimate?.methods.map(({ method, meaning, seconds, bytes: held }) => (
            <Choice key={method} type='radio' name='method' value={method} checked={method === value} onChange={() => { onChange(method) }} title={method}>
              {meaning} About {duration(seconds)} and up to {bytes(held)} for each node that scores an epoch’s answers.
            </Choice>
          ))}
        </div>
      </Collapse>
    </fieldset>
  )
}

/** What a training would cost; the last estimate stays while a newer one is made. */
function useEstimate (request: TrainingRequest | undefined): { estimate?: TrainingEstimateView, error?: Error } {
  const { api } = useNode()
  const [found, setFound] = useState<{ estimate?: TrainingEstimateView, error?: Error }>({})
  // requests are made anew with each rendering
  const text = request == null ? undefined : JSON.stringify(request)

  useEffect(() => {
    if (text == null) {
      return
    }

    let isWanted = true
    const timer = setTimeout(() => {
      api.post<TrainingEstimateView>('trainings/estimate', JSON.parse(text)).then(
        estimate => { if (isWanted) { setFound({ estimate }) } },
        (error: unknown) => { if (isWanted) { setFound({ error: error instanceof Error ? error : new TypeError(String(error)) }) } }
      )
    }, SETTLE_MS)

    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [api, text])

  return found
}
