import { Button, Collapse, NumberInput, TextInput } from '@mantine/core'
import { useId, useState } from 'react'
import { plural } from '../format.ts'
import { Choice } from '../parts/choice.tsx'
import { Failure } from '../parts/notes.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import { go } from '../use-route.ts'
import { MethodChoice } from './method-choice.tsx'
import type { AttributionMethod, PresetView, TrainingRequest, TrainingView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

const SEED_MAX = 4_294_967_295

export function TrainForm ({ onStarted }: { onStarted(id: string): void }): ReactNode {
  const { api, as, data: { bases = [], datanets = [], presets = [] }, refresh } = useNode()
  const [base, setBase] = useState<string>()
  const [chosen, setChosen] = useState<string[]>()
  const [preset, setPreset] = useState<string>()
  const [name, setName] = useState('')
  const [advanced, setAdvanced] = useState<Advanced>({})
  const [method, setMethod] = useState<AttributionMethod>('trajectory')
  const usable = datanets.filter(({ admitted }) => admitted > 0)
  const baseNow = base ?? bases[0]?.base
  const presetNow = presets.find(view => view.preset === preset) ?? presets[0]
  // with one Datanet there is nothing to choose
  const datanetsNow = chosen ?? (usable.length === 1 ? [usable[0].datanet] : [])
  const nameNow = name.trim() === '' ? suggested(datanets.find(({ datanet }) => datanet === datanetsNow[0])?.name) : name.trim()

  const request: TrainingRequest | undefined = baseNow == null || presetNow == null || datanetsNow.length === 0
    ? undefined
    : { name: nameNow, base: baseNow, datanets: datanetsNow, preset: presetNow.preset, ...advanced }

  const { run, busy, error } = useAction(async () => {
    const { id } = await api.post<TrainingView>('trainings', { as, ...request, ...(method === 'trajectory' ? {} : { method }) })

    refresh('trainings')
    onStarted(id)
  })

  return (
    <form className='form' aria-label='New training' onSubmit={event => { event.preventDefault(); void run() }}>
      <fieldset>
        <legend><b>Base model</b></legend>
        {bases.map(view => (
          <Choice key={view.base} type='radio' name='base' value={view.base} checked={view.base === baseNow} onChange={() => { setBase(view.base) }} title={view.name}>
            {(view.parameters / 1e6).toFixed(1)} M parameters, sees {plural(view.contextLength, 'token')} at once · {view.licence}
          </Choice>
        ))}
      </fieldset>
      <fieldset>
        <legend><b>Learn from</b></legend>
        {datanets.length === 0 && <p className='small'>There is no Datanet yet. <button type='button' className='link' onClick={() => { go('data') }}>Create one</button></p>}
        {datanets.map(view => (
          <Choice
            key={view.datanet} type='checkbox' name='datanet' value={view.datanet} checked={datanetsNow.includes(view.datanet)} disabled={view.admitted === 0} title={view.title}
            onChange={checked => { setChosen(checked ? [...datanetsNow, view.datanet] : datanetsNow.filter(other => other !== view.datanet)) }}
          >
            {view.admitted === 0 ? 'nothing admitted yet' : `${plural(view.admitted, 'contribution')} admitted · ${view.licence}`}
          </Choice>
        ))}
      </fieldset>
      <fieldset>
        <legend><b>How thoroughly</b></legend>
        {presets.map(view => (
          <Choice key={view.preset} type='radio' name='preset' value={view.preset} checked={view.preset === presetNow?.preset} onChange={() => { setPreset(view.preset) }} title={view.title}>
            {view.description}
          </Choice>
        ))}
      </fieldset>
      <MethodChoice request={request} value={method} onChange={setMethod} />
      <AdvancedSettings preset={presetNow} value={advanced} onChange={setAdvanced} />
      <TextInput label='Name of the adapter' maxLength={120} value={name} placeholder={nameNow} onChange={event => { setName(event.currentTarget.value) }} />
      <Failure error={error} />
      <Button type='submit' size='md' loading={busy} disabled={request == null}>Train</Button>
      {datanets.length > 0 && datanetsNow.length === 0 && <p className='small'>Choose at least one Datanet to learn from.</p>}
    </form>
  )
}

type Advanced = Pick<TrainingRequest, 'steps' | 'rank' | 'seed'>

function AdvancedSettings ({ preset, value, onChange }: { preset?: PresetView, value: Advanced, onChange(value: Advanced): void }): ReactNode {
  const [shown, setShown] = useState(false)
  const id = useId()
  const set = (field: keyof Advanced) => (given: number | string): void => { onChange({ ...value, [field]: typeof given === 'number' ? given : undefined }) }

  return (
    <div>
      <button type='button' className='link' aria-expanded={shown} aria-controls={id} onClick={() => { setShown(!shown) }}>{shown ? 'Fewer settings' : 'Steps, rank, seed …'}</button>
      <Collapse id={id} expanded={shown}>
        <div className='form-row three'>
          <NumberInput label='Steps' min={1} max={100_000} allowDecimal={false} value={value.steps ?? ''} placeholder={preset?.steps.toString()} onChange={set('steps')} description='more learn more, and take longer' />
          <NumberInput label='Rank' min={1} max={256} allowDecimal={false} value={value.rank ?? ''} placeholder={preset?.rank.toString()} onChange={set('rank')} description='size of the adapter' />
          <NumberInput label='Seed' min={0} max={SEED_MAX} allowDecimal={false} value={value.seed ?? ''} placeholder='0' onChange={set('seed')} description='order of the examples' />
        </div>
      </Collapse>
    </div>
  )
}

const suggested = (datanet: string | undefined): string => datanet ?? 'my-adapter'
