import { open } from '../format.ts'
import { Account, Swatch } from '../parts/ids.tsx'
import { Section } from '../parts/room.tsx'
import { useNode } from '../use-node.tsx'
import { go } from '../use-route.ts'
import type { TaskView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

export function Payouts ({ view }: { view: TaskView }): ReactNode {
  const { data: { contributions = [] } } = useNode()

  if (view.payouts.length === 0) {
    return null
  }

  return (
    <Section title='Payouts'>
      <table role='table' className='table' aria-label='Payouts'>
        <thead role='rowgroup'><tr role='row'><th role='columnheader' scope='col'>For</th><th role='columnheader' scope='col'>To</th><th role='columnheader' scope='col' className='right'>OPEN</th><th role='columnheader' scope='col'><span className='visually-hidden'>Reason</span></th></tr></thead>
        <tbody role='rowgroup'>
          {view.payouts.toSorted((a, b) => BigInt(a.amount) < BigInt(b.amount) ? 1 : -1).map(({ account, contribution = '', amount }) => {
            const title = contributions.find(other => other.contribution === contribution)?.title ?? contribution

            return (
              <tr role='row' key={`${contribution}${account}`}>
                <th role='rowheader' scope='row' data-label='For'><span className='with-swatch'><Swatch contribution={contribution} /><span>{title}</span></span></th>
                <td role='cell' data-label='To'><Account account={account} /></td>
                <td role='cell' data-label='OPEN' className='right number'>{open(amount)}</td>
                <td role='cell' className='right'><button type='button' className='link' aria-label={`Why was ${title} paid?`} onClick={() => { go('why', { contribution, task: view.task }) }}>why?</button></td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Section>
  )
}
