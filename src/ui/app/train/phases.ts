import type { TrainingView } from '../../../interface/index.ts'

type State = TrainingView['state']

/** What happens to an adapter before it can be asked, in words for people. */
export const phases: Array<{ state: State, title: string, detail: string }> = [
  { state: 'training', title: 'Training', detail: 'The adapter learns from the rows, bit for bit reproducible.' },
  { state: 'influence', title: 'Influence', detail: 'How much did each contribution move the weights? This is what answers are traced back with.' },
  { state: 'publishing', title: 'Publishing', detail: 'Weights, recipe and influence are stored in the swarm and put on the ledger.' },
  { state: 'attesting', title: 'Attesting', detail: 'Validators train a random segment again and compare the bytes.' },
  { state: 'done', title: 'Done', detail: 'Admitted: the adapter can be asked.' }
]

export function isRunning (state: State): boolean {
  return state === 'queued' || state === 'training' || state === 'influence' || state === 'publishing' || state === 'attesting'
}
