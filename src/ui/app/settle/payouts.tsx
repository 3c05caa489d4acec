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
      <table className='table' aria-label='Payouts'>
        <thead><tr><th scope='col'>For</th><th scope='col'>To</th><th scope='col' className='right'>OPEN</th><th scope='col'><span className='visually-hidden'>Reason</span></th></tr></thead>
        <tbody>
          {view.payouts.toSorted((a, b) => BigInt(a.amount) < BigInt(b.amount) ? 1 : -1).map(({ account, contribution = '', amount }) => {
            const title = contributions.find(other => other.contribution === contribution)?.title ?? contribution

            return (
              <tr key={`${contribution}${account}`}>
                <th scope='row' data-label='For'><span className='with-swatch'><Swatch contribution={contribution} /><span>{title}</span></span></th>
                <td data-label='To'><Account account={account} /></td>
                <td data-label='OPEN' className='right number'>{open(amount)}</td>
                <td className='right'><button type='button' className='link' aria-label={`Why was ${title} paid?`} onClick={() => { go('why', { contribution, task: view.task }) }}>why?</button></td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Section>
  )
}
