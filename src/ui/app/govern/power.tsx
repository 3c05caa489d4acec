import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { baseUnits, open } from '../format.ts'
import { Account } from '../parts/ids.tsx'
import { Failure } from '../parts/notes.tsx'
import { Section } from '../parts/room.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import type { FormEvent, ReactNode } from 'react'

/** What the acting account can vote with, and how to change that. */
export function Power (): ReactNode {
  const { acting, as } = useNode()

  return (
    <Section title={`Votes of ${as ?? 'this node'}`} label='Votes'>
      <dl className='figures'>
        <div><dt>OPEN</dt><dd className='number'>{open(acting?.balance ?? '0')}</dd></div>
        <div><dt>gOPEN</dt><dd className='number'>{open(acting?.gopen ?? '0')}</dd></div>
        <div><dt>Votes now</dt><dd className='number' data-testid='votes'>{open(acting?.votes ?? '0')}</dd></div>
        <div><dt>Delegated to</dt><dd>{acting?.delegate == null ? 'nobody' : <Account account={acting.delegate} />}</dd></div>
      </dl>
      {acting != null && BigInt(acting.gopen) > 0n && acting.delegate == null && <p className='small'>gOPEN votes only once it is delegated; to yourself, if you want to vote.</p>}
      <Wrap />
      <Delegate />
    </Section>
  )
}

function Wrap (): ReactNode {
  const { api, as, refresh } = useNode()
  const [amount, setAmount] = useState('1000')
  const units = baseUnits(amount)
  const { run, busy, error } = useAction(async (kind: 'wrap' | 'unwrap') => {
    await api.post(`gov/${kind}`, { as, amount: (units ?? 0n).toString() })
    refresh('wallet', 'status')
  })
  const wrong = amount !== '' && units == null ? 'A number of OPEN, with a point for fractions' : undefined

  return (
    <form className='form inline' aria-label='Wrap' onSubmit={(event: FormEvent) => { event.preventDefault(); void run('wrap') }}>
      <TextInput label='Amount' inputMode='decimal' value={amount} error={wrong} onChange={event => { setAmount(event.currentTarget.value) }} rightSection={<span className='small'>OPEN</span>} rightSectionWidth={54} />
      <Button type='submit' variant='default' loading={busy} disabled={units == null || units === 0n}>Wrap</Button>
      <Button variant='subtle' disabled={busy || units == null || units === 0n} onClick={() => { void run('unwrap') }}>Unwrap</Button>
      <Failure error={error} />
    </form>
  )
}

const OTHER = 'another account'

function Delegate (): ReactNode {
  const { api, as, acting, data: { wallet = [] }, refresh } = useNode()
  const [chosen, setChosen] = useState<string>()
  const [other, setOther] = useState('')
  const target = chosen ?? acting?.account ?? ''
  const to = target === OTHER ? other.trim() : target
  const { run, busy, error } = useAction(async () => {
    await api.post('gov/delegate', { as, to })
    refresh('wallet', 'status')
  })

  return (
    <form className='form inline' aria-label='Delegate' onSubmit={(event: FormEvent) => { event.preventDefault(); void run() }}>
      <NativeSelect
        label='Who votes with it' value={target} onChange={event => { setChosen(event.currentTarget.value) }}
        data={[...wallet.map(({ name, account }) => ({ value: account, label: name === as ? `${name ?? ''} itself` : name ?? account })), { value: OTHER, label: 'another account …' }]}
      />
      {target === OTHER && <TextInput label='Account' placeholder='z6Mk…' value={other} onChange={event => { setOther(event.currentTarget.value) }} />}
      <Button type='submit' variant='default' loading={busy} disabled={to === ''}>Delegate</Button>
      <Failure error={error} />
    </form>
  )
}
