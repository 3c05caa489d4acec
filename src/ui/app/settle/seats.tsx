import { short } from '../format.ts'
import { Account } from '../parts/ids.tsx'
import type { TaskView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

const steps = ['drawn', 'committed', 'revealed', 'opened'] as const

const faults: Record<string, string> = { silent: 'did not answer in time', withheld: 'committed, then fell silent', 'wrong-step': 'computed a step wrongly', 'wrong-score': 'revealed a wrong score', 'wrong-report': 'called true receipts false', 'bad-trace': 'could not show its work' }

/** Who sits in the committee and how far each seat is. */
export function Seats ({ view }: { view: TaskView }): ReactNode {
  return view.seats.length === 0
    ? <p className='small'>{view.phase === 'collecting' ? 'The committee is drawn by lot at the cutoff, when nobody can change the answers any more.' : 'Nobody could be drawn: a committee needs assessors with a stake that they can lose.'}</p>
    : (
      <table className='seats' aria-label='Committee'>
        <thead>
          <tr><th scope='col'>Seat</th>{steps.map(step => <th scope='col' key={step}>{step}</th>)}<th scope='col'>result</th></tr>
        </thead>
        <tbody>
          {view.seats.map(({ assessor, state, scoreRoot, fault }, index) => {
            const reached = steps.findIndex(step => step === state)

            return (
              <tr key={`${assessor}${index}`} data-state={state}>
                <th scope='row'><Account account={assessor} /></th>
                {state === 'slashed'
                  ? <td colSpan={steps.length} className='slashed'>slashed: it {faults[fault ?? ''] ?? fault ?? 'broke the rules'}</td>
                  : steps.map((step, place) => <td key={step}><i className={place <= reached ? 'seat reached' : 'seat'} /><span className='visually-hidden'>{place <= reached ? 'yes' : 'not yet'}</span></td>)}
                <td className='mono'>{scoreRoot == null ? <span className='dim'>–</span> : <span className={view.scoreRoot == null || scoreRoot === view.scoreRoot ? undefined : 'slashed'}>{short(scoreRoot, 4)}{scoreRoot === view.scoreRoot && <span className='tick' role='img' aria-label='agrees'> ✓</span>}</span>}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      )
}
