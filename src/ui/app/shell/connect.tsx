import { Alert, Button, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'

/** Without the node's token nothing can be seen: how to get it, and where to put it. */
export function Connect ({ onToken, refused = false }: { onToken(token: string): void, onForget?(): void, refused?: boolean }): ReactNode {
  const [token, setToken] = useState('')

  return (
    <main className='connect'>
      <h1>Connect to this node</h1>
      <p>
        Open the link that the node printed when it started: it ends in <code>#token=…</code>.
        The token is also in <code>api.json</code> in the node’s data directory.
      </p>
      {refused && <Alert color='red' title='The node does not accept this token' role='alert'>It makes a new one when its data directory is new.</Alert>}
      <form onSubmit={event => { event.preventDefault(); onToken(token.trim()) }}>
        <PasswordInput label='Token' value={token} onChange={event => { setToken(event.currentTarget.value) }} autoComplete='off' />
        <Button type='submit' disabled={token.trim() === ''}>Connect</Button>
      </form>
    </main>
  )
}
