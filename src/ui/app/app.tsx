import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { Ask } from './ask/ask.tsx'
import { Data } from './data/data.tsx'
import { Govern } from './govern/govern.tsx'
import { Waiting } from './parts/notes.tsx'
import { Settle } from './settle/settle.tsx'
import { Connect } from './shell/connect.tsx'
import { Header } from './shell/header.tsx'
import { Path } from './shell/path.tsx'
import { Warnings } from './shell/warnings.tsx'
import { forgetToken, keepToken, takeToken } from './token.ts'
import { NodeProvider, useNode } from './use-node.tsx'
import { useRoute } from './use-route.ts'
import { Why } from './why/why.tsx'
import type { RoomName } from './types.ts'
import type { ComponentType, ReactNode } from 'react'

// the chart comes with the room that draws it
const FineTune = lazy(async () => import('./train/fine-tune.tsx').then(({ FineTune }) => ({ default: FineTune })))

const roomOf: Record<RoomName, ComponentType> = { data: Data, 'fine-tune': FineTune, ask: Ask, settle: Settle, why: Why, govern: Govern }

const titles: Record<RoomName, string> = { data: 'Data', 'fine-tune': 'Fine-tune', ask: 'Ask', settle: 'Agree and settle', why: 'Why', govern: 'Govern' }

export function App (): ReactNode {
  const [token, setToken] = useState(takeToken)

  return token == null
    ? <Connect onToken={given => { keepToken(given); setToken(given) }} />
    : <NodeProvider token={token}><Page onForget={() => { forgetToken(); setToken(undefined) }} /></NodeProvider>
}

function Page ({ onForget }: { onForget(): void }): ReactNode {
  const { data } = useNode()
  const { room } = useRoute()
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)

  // after a change of rooms, the keyboard goes on in the new one
  useEffect(() => {
    document.title = `${titles[room]} · datanet`

    if (first.current) {
      first.current = false
    } else {
      main.current?.focus()
      scrollTo({ top: 0 })
    }
  }, [room])

  if (data.connection === 'unauthorized') {
    return <Connect refused onToken={token => { keepToken(token); location.reload() }} onForget={onForget} />
  }

  const Room = roomOf[room]

  return (
    <div className='page'>
      <a className='skip' href='#main' onClick={event => { event.preventDefault(); main.current?.focus() }}>Skip to the content</a>
      <Header />
      <Path />
      <main id='main' ref={main} tabIndex={-1} aria-label={titles[room]}>
        <Suspense fallback={<Waiting lines={4} />}>
          <Room />
        </Suspense>
      </main>
      <Warnings />
    </div>
  )
}
