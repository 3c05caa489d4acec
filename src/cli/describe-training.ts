import type { TrainingView } from '../interface/index.ts'

const ended = new Set<TrainingView['state']>(['done', 'failed', 'cancelled'])

/** Whether nothing more will happen to a training. */
export function hasEnded ({ state }: Pick<TrainingView, 'state'>): boolean {
  return ended.has(state)
}

/** How far a training is, for people. */
export function describeTraining (view: TrainingView): string {
  const { state, step, steps, losses, progress, secondsLeft, tokensPerSecond } = view
  const left = secondsLeft == null ? '' : `, ${Math.ceil(secondsLeft)} s left`
  const rate = tokensPerSecond == null ? '' : `, ${Math.round(tokensPerSecond)} tokens/s`

  if (state === 'queued' || hasEnded(view)) {
    return state
  }

  return state === 'training'
    ? `step ${step}/${steps}, loss ${losses.at(-1)?.toFixed(3) ?? '–'}${rate}${left}`
    : `${state} ${Math.round(progress * 100)} %${left}`
}
