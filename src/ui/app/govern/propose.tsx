import { Button, NativeSelect, Slider } from '@mantine/core'
import { useState } from 'react'
import { partColours } from '../colours.ts'
import { open } from '../format.ts'
import { Failure } from '../parts/notes.tsx'
import { Section } from '../parts/room.tsx'
import { SplitBar } from '../parts/split-bar.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import { partTitles, splitParts, withData } from './split.ts'
import type { FeeSplit } from '../types.ts'
import type { ReactNode } from 'react'

type Other = Exclude<keyof FeeSplit, 'data'>

/** A new share for data, and who gives it. */
export function Propose (): ReactNode {
  const { api, as, acting, params, refresh } = useNode()
  const [wish, setWish] = useState<number>()
  const [from, setFrom] = useState<Other>('validators')
  const now = params?.feeSplit
  const most = now == null ? 100 : (now.data + now[from]) / 100
  const percentage = Math.min(most, wish ?? Math.min(most, (now?.data ?? 0) / 100 + 5))
  const next = now == null ? undefined : withData(now, percentage * 100, from)
  const enough = acting != null && params != null && BigInt(acting.votes) > 0n && BigInt(acting.votes) >= BigInt(params.proposalThreshold)

  const { run, busy, error } = useAction(async () => {
    await api.post('gov/propose', { as, title: `Pay data ${percentage} % of each fee instead of ${(now?.data ?? 0) / 100} %`, params: { feeSplit: next } })
    refresh('proposals')
  })

  return (
    <Section title='Propose another share for data' label='Propose'>
      <form className='form' aria-label='Propose' onSubmit={event => { event.preventDefault(); void run() }}>
        <div className='range'>
          <div className='range-label'>Data gets <b className='number'>{percentage} %</b></div>
          <Slider min={0} max={most} step={1} value={percentage} label={null} onChange={setWish} thumbLabel='Share of data in per cent' />
        </div>
        <NativeSelect label='Taken from' value={from} onChange={event => { setFrom(event.currentTarget.value as Other) }} data={splitParts.filter(part => part !== 'data').map(value => ({ value, label: partTitles[value] }))} />
        {next != null && <SplitBar label='Proposed fee split' parts={splitParts.map(key => ({ key, title: partTitles[key], colour: partColours[key], share: next[key] / 10_000 }))} />}
        <Failure error={error} />
        <Button type='submit' loading={busy} disabled={next == null || next.data === now?.data || !enough}>Propose</Button>
        {!enough && params != null && <p className='small'>{as ?? 'This account'} needs {BigInt(params.proposalThreshold) === 0n ? 'votes' : `${open(params.proposalThreshold)} votes`} to propose: wrap OPEN and delegate it first.</p>}
      </form>
    </Section>
  )
}
