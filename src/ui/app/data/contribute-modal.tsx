import { Button, FileInput, Modal, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { bytes } from '../format.ts'
import { Failure } from '../parts/notes.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import { constantsOf, formatOf, titleOf } from './files.ts'
import type { FileFormat } from './files.ts'
import type { ReactNode } from 'react'

/** As much of a file as tells a person that it is the right one. */
const PREVIEW_BYTES = 600

const formats: Array<{ value: FileFormat, label: string }> = [
  { value: 'text', label: 'Plain text' }, { value: 'csv', label: 'CSV, with a header line' }, { value: 'jsonl', label: 'JSONL, one object a line' }, { value: 'parquet', label: 'Parquet' }
]

export function ContributeModal ({ opened, datanet, onClose }: { opened: boolean, datanet?: string, onClose(): void }): ReactNode {
  return (
    <Modal opened={opened} onClose={onClose} title='Contribute a file' size='lg' closeButtonProps={{ 'aria-label': 'Close' }}>
      <ContributeForm datanet={datanet} onDone={onClose} />
    </Modal>
  )
}

function ContributeForm ({ datanet, onDone }: { datanet?: string, onDone(): void }): ReactNode {
  const { api, as, data: { datanets = [] }, refresh } = useNode()
  const [file, setFile] = useState<File | null>(null)
  const [preview, setPreview] = useState('')
  const [target, setTarget] = useState(datanet ?? datanets[0]?.datanet ?? '')
  const [title, setTitle] = useState('')
  const [format, setFormat] = useState<FileFormat>('text')
  const [constants, setConstants] = useState('')
  const licence = datanets.find(view => view.datanet === target)?.licence

  const choose = (chosen: File | null): void => {
    setFile(chosen)
    setPreview('')

    if (chosen != null) {
      setFormat(formatOf(chosen.name))
      setTitle(present => present === '' ? titleOf(chosen.name) : present)

      if (formatOf(chosen.name) !== 'parquet') {
        void chosen.slice(0, PREVIEW_BYTES).text().then(setPreview)
      }
    }
  }

  const { run, busy, error } = useAction(async () => {
    const fixed = constantsOf(constants)
    const query = new URLSearchParams({ datanet: target, title, format, ...(as == null ? {} : { as }), ...(fixed == null ? {} : { constants: JSON.stringify(fixed) }) })

    await api.upload(`contributions?${query.toString()}`, file ?? new Blob())
    refresh('contributions', 'datanets', 'wallet')
    onDone()
  })

  return (
    <form className='form' onSubmit={event => { event.preventDefault(); void run() }}>
      <NativeSelect label='Datanet' value={target} onChange={event => { setTarget(event.currentTarget.value) }} data={datanets.map(view => ({ value: view.datanet, label: view.title }))} />
      <FileInput label='File' placeholder='Choose a text, CSV, JSONL or Parquet file' value={file} onChange={choose} accept='.txt,.text,.md,.csv,.jsonl,.ndjson,.parquet' required clearable fileInputProps={{ 'aria-label': 'File to contribute' }} />
      {preview !== '' && <pre className='preview' aria-label='Beginning of the file' tabIndex={0}>{preview}{file != null && file.size > PREVIEW_BYTES ? '…' : ''}</pre>}
      <div className='form-row'>
        <TextInput label='Title' required maxLength={120} value={title} onChange={event => { setTitle(event.currentTarget.value) }} description='How people will recognise it in answers' />
        <NativeSelect label='Format' value={format} onChange={event => { setFormat(event.currentTarget.value as FileFormat) }} data={formats} description={file == null ? 'Recognised by the file’s name' : bytes(file.size)} />
      </div>
      <Textarea label='Values for fields that the file lacks' autosize minRows={1} value={constants} onChange={event => { setConstants(event.currentTarget.value) }} placeholder='year = 1862' description='One a line; needed only if the Datanet asks for more than the file has' />
      <Failure error={error} />
      <p className='small'>By contributing you sign that these rows may be used under {licence ?? 'the Datanet’s licence'}. A deposit is held until they are admitted.</p>
      <Button type='submit' loading={busy} disabled={file == null || title.trim() === '' || target === ''}>{busy ? 'Sharding and signing' : `Contribute as ${as ?? 'this node'}`}</Button>
    </form>
  )
}
