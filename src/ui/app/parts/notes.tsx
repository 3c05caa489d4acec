import { Alert, Skeleton } from '@mantine/core'
import { ApiError } from '../api.ts'
import type { ReactNode } from 'react'

/** A refusal of the node: what it says, what to do, and its code for those who look it up. */
export function Failure ({ error }: { error: Error | undefined }): ReactNode {
  if (error == null) {
    return null
  }

  const { code, hint } = error instanceof ApiError ? error : { code: undefined, hint: undefined }

  return (
    <Alert color='red' variant='light' role='alert' title={error.message} className='failure'>
      {hint != null && <span>{hint} </span>}
      {code != null && <code>{code}</code>}
    </Alert>
  )
}

/** Nothing here yet: what it would be, and the next thing to do. */
export function Empty ({ title, children, action }: { title: string, children?: ReactNode, action?: ReactNode }): ReactNode {
  return (
    <div className='empty'>
      <p className='empty-title'>{title}</p>
      {children != null && <p>{children}</p>}
      {action}
    </div>
  )
}

export function Waiting ({ lines = 3 }: { lines?: number }): ReactNode {
  return (
    <div role='status' aria-label='Loading' className='waiting'>
      {Array.from({ length: lines }, (_, index) => <Skeleton key={index} height={18} mt={12} width={`${92 - index * 13 % 40}%`} />)}
    </div>
  )
}
