import { Button } from '@mantine/core'
import { open } from '../format.ts'
import { Failure } from '../parts/notes.tsx'
import { useAction } from '../use-action.ts'
import { useNode } from '../use-node.tsx'
import type { ReactNode } from 'react'

/** Lets an assessor's node that has nothing at stake yet sit in committees from now on. */
export function Stake (): ReactNode {
  const { api, data: { status, wallet }, params, refresh } = useNode()
  const own = wallet?.find(({ account }) => account === status?.account)
  const { run, busy, error } = useAction(async (amount: string) => {
    await api.post('wallet/stake', { as: own?.name, amount })
    refresh('wallet', 'status')
  })

  if (params == null || own == null || status?.roles.includes('assessor') !== true || BigInt(own.staked) >= BigInt(params.assessorStakeMin)) {
    return null
  }

  return (
    <div className='stake'>
      <Button variant='default' size='compact-md' loading={busy} onClick={() => { void run(params.assessorStakeMin) }}>Stake {open(params.assessorStakeMin)} OPEN</Button>
      <span className='small'>This node can assess, but has nothing at stake yet. Wrong or missing work costs stake, honest work earns.</span>
      <Failure error={error} />
    </div>
  )
}
