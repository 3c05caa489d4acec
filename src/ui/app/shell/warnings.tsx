import { plural } from '../format.ts'
import { useNode } from '../use-node.tsx'
import type { ReactNode } from 'react'

/** What the node warned of; quiet unless opened. */
export function Warnings (): ReactNode {
  const { data: { warnings, status } } = useNode()

  return (
    <footer className='footer'>
      <span>Node <b>{status?.name ?? '…'}</b></span>
      {warnings.length > 0 && (
        <details>
          <summary>{plural(warnings.length, 'note')} of this node</summary>
          <ul>{warnings.map((warning, index) => <li key={index}>{warning}</li>)}</ul>
        </details>
      )}
    </footer>
  )
}
