import { open, percent, ratio } from '../format.ts'
import { Section } from '../parts/room.tsx'
import { SplitBar } from '../parts/split-bar.tsx'
import { useNode } from '../use-node.tsx'
import { flowOf } from './flow-of.ts'
import type { TaskView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** One task's fees: first into the four parts, then the data's part to the contributions. */
export function Flow ({ view }: { view: TaskView }): ReactNode {
  const { data: { payments, contributions = [] }, params, colourOf } = useNode()

  if (params == null || BigInt(view.fees) === 0n) {
    return null
  }

  const { parts, basis, data } = flowOf(view, payments, params.feeSplit)
  const sum = view.payouts.reduce((total, { amount }) => total + BigInt(amount), 0n)
  // where the data's part lies in the upper bar, in per cent
  const end = 100
  const start = end - ratio(data, view.fees) * 100

  return (
    <Section title='OPEN flow' aside={<span className='small'>{basis}</span>}>
      <p className='small'><b className='number'>{open(view.fees)}</b> OPEN of fees, paid by those who asked</p>
      <SplitBar label='Split of the fees' parts={parts.map(part => ({ ...part, share: ratio(part.amount, view.fees), note: `${open(part.amount, 3)} OPEN` }))} />
      {view.payouts.length > 0
        ? (
          <>
            <svg className='funnel' viewBox='0 0 100 24' preserveAspectRatio='none' aria-hidden='true'><polygon points={`${start},0 ${end},0 100,24 0,24`} /></svg>
            <SplitBar
              label='Data’s part, by contribution'
              parts={view.payouts.toSorted((a, b) => BigInt(a.amount) < BigInt(b.amount) ? 1 : -1).map(({ contribution = '', amount }) => ({
                key: contribution,
                title: contributions.find(other => other.contribution === contribution)?.title ?? contribution,
                colour: colourOf(contribution),
                share: ratio(amount, sum),
                note: `${open(amount, 3)} OPEN`
              }))}
              quiet
            />
          </>
          )
        : <p className='small note'>{noteOf(view, data)}</p>}
    </Section>
  )
}

/** While no contribution is paid. */
function noteOf ({ phase, fees }: TaskView, data: bigint): string {
  if (data === 0n) {
    return 'No contribution raised the likelihood of these answers: the data’s part goes to the treasury, with the platform’s.'
  }

  return `Data’s ${percent(ratio(data, fees))} goes to the contributions by their scores, ${phase === 'settled' ? 'as soon as the committee brings the proofs' : 'when the task is settled'}.`
}
