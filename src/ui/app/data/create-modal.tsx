import { Button, Checkbox, Modal, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Failure } from '../parts/notes.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import { slug } from './files.ts'
import type { FieldSchema } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

const licences = ['CC0-1.0', 'CC-BY-4.0', 'CC-BY-SA-4.0', 'ODC-By-1.0', 'PDDL-1.0', 'MIT', 'Apache-2.0']

const FIELDS_MAX = 32

interface Props {
  opened: boolean
  onClose(): void
  onCreated(datanet: string): void
}

export function CreateModal ({ opened, onClose, onCreated }: Props): ReactNode {
  return (
    <Modal opened={opened} onClose={onClose} title='New Datanet' size='lg' closeButtonProps={{ 'aria-label': 'Close' }}>
      <CreateForm onDone={datanet => { onCreated(datanet); onClose() }} />
    </Modal>
  )
}

function CreateForm ({ onDone }: { onDone(datanet: string): void }): ReactNode {
  const { api, as, refresh } = useNode()
  const [title, setTitle] = useState('')
  const [description, setDescription] = useState('')
  const [licence, setLicence] = useState(licences[0])
  const [extra, setExtra] = useState<FieldSchema[]>([])

  const { run, busy, error } = useAction(async () => {
    const { datanet } = await api.post<{ datanet: string }>('datanets', {
      as,
      name: slug(title),
      title: title.trim(),
      description,
      licence,
      fields: [{ name: 'text', type: 'string', required: true }, ...extra.filter(({ name }) => name !== '')],
      textField: 'text'
    })

    refresh('datanets', 'wallet')
    onDone(datanet)
  })

  return (
    <form className='form' onSubmit={event => { event.preventDefault(); void run() }}>
      <TextInput label='Title' required maxLength={64} data-autofocus value={title} onChange={event => { setTitle(event.currentTarget.value) }} description={title === '' ? 'What the rows have in common' : `On the ledger: ${slug(title)}`} />
      <Textarea label='Description' autosize minRows={2} maxLength={2000} value={description} onChange={event => { setDescription(event.currentTarget.value) }} />
      <NativeSelect label='Licence' value={licence} onChange={event => { setLicence(event.currentTarget.value) }} data={licences} description='Every contribution is made under it' />
      <fieldset className='fields'>
        <legend>Fields of a row</legend>
        <p className='small'><code>text</code> is what models learn from; every row has it.</p>
        {extra.map((field, index) => <FieldRow key={index} field={field} onChange={changed => { setExtra(extra.map((other, place) => place === index ? changed : other)) }} onRemove={() => { setExtra(extra.filter((_, place) => place !== index)) }} />)}
        <Button variant='subtle' size='compact-sm' disabled={extra.length >= FIELDS_MAX - 1} onClick={() => { setExtra([...extra, { name: '', type: 'string', required: false }]) }}>Add a field</Button>
      </fieldset>
      <Failure error={error} />
      <Button type='submit' loading={busy} disabled={slug(title) === ''}>Create as {as ?? 'this node'}</Button>
    </form>
  )
}

function FieldRow ({ field, onChange, onRemove }: { field: FieldSchema, onChange(field: FieldSchema): void, onRemove(): void }): ReactNode {
  return (
    <div className='field-row'>
      <TextInput aria-label='Name of the field' placeholder='year' value={field.name} onChange={event => { onChange({ ...field, name: event.currentTarget.value }) }} />
      <NativeSelect aria-label='Type of the field' value={field.type} onChange={event => { onChange({ ...field, type: event.currentTarget.value as FieldSchema['type'] }) }} data={[{ value: 'string', label: 'text' }, { value: 'integer', label: 'whole number' }]} />
      <Checkbox label='required' checked={field.required} onChange={event => { onChange({ ...field, required: event.currentTarget.checked }) }} />
      <Button variant='subtle' size='compact-sm' color='gray' onClick={onRemove} aria-label={`Remove the field ${field.name}`}>Remove</Button>
    </div>
  )
}
