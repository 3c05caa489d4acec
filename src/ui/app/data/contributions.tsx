import { Button, Tooltip } from '@mantine/core'
import { bytes, open, short } from '../format.ts'
import { Account, Swatch } from '../parts/ids.tsx'
import { Empty } from '../parts/notes.tsx'
import { useNode } from '../use-node.tsx'
import { go } from '../use-route.ts'
import type { ContributionView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

const statusWords = { pending: 'being checked', admitted: 'admitted', rejected: 'rejected' } as const

export function Contributions ({ list, onContribute }: { list: ContributionView[], onContribute(): void }): ReactNode {
  if (list.length === 0) {
    return (
      <Empty title='Nobody has contributed yet' action={<Button onClick={onContribute}>Contribute a file</Button>}>
        Rows become shards in the swarm, and a signed record on the ledger names you as their contributor.
      </Empty>
    )
  }

  return (
    <table role='table' className='table' aria-label='Contributions'>
      <thead role='rowgroup'>
        <tr role='row'><th role='columnheader' scope='col'>Contribution</th><th role='columnheader' scope='col'>Contributor</th><th role='columnheader' scope='col' className='right'>Rows</th><th role='columnheader' scope='col'>Attested by</th><th role='columnheader' scope='col' className='right'>Earned OPEN</th></tr>
      </thead>
      <tbody role='rowgroup'>{list.map(view => <Row key={view.contribution} view={view} />)}</tbody>
    </table>
  )
}

function Row ({ view }: { view: ContributionView }): ReactNode {
  const { data: { tasks = [] } } = useNode()
  const paid = tasks.some(({ payouts }) => payouts.some(({ contribution }) => contribution === view.contribution))

  return (
    <tr role='row'>
      <th role='rowheader' scope='row' data-label='Contribution'>
        <span className='with-swatch'><Swatch contribution={view.contribution} />
          <span>
            {view.title}
            <span className='sub'><span className={`status ${view.status}`}>{statusWords[view.status]}</span> · {bytes(view.bytes)}</span>
          </span>
        </span>
      </th>
      <td role='cell' data-label='Contributor'><Account account={view.contributor} /></td>
      <td role='cell' data-label='Rows' className='right number'>{view.rows.toLocaleString('en')}</td>
      <td role='cell' data-label='Attested by'><Attestations view={view} /></td>
      <td role='cell' data-label='Earned OPEN' className='right'>
        <span className='number'>{BigInt(view.earned) === 0n ? '–' : open(view.earned)}</span>
        {paid && <button type='button' className='link' aria-label={`Why was ${view.title} paid?`} onClick={() => { go('why', { contribution: view.contribution }) }}>why?</button>}
      </td>
    </tr>
  )
}

/** One dot per validator: filled when it attested, red when it rejected. */
function Attestations ({ view }: { view: ContributionView }): ReactNode {
  const { data: { status }, nameOf } = useNode()
  const validators = status?.validators ?? []
  const admits = view.attestations.filter(({ verdict }) => verdict === 'admit')
  const who = view.attestations.map(({ validator, verdict }) => `${nameOf(validator) ?? short(validator, 4)} ${verdict === 'admit' ? 'admits' : 'rejects'}`)

  return (
    <Tooltip label={who.length === 0 ? 'No validator has judged it yet' : who.join(', ')} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
      <span className='dots' tabIndex={0} role='img' aria-label={`${admits.length} of ${validators.length} validators admit it`}>
        {validators.map(({ account }) => <i key={account} className={view.attestations.find(({ validator }) => validator === account)?.verdict ?? 'none'} />)}
        <span className='number dim'>{admits.length}/{validators.length}</span>
      </span>
    </Tooltip>
  )
}
