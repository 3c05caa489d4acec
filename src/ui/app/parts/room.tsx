import type { ReactNode } from 'react'

/** Head of a room: what it is for in one sentence, and its main action. */
export function RoomHead ({ title, children, action }: { title: string, children: ReactNode, action?: ReactNode }): ReactNode {
  return (
    <div className='room-head'>
      <div>
        <h2>{title}</h2>
        <p className='lead'>{children}</p>
      </div>
      {action != null && <div className='room-action'>{action}</div>}
    </div>
  )
}

export function Section ({ title, label, aside, children }: { title: string, label?: string, aside?: ReactNode, children: ReactNode }): ReactNode {
  return (
    <section className='section' aria-label={label ?? title}>
      <div className='section-head'>
        <h3>{title}</h3>
        {aside}
      </div>
      {children}
    </section>
  )
}
