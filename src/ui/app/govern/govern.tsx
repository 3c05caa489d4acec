import { partColours } from '../colours.ts'
import { Empty, Waiting } from '../parts/notes.tsx'
import { RoomHead, Section } from '../parts/room.tsx'
import { SplitBar } from '../parts/split-bar.tsx'
import { useNode } from '../use-node.tsx'
import { Power } from './power.tsx'
import { Proposal } from './proposal.tsx'
import { Propose } from './propose.tsx'
import { partTitles, splitParts } from './split.ts'
import type { ReactNode } from 'react'

/** Room 6: the rules in force, and how to change them with gOPEN. */
export function Govern (): ReactNode {
  const { data: { proposals }, params } = useNode()
  const sorted = proposals?.toSorted((a, b) => b.proposal - a.proposal)

  return (
    <>
      <RoomHead title='The rules, and how to change them'>
        Wrap OPEN into gOPEN to vote. What is voted, queued and executed is in force from the next epoch’s settlement on.
      </RoomHead>
      {params == null
        ? <Waiting lines={3} />
        : (
          <Section title='Each fee is split like this' label='Fee split in force'>
            <SplitBar label='Fee split in force' parts={splitParts.map(key => ({ key, title: partTitles[key], colour: partColours[key], share: params.feeSplit[key] / 10_000 }))} />
          </Section>
          )}
      <Section title='Proposals'>
        {sorted == null && <Waiting />}
        {sorted?.length === 0 && <Empty title='Nothing has been proposed'>Give yourself votes below, then propose what data should get.</Empty>}
        {sorted?.map(view => <Proposal key={view.proposal} view={view} />)}
      </Section>
      <div className='halves even'>
        <Power />
        <Propose />
      </div>
    </>
  )
}
