import type { TrainingView } from '../interface/index.ts'

/** How far a training is, for people. */
export function describeTraining ({ state, step, steps, losses, progress, secondsLeft, tokensPerSecond }: TrainingView): string {
  const left = secondsLeft == null ? '' : `, ${Math.ceil(secondsLeft)} s left`
  const rate = tokensPerSecond == null ? '' : `, ${Math.round(tokensPerSecond)} tokens/s`

  if (state === 'failed' || state === 'cancelled') {
    return state
  }

  return state === 'training'
    ? `step ${step}/${steps}, loss ${losses.at(-1)?.toFixed(3) ?? '–'}${rate}${left}`
    : `${state} ${Math.round(progress * 100)} %${left}`
}
