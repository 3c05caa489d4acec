import { NativeSelect, Tooltip } from '@mantine/core'
import { open, plural } from '../format.ts'
import { useNode } from '../use-node.tsx'
import type { ReactNode } from 'react'

/** Is the network alive, and who am I here? */
export function Header (): ReactNode {
  return (
    <header className='header'>
      <div className='brand'>
        <svg width='26' height='26' viewBox='0 0 16 16' aria-hidden='true'>
          <path d='M4 4L12 4L8 12Z' fill='none' stroke='currentColor' strokeWidth='.8' opacity='.5' />
          <circle cx='4' cy='4' r='2.4' fill='#2f7ed8' /><circle cx='12' cy='4' r='2.4' fill='#e0792b' /><circle cx='8' cy='12' r='2.4' fill='#2a9d6e' />
        </svg>
        <h1>datanet</h1>
      </div>
      <Health />
      <Acting />
    </header>
  )
}

function Health (): ReactNode {
  const { data: { status, block, connection }, params } = useNode()

  if (status == null) {
    return <div className='health' role='status' aria-label='Network'><span className='pulse off' /> {connection === 'reconnecting' ? 'Reconnecting …' : 'Connecting …'}</div>
  }

  const epochBlocks = params?.epochBlocks ?? 1
  const within = status.height % epochBlocks
  const left = epochBlocks - within

  return (
    <section className='health' aria-label='Network'>
      <Tooltip label={connection === 'live' ? `Chain ${status.chain}` : 'The node does not answer; trying again'} events={{ hover: true, focus: true, touch: true }}>
        <span className='metric' tabIndex={0}>
          <span key={block?.height} className={connection === 'live' ? 'pulse beat' : 'pulse off'} aria-hidden='true' />
          {connection === 'live'
            ? <span><span className='dim'>Block</span> <b className='number' data-testid='height'>{status.height.toLocaleString('en')}</b></span>
            : <b role='status'>Reconnecting …</b>}
        </span>
      </Tooltip>
      <Tooltip label={`At the cutoff in ${plural(left, 'block')} the answers of this epoch are handed to committees.`} events={{ hover: true, focus: true, touch: true }}>
        <span className='metric' tabIndex={0}>
          <span><span className='dim'>Epoch</span> <b className='number'>{status.epoch}</b></span>
          <span className='epoch' role='progressbar' aria-label='Progress of the epoch' aria-valuemin={0} aria-valuemax={epochBlocks} aria-valuenow={within}>
            <span style={{ width: `${within / epochBlocks * 100}%` }} />
          </span>
          <span className='dim number wide'>cutoff in {left}</span>
        </span>
      </Tooltip>
      <span className='metric'><b className='number'>{status.peers.length}</b> <span className='dim'>{status.peers.length === 1 ? 'peer' : 'peers'}</span></span>
      {block != null && (
        <span className='metric'><b className='number'>{block.signers}/{block.validators}</b> <span className='dim'>signed</span></span>
      )}
    </section>
  )
}

function Acting (): ReactNode {
  const { data: { wallet }, acting, as, setAs } = useNode()

  return (
    <section className='acting' aria-label='Account'>
      <div className='balance'>
        <b className='number'>{acting == null ? '–' : open(acting.balance)}</b> <span className='dim'>OPEN</span>
      </div>
      <span className='dim small' aria-hidden='true'>as</span>
      <NativeSelect
        size='xs'
        aria-label='Acting account'
        value={as ?? ''}
        disabled={wallet == null || wallet.length < 2}
        onChange={event => { setAs(event.currentTarget.value) }}
        data={(wallet ?? []).map(({ name, account }) => ({ value: name ?? '', label: name ?? account }))}
      />
    </section>
  )
}
