import { CopyButton, Tooltip } from '@mantine/core'
import { short } from '../format.ts'
import { useNode } from '../use-node.tsx'
import type { ReactNode } from 'react'

/** A CID or hash: its ends, the whole on hover, a click copies it. */
export function Id ({ value, label, ends }: { value: string, label: string, ends?: number }): ReactNode {
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'copied' : value} multiline maw={420} style={{ wordBreak: 'break-all' }} events={{ hover: true, focus: true, touch: false }}>
          <button type='button' className='id' onClick={copy} aria-label={`${short(value, ends)}: copy the ${label}`}>{short(value, ends)}</button>
        </Tooltip>
      )}
    </CopyButton>
  )
}

/** An account by its name, if it is one of this node's. */
export function Account ({ account }: { account: string }): ReactNode {
  const { nameOf } = useNode()
  const name = nameOf(account)

  return name == null ? <Id value={account} label='account' ends={4} /> : <span title={account}>{name}</span>
}

/** The colour of a contribution, the same in every room. */
export function Swatch ({ contribution }: { contribution: string }): ReactNode {
  const { colourOf } = useNode()

  return <span className='swatch' style={{ background: colourOf(contribution) }} aria-hidden='true' />
}
