import { Button, NativeSelect, NumberInput, Slider, Textarea } from '@mantine/core'
import { useId, useState } from 'react'
import { open } from '../format.ts'
import { Failure } from '../parts/notes.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import { priceOf } from './price.ts'
import type { AdapterView, AnswerView, AskRequest } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

interface Props {
  adapters: AdapterView[]
  preferred?: string
  onWaiting(waiting: boolean): void
  onAnswer(answer: AnswerView): void
}

const TOKENS_MAX = 128
const SEED_MAX = 4_294_967_295

export function Question ({ adapters, preferred, onWaiting, onAnswer }: Props): ReactNode {
  const { api, as, data: { answers = [] }, refresh } = useNode()
  const [chosen, setChosen] = useState(preferred)
  const [prompt, setPrompt] = useState('')
  const [maxTokens, setMaxTokens] = useState(32)
  const [temperature, setTemperature] = useState(0)
  const [seed, setSeed] = useState(0)
  const adapter = adapters.find(view => view.adapter === chosen) ?? adapters[0]

  const { run, busy, error } = useAction(async () => {
    onWaiting(true)

    try {
      const request: AskRequest & { as?: string } = { as, adapter: adapter.adapter, prompt, maxTokens, temperature, seed, ...(temperature > 0 ? { topK: 40 } : {}) }

      onAnswer(await api.post<AnswerView>('ask', request))
      refresh('answers', 'wallet')
    } finally {
      onWaiting(false)
    }
  })

  return (
    <form className='question' aria-label='Question' onSubmit={event => { event.preventDefault(); void run() }}>
      <Textarea
        label='Begin a text; the model goes on with it' autosize minRows={2} maxRows={8} maxLength={8192} size='md' value={prompt} placeholder='The state of the Union is'
        onChange={event => { setPrompt(event.currentTarget.value) }}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && prompt.trim() !== '' && !busy) {
            event.preventDefault()
            void run()
          }
        }}
      />
      <div className='settings'>
        <NativeSelect label='Adapter' value={adapter.adapter} onChange={event => { setChosen(event.currentTarget.value) }} data={adapters.map(view => ({ value: view.adapter, label: labelOf(view, adapters) }))} />
        <Range label='Length' unit='tokens' value={maxTokens} min={8} max={TOKENS_MAX} step={8} onChange={setMaxTokens} />
        <Range label='Temperature' unit={temperature === 0 ? 'always the likeliest' : ''} value={temperature} min={0} max={1.5} step={0.1} onChange={setTemperature} />
        <NumberInput label='Seed' min={0} max={SEED_MAX} allowDecimal={false} value={seed} disabled={temperature === 0} onChange={value => { setSeed(typeof value === 'number' ? value : 0) }} />
      </div>
      <Failure error={error} />
      <div className='submit'>
        <Button type='submit' size='md' loading={busy} disabled={prompt.trim() === ''}>Ask</Button>
        <span className='small'>at most about <b className='number'>{open(priceOf(adapter, prompt, maxTokens, answers), 3)}</b> OPEN, paid by {as ?? 'this node'}</span>
      </div>
    </form>
  )
}

function Range ({ label, unit, value, min, max, step, onChange }: { label: string, unit: string, value: number, min: number, max: number, step: number, onChange(value: number): void }): ReactNode {
  const id = useId()

  return (
    <div className='range'>
      <div id={id} className='range-label'>{label} <b className='number'>{value}</b> <span className='dim'>{unit}</span></div>
      <Slider value={value} min={min} max={max} step={step} label={null} onChange={onChange} thumbLabel={label} />
    </div>
  )
}

/** Several versions of one name are told apart by their CIDs. */
function labelOf (view: AdapterView, all: AdapterView[]): string {
  return all.filter(({ name }) => name === view.name).length > 1 ? `${view.name} (…${view.adapter.slice(-5)})` : view.name
}
